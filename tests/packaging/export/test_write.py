"""A package is written whole or not at all, and never over somebody's work."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.write import write_package


def package(**modules: str) -> Package:
    files = {"pyproject.toml": '[tool.cloaca]\nentry_module = "p"\n', "p/__init__.py": "x = 1\n"}
    return Package("p", "p", files | {f"p/{name}.py": text for name, text in modules.items()})


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("there", ["missing", "empty", "below a missing folder"])
def test_writes_every_file(tmp_path: Path, there: str) -> None:
    target = tmp_path / "a" / "b" if there == "below a missing folder" else tmp_path / "out"
    if there == "empty":
        target.mkdir()
    assert write_package(package(), target) == target
    assert files_in(target) == {"pyproject.toml", "p/__init__.py"}
    assert (target / "p/__init__.py").read_text() == "x = 1\n"
    assert {path.name for path in target.parent.iterdir()} == {target.name}


def test_replaces_an_earlier_export_and_leaves_the_rest(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write_package(package(old="y = 1\n"), target)
    (target / ".cloaca").mkdir()
    (target / ".cloaca/history.duckdb").write_text("runs")
    (target / "p/__pycache__").mkdir()
    write_package(package(new="z = 1\n"), target)
    assert files_in(target) == {"pyproject.toml", "p/__init__.py", "p/new.py", ".cloaca/history.duckdb"}


def test_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two", "one"):
        write_package(package(), tmp_path / name)
    texts = [(tmp_path / name / "pyproject.toml").read_bytes() for name in ("one", "two")]
    assert texts[0] == texts[1]


REFUSED = {
    "a folder with other files": ("notes.txt", "mine", "holds no previous export"),
    "a hand-written package": ("pyproject.toml", '[tool.cloaca]\nentry_module = "p"\n', "holds no previous export"),
    "a broken pyproject": ("pyproject.toml", "[[[", "holds no previous export"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_is_not_its_own(tmp_path: Path, name: str) -> None:
    path, text, message = REFUSED[name]
    (tmp_path / path).write_text(text)
    with pytest.raises(ExportError, match=message):
        write_package(package(), tmp_path)
    assert files_in(tmp_path) == {path}


@pytest.mark.parametrize("path", ["p/__init__.py", "pyproject.toml"])
def test_refuses_to_overwrite_a_change_made_by_hand(tmp_path: Path, path: str) -> None:
    write_package(package(), tmp_path)
    changed = "# mine\n" + (tmp_path / path).read_text()
    (tmp_path / path).write_text(changed)
    with pytest.raises(ExportError, match="was changed since it was exported"):
        write_package(package(new=""), tmp_path)
    assert (tmp_path / path).read_text() == changed
    assert not (tmp_path / "p/new.py").exists()


def test_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        write_package(package(), tmp_path / "out")


def test_data_is_written_byte_for_byte_and_guarded_like_the_rest(tmp_path: Path) -> None:
    with_data = replace(package(), data={"lib/table.bin": b"\xff\r\n\0"})
    for _ in range(2):
        write_package(with_data, tmp_path)
        assert (tmp_path / "lib/table.bin").read_bytes() == b"\xff\r\n\0"
    (tmp_path / "lib/table.bin").write_bytes(b"mine")
    with pytest.raises(ExportError, match=r"table\.bin was changed since it was exported"):
        write_package(with_data, tmp_path)
    (tmp_path / "lib/table.bin").unlink()
    write_package(package(), tmp_path)
    assert files_in(tmp_path) == {"pyproject.toml", "p/__init__.py"}


def test_ends_of_lines_that_version_control_has_changed_are_no_change(tmp_path: Path) -> None:
    write_package(package(), tmp_path)
    for path in files_in(tmp_path):
        (tmp_path / path).write_bytes((tmp_path / path).read_bytes().replace(b"\n", b"\r\n"))
    write_package(package(new=""), tmp_path)
    assert (tmp_path / "p/__init__.py").read_bytes() == b"x = 1\n"
