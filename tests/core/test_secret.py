"""Which keys are secret."""

import pickle

import pytest

from cloaca_nb.core.secret import MASK, Secret, SecretKeys
from cloaca_nb.errors import DefinitionError

WORDS = """
password PASSWORD db_password dbPassword passwd pwd passphrase secret client_secret secret_key clientSecret token
api_token sessionToken X-Auth-Token api_key apiKey API_KEY apikey access_key private_key privateKey credentials
aws_credential password_hash
"""
OTHERS = """
tokens n_tokens token_count tokenizer max_tokens secretary passenger_count compass keys key keyword monkey primary_key
passes year tokenised accesses
"""


@pytest.mark.parametrize("key", WORDS.split())
def test_a_key_that_says_so_is_secret(key):
    assert key in SecretKeys()
    assert key not in SecretKeys(None)


@pytest.mark.parametrize("key", [*OTHERS.split(), "", None, 5, ("password",)])
def test_any_other_key_is_not(key):
    assert key not in SecretKeys()


def test_keys_may_be_named_and_a_pattern_given():
    keys = SecretKeys("^pin$", ["station"]).and_named(["gate"])
    found = [key for key in ("pin", "PIN", "station", "gate", "password", "pins") if key in keys]
    assert found == ["pin", "PIN", "station", "gate", "password"]


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(DefinitionError, match=r"'\(', is no regular expression"):
        SecretKeys("(")


def test_a_secret_shows_a_mask_and_stays_in_its_process():
    secret = Secret("hunter2")
    assert (repr(secret), str(secret), f"{secret}", secret.reveal()) == (MASK, MASK, MASK, "hunter2")
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(secret)
