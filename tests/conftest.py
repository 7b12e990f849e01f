"""What all tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest
from hypothesis import settings

from cloaca_nb.declare.registry import REGISTRY, Registry

# A machine under load is slow now and then; how long an example takes is not what a property says.
settings.register_profile("cloaca_nb", deadline=None)
settings.load_profile("cloaca_nb")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry of this process, empty for one test."""
    for name in ("_built", "_constructors", "_loose", "_current"):
        monkeypatch.setattr(REGISTRY, name, {})
    monkeypatch.setattr(REGISTRY, "_ids", WeakKeyDictionary())
    monkeypatch.setattr(REGISTRY, "_declared_here", None)
    return REGISTRY


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[[str], tuple[list[str], list[str]]]:
    """Runs a program in an empty folder, as its reader would; gives the lines of its stdout and stderr."""

    def run(code: str, *arguments: str, **variables: str) -> tuple[list[str], list[str]]:
        folder = tmp_path / "script"
        folder.mkdir()
        script = tmp_path / "first_workflow.py"
        script.write_text(code)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CLOACA", "PYTHON"))}
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, script, *arguments],
            cwd=folder,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), done.stderr.splitlines()

    return run
