import os
from pathlib import Path

import pytest

from cloaca_nb.errors import ConfigurationError
from cloaca_nb.history.location import parse_url

FILES = [  # URL, where its database lies below the working directory
    ("duckdb:///rel.duckdb", "rel.duckdb"),
    ("duckdb:///deep/rel.duckdb", "deep/rel.duckdb"),
    ("DuckDB:///rel.duckdb", "rel.duckdb"),
    ("bare.duckdb", "bare.duckdb"),
    ("deep/bare", "deep/bare"),
    ("sqlite:///tutorial.db", "tutorial.duckdb"),
    ("sqlite:///deep/tutorial", "deep/tutorial.duckdb"),
]
MEMORY = [":memory:", "sqlite://:memory:", "sqlite:///:memory:", "duckdb:///:memory:"]
WRONG = [  # URL, what the message says
    ("postgresql://localhost/flows", "kept in DuckDB"),
    ("mysql://localhost/flows", "duckdb:///relative.duckdb"),
    ("duckbd:///x.duckdb", "Did you mean 'duckdb'?"),
    ("duckdb://x.duckdb", "three slashes"),
    ("duckdb:x.duckdb", "three slashes"),
    ("sqlite://", "three slashes"),
    ("duckdb:///", "names no database file"),
    ("", "names no database file"),
    ("   ", "names no database file"),
    ("folder/", "names no database file"),
    (".", "is a folder"),
    ("null\0character.duckdb", "names no database file"),
    ("x" * 300 + ".duckdb", "names no database file"),
    ("~nobody-of-that-name/x.duckdb", "names no database file"),
    ("sqlite:///x.db?mode=rwc", "query string"),
    ("x.duckdb?read_only=1", "query string"),
]


@pytest.mark.parametrize(("url", "expected"), FILES)
def test_file(url: str, expected: str, tmp_path: Path) -> None:
    assert parse_url(url, environ={}, cwd=tmp_path).path == tmp_path / expected


@pytest.mark.parametrize("scheme", ["duckdb:///", "sqlite:///", ""])
def test_absolute_path(scheme: str, tmp_path: Path) -> None:
    location = parse_url(f"{scheme}{tmp_path}/there.duckdb", environ={}, cwd=Path("/elsewhere"))
    assert location.path == tmp_path / "there.duckdb"


@pytest.mark.parametrize("url", MEMORY)
def test_memory(url: str, tmp_path: Path) -> None:
    location = parse_url(url, environ={}, cwd=tmp_path)
    assert location.path is None
    assert str(location) == ":memory:"


@pytest.mark.parametrize(("url", "text"), WRONG)
def test_error_says_the_fix(url: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_url(url, environ={}, cwd=tmp_path)
    assert text in str(error.value)


@pytest.mark.parametrize("suffix", ["", "?sslmode=require"])
def test_error_keeps_a_password_to_itself(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_url(f"postgresql://me:hunter2@host/flows{suffix}", environ={}, cwd=tmp_path)
    assert "hunter2" not in str(error.value)


def test_only_a_sqlite_file_needs_a_note(tmp_path: Path) -> None:
    notes = {url: parse_url(url, environ={}, cwd=tmp_path).note for url, _ in FILES}
    assert [url for url, note in notes.items() if note] == ["sqlite:///tutorial.db", "sqlite:///deep/tutorial"]
    assert "tutorial.duckdb" in notes["sqlite:///tutorial.db"]


def test_none_is_the_nearest_history_upward(tmp_path: Path) -> None:
    inner = tmp_path / "project" / "deep" / "er"
    inner.mkdir(parents=True)
    assert parse_url(None, environ={}, cwd=inner).path == inner / ".cloaca/history.duckdb"
    kept = tmp_path / "project" / ".cloaca" / "history.duckdb"
    kept.parent.mkdir()
    kept.touch()
    assert parse_url(None, environ={}, cwd=inner).path == kept


@pytest.mark.parametrize(("set_to", "expected"), [("x.duckdb", "x.duckdb"), ("", ".cloaca/history.duckdb")])
def test_none_asks_the_environment_first(set_to: str, expected: str, tmp_path: Path) -> None:
    assert parse_url(None, environ={"CLOACA_HISTORY": set_to}, cwd=tmp_path).path == tmp_path / expected


@pytest.mark.parametrize("name", ["there.duckdb", "sqlite:", ":memory:"])
def test_a_path_object_is_a_path_whatever_its_name(name: str, tmp_path: Path) -> None:
    assert parse_url(Path(name), environ={}, cwd=tmp_path).path == tmp_path / name


def test_environment_may_say_memory(tmp_path: Path) -> None:
    assert parse_url(None, environ={"CLOACA_HISTORY": ":memory:"}, cwd=tmp_path).path is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("what?", r"no file with a '\?' in its path"),
        pytest.param(
            "a\\b",
            r"no file with a '\\' in its path",
            marks=pytest.mark.skipif(os.name == "nt", reason="it parts folders there"),
        ),
        ("\udcff", r"a path that isn't valid Unicode, as '.*\\udcff"),
    ],
)
@pytest.mark.parametrize("url", [None, "rel.duckdb"])
def test_a_folder_that_duckdb_cannot_name(url: str | None, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        parse_url(url, environ={}, cwd=tmp_path / name)
    assert "CLOACA_HISTORY=/path/to/history.duckdb, or :memory:" in str(caught.value)
