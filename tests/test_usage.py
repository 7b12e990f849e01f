"""The page of magics, settings and commands: as the code has them, and none left out."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from typer.main import get_command

import cloaca_nb
from cloaca_nb.cli.app import app
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.run_id import short
from cloaca_nb.core.task import Task
from cloaca_nb.history import present
from cloaca_nb.notebook.magics import CloacaMagics

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = (DOCS / "usage.md").read_text(encoding="utf-8")


def load_writer() -> ModuleType:
    specification = importlib.util.spec_from_file_location("usage", DOCS / "usage.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


WRITER: Final = load_writer()
EXAMPLES: Final = (*WRITER.QUESTIONS.values(), *(f"cloaca.history().sql({one!r})" for one in WRITER.SQL_EXAMPLES))


def test_the_page_is_what_the_code_says() -> None:
    assert WRITER.page() == PAGE, "Magics, settings or commands have changed: run `python docs/usage.py`."


def test_it_has_every_magic_and_every_command() -> None:
    for kind, mark in (("line", "%"), ("cell", "%%")):
        for name in CloacaMagics.magics[kind]:
            assert f"`{mark}{name}`" in PAGE or f"`%{name}`" in PAGE
    for name, command in get_command(app).commands.items():
        assert command.hidden or f"### `cloaca-nb {name}`" in PAGE


@pytest.fixture
def flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A history with two runs of a workflow that the examples know."""
    monkeypatch.setattr(present, "_notebooks", [])
    monkeypatch.setenv("CLOACA_HISTORY", str(tmp_path / "history.duckdb"))
    flights = Workflow("flights", [Task("clean", lambda _: print("3 rows"), ())])
    with cloaca_nb.DefaultRunner() as runner:
        yield [short(runner.execute(flights).run_id) for _ in range(2)]
    cloaca_nb.history().close()


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_examples_of_history_run(example: str, flights: list[str]) -> None:
    for written, run in zip(("739dbdbf", "25558ee9"), flights, strict=True):
        example = example.replace(written, run)
    assert eval(example, {"cloaca": cloaca_nb}) is not None  # noqa: S307 - our own text
