"""The package of the demo notebook passes a linter and a type checker with their defaults."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import ruff

from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package

TREE: Final = Path(__file__).resolve().parents[1]
DEMO: Final = TREE / "notebooks" / "01_flight_delays.ipynb"
CACHE: Final = TREE / ".mypy_cache" / "demo"  # where the type checker keeps its own: the libraries are read once
PROGRAMS: Final = {
    "ruff check": [ruff.find_ruff_bin(), "check", "--isolated", "--no-cache", "."],
    "mypy": [sys.executable, "-m", "mypy", "--cache-dir", str(CACHE), "."],
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(export(read_notebook(DEMO)), tmp_path_factory.mktemp("demo") / "flight_delays")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.timeout(300)
def test_it_passes(program: str, package: Path) -> None:
    done = subprocess.run(PROGRAMS[program], cwd=package, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_type_checker_would_say_what_is_wrong(package: Path) -> None:
    entry = package / "flight_delays" / "__init__.py"
    text = entry.read_text()
    entry.write_text(f"{text}\nWRONG: int = 'text'\n")
    with pytest.raises(AssertionError, match="Incompatible types in assignment"):
        test_it_passes("mypy", package)
    entry.write_text(text)
