"""Digests of secrets: the same for the same secret and key, and of no use without the key."""

import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloaca_nb.history.secret_digest import SecretDigest, is_of_secret


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "key"
    one = SecretDigest(path)("digest")
    assert is_of_secret(one)
    assert SecretDigest(path)("digest") == one != SecretDigest(path)("another")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_another_key_gives_another_digest(tmp_path):
    one, other = (SecretDigest(path)("digest") for path in (None, tmp_path / "key"))
    assert one != other
    assert not is_of_secret("0123")


def test_where_the_key_cant_be_kept_it_lasts_for_the_process(tmp_path, caplog):
    digest = SecretDigest(tmp_path / "no folder" / "key")
    assert digest("digest") == digest("digest")
    assert "can't be kept" in caplog.text


@pytest.mark.parametrize("name", ["runs", "tasks"])
def test_a_history_without_secrets_has_no_key(name, tmp_path):
    from cloaca_nb.history.history import History  # noqa: PLC0415 - only here

    with History.open(str(tmp_path / "h.duckdb")) as history:
        assert history.sql(f"FROM {name}").empty
    assert not history.location.secret_key.exists()


def test_threads_that_need_the_key_first_at_once_have_the_same():
    for _ in range(50):
        digest, ready = SecretDigest(None), threading.Barrier(4)

        def make(digest=digest, ready=ready):
            ready.wait(20)
            return digest._key_at_hand()

        with ThreadPoolExecutor(4) as threads:
            assert len({one.result() for one in [threads.submit(make) for _ in range(4)]}) == 1
