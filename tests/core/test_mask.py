"""What a mask hides: values under secret keys, values that hold a secret, and its text in whatever spelling."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.mask import SHORTEST, Mask, masked
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.secret import MASK, Secret, SecretKeys

PHRASE = "pä/ss wörd'\"\\1+"


@dataclass
class Account:
    user: str
    phrase: str


def mask_of(values):
    mask = Mask(SecretKeys())
    mask.meet(values)
    return mask


SPELLINGS = {
    "as it is": PHRASE,
    "in a repr": repr({"x": PHRASE}),
    "in JSON": json.dumps({"x": PHRASE}),
    "in a URL": f"https://user:{quote(PHRASE, safe='')}@host",
    "in a form": f"password={quote_plus(PHRASE)}&x=1",
    "in base64": base64.b64encode(PHRASE.encode()).decode(),
    "in a header": "Basic " + base64.b64encode(f"user:{PHRASE}".encode()).decode(),
    "twice": f"{PHRASE}{PHRASE}",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_the_text_of_a_secret_is_hidden(text):
    found = mask_of({"password": PHRASE}).text(f"a {text} b")
    assert found.startswith("a ")
    assert found.endswith(" b")
    assert MASK in found
    assert PHRASE not in found


LOOP = ["hunter22"]
LOOP.append(LOOP)
SECRETS = {
    "a text": ({"password": "hunter22"}, "hunter22"),
    "bytes": ({"password": b"hunter22"}, "hunter22"),
    "a number": ({"password": 123456}, "123456"),
    "in a dict": ({"db": {"host": "h", "password": "hunter22"}}, "hunter22"),
    "in dicts in lists": ({"dbs": [{"a": ({"apiKey": "hunter22"},)}]}, "hunter22"),
    "all of a dict": ({"credentials": {"user": "u", "phrase": "hunter22"}}, "hunter22"),
    "an object's": ({"credentials": Account("u", "hunter22")}, "hunter22"),
    "a line of a key": ({"private_key": "-----BEGIN KEY-----\nMIIEpAIB\n-----END KEY-----\n"}, "MIIEpAIB"),
    "in itself": ({"password": LOOP}, "hunter22"),
}


@pytest.mark.parametrize(("values", "text"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_found_where_they_are(values, text):
    mask = mask_of(values)
    assert mask.text(f"<{text}>") == f"<{MASK}>"
    assert [type(value) for value in mask.values(values).values()] == [Secret]


HOLDERS = {
    "a URL": "https://u:hunter22@host",
    "bytes": b"x hunter22",
    "a dict": {"headers": {"Authorization": "Bearer hunter22"}},
    "a key": {"hunter22": 1},
    "a list": [1, ["hunter22"]],
    "an object": Account("hunter22", ""),
}


@pytest.mark.parametrize("value", HOLDERS.values(), ids=HOLDERS)
def test_a_value_that_holds_a_secret_is_hidden_as_a_whole(value):
    mask = mask_of({"password": "hunter22"})
    hidden = mask.values({"other": value, "year": 2013})
    assert (repr(hidden["other"]), hidden["year"]) == (MASK, 2013)
    assert hidden["other"].reveal() is value


NONE = [None, "", b"", [], {}, True, False, DELETED]


@pytest.mark.parametrize("value", NONE, ids=repr)
def test_what_says_nothing_is_no_secret(value):
    mask = mask_of({"password": value})
    assert not mask.hides
    assert mask.values({"password": value})["password"] is value


def test_a_short_secret_is_hidden_as_a_value_but_not_in_texts():
    mask = mask_of({"password": "a" * (SHORTEST - 1)})
    assert mask.text("banaaaana") == "banaaaana"
    assert repr(mask.values({"password": "aaaa"})["password"]) == MASK


def test_of_two_secrets_the_longer_is_hidden_as_a_whole():
    mask = mask_of({"password": "hunter22", "token": "hunter22-and-more"})
    assert mask.text("hunter22-and-more hunter22") == f"{MASK} {MASK}"


def test_data_are_not_searched_for_secret_keys():
    rows = [{"password": "hunter22"}] * 300
    assert not mask_of({"rows": rows}).hides
    assert mask_of({"rows": rows[:200]}).hides


def test_values_are_shown_with_a_mask_where_no_run_says_more():
    assert repr(masked({"year": 2013, "password": "hunter22"})) == f"{{'year': 2013, 'password': {MASK}}}"


@given(st.text(min_size=SHORTEST), st.text(), st.text())
def test_no_text_tells_a_secret(secret, before, after):
    found = mask_of({"password": secret}).text(f"{before}{secret}{after}")
    assert found.replace(MASK, "").count(secret) <= f"{before}{after}".count(secret)
