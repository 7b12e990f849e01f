"""What mybinder.org builds from, by the rules of repo2docker; it installs from the top of the repository."""

import tomllib
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

TOP: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]


def test_the_package_itself_is_installed_with_extras_that_it_has() -> None:
    lines = (TOP / "binder/requirements.txt").read_text().splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    assert line.startswith(".[")
    assert Requirement(f"here{line[1:]}").extras <= PROJECT["optional-dependencies"].keys()


def test_python_is_pinned_to_one_that_fits() -> None:
    name, _, version = (TOP / "binder/runtime.txt").read_text().strip().partition("-")
    assert name == "python"
    assert version in SpecifierSet(PROJECT["requires-python"])


def test_nothing_else_takes_its_place() -> None:
    names = {path.name for path in (TOP / "binder").iterdir()}
    assert names == {"requirements.txt", "runtime.txt"}  # an environment.yml would be taken instead, with another `.`
    assert not (TOP / ".binder").exists()
