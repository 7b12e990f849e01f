"""What imports stand on: the standard library, distributions, and modules beside the notebook."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.carried_modules import foundation, imported_modules
from cloaca_nb.packaging.analysis.distributions import Installed, requirement_of_hint

PROVIDES = {"yaml": ["PyYAML"], "numpy": ["numpy"], "google": ["google-auth", "google-cloud-storage"]}
VERSIONS = {"PyYAML": "6.0", "numpy": "2.4.6+local", "google-auth": "2.1", "google-cloud-storage": "3.0"}
FILES = {"google-auth": ["google/auth/__init__.py"], "google-cloud-storage": ["google/cloud/storage/__init__.py"]}


def version(name: str) -> str:
    if name not in VERSIONS:
        raise importlib.metadata.PackageNotFoundError(name)
    return VERSIONS[name]


def files(name: str) -> Sequence[str]:
    return FILES[name]


INSTALLED = Installed(lambda: PROVIDES, version, files)

CASES = {
    "standard library": ("import os.path, json", []),
    "another name": ("import yaml", ["PyYAML>=6.0"]),
    "local version": ("from numpy import pi", ["numpy>=2.4.6"]),
    "inside a function": ("def f():\n    import yaml", ["PyYAML>=6.0"]),
    "namespace": ("from google.cloud import storage", ["google-cloud-storage>=3.0"]),
    "namespace by plain import": ("import google.auth", ["google-auth>=2.1"]),
    "guarded": ("try:\n    import nowhere\nexcept ImportError:\n    import yaml", ["PyYAML>=6.0"]),
    "asked for": ("importlib.util.find_spec('yaml')", ["PyYAML>=6.0"]),
    "this library, not installed": ("import cloaca_nb", ["cloaca-nb"]),
}


@pytest.mark.parametrize("name", CASES)
def test_requirements(name: str) -> None:
    code, expected = CASES[name]
    assert list(foundation(imported_modules(code, "here"), None, INSTALLED).requirements) == expected


@pytest.mark.parametrize(
    ("code", "message"), [("import nowhere", "nothing provides the module 'nowhere'"), ("from . import x", "relative")]
)
def test_refuses_what_nothing_provides(code: str, message: str) -> None:
    with pytest.raises(ExportError, match=f"cell 3, line 1: .*{message}"):
        foundation(imported_modules(code, "cell 3, line 1"), None, INSTALLED)


def test_carries_modules_beside_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import two.part, yaml\n")
    (tmp_path / "two").mkdir()
    (tmp_path / "two/__init__.py").write_text("")
    (tmp_path / "two/part.py").write_text("import one\n")
    (tmp_path / "unused.py").write_text("")
    ground = foundation(imported_modules("from one import x", "here"), tmp_path, INSTALLED)
    assert list(ground.files) == ["one.py", "two/__init__.py", "two/part.py"]
    assert ground.requirements == ("PyYAML>=6.0",)
    assert ground.local_names == {"one", "two"}


def test_carries_what_lies_in_a_package_beside_the_notebook(tmp_path: Path) -> None:
    kept = ["two/part.py", "two/data/table.csv", "two/data/deep/logo.png", "two/fast.so", "two/py.typed"]
    behind = ["two/.hidden.csv", "two/.ipynb_checkpoints/part.py", "two/__pycache__/part.pyc", "beside.csv"]
    for path in ["two/__init__.py", *kept, *behind]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"" if path.endswith(".py") else b"\xff\r\n")
    ground = foundation(imported_modules("import two.part", "here"), tmp_path, INSTALLED)
    assert [*ground.files, *ground.data] == [
        *("two/__init__.py", "two/part.py"),
        *("two/data/deep/logo.png", "two/data/table.csv", "two/fast.so", "two/py.typed"),
    ]
    assert set(ground.data.values()) == {b"\xff\r\n"}
    assert ground.local_names == {"two"}


def test_a_package_that_holds_much_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two/__init__.py").touch()
    with (tmp_path / "two/big.bin").open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(ExportError, match=r"cell 1: the package 'two' .* 60 MB .* two/big\.bin above all, .* 50 MB"):
        foundation(imported_modules("import two", "cell 1"), tmp_path, INSTALLED)


HINTS = {
    "numpy": "numpy>=2.4.6",
    "PyYAML[c]": "PyYAML[c]>=6.0",
    "numpy<3": "numpy<3",
    "nowhere": "nowhere",
    "./local": None,
    "git+https://x.org/y": None,
}


@pytest.mark.parametrize("hint", HINTS)
def test_hints_of_pip_install(hint: str) -> None:
    assert requirement_of_hint(hint, INSTALLED) == HINTS[hint]


def test_a_module_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_bytes("# coding: latin-1\nNAME = 'é'\n".encode("latin-1"))
    with pytest.raises(ExportError, match=r"helper\.py is not in UTF-8"):
        foundation(imported_modules("import helper", "cell 1"), tmp_path, INSTALLED)
