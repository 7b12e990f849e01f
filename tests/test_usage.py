"""The page of magics, settings and commands: as the code has them, and none left out."""

import importlib.util
from pathlib import Path
from typing import Final

from typer.main import get_command

from cloaca_nb.cli.app import app
from cloaca_nb.notebook.magics import CloacaMagics

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = (DOCS / "usage.md").read_text(encoding="utf-8")


def load_writer():
    specification = importlib.util.spec_from_file_location("usage", DOCS / "usage.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says() -> None:
    assert load_writer().page() == PAGE, "Magics, settings or commands have changed: run `python docs/usage.py`."


def test_it_has_every_magic_and_every_command() -> None:
    for kind, mark in (("line", "%"), ("cell", "%%")):
        for name in CloacaMagics.magics[kind]:
            assert f"`{mark}{name}`" in PAGE or f"`%{name}`" in PAGE
    for name, command in get_command(app).commands.items():
        assert command.hidden or f"### `cloaca-nb {name}`" in PAGE
