"""`cloaca-nb inspect`: what an archive holds, and whether it would be loaded; nothing of it is run."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from cloaca_nb.cli.options import AsJson, check_exists
from cloaca_nb.cli.outcome import FAILED, readable_errors
from cloaca_nb.cli.table import show_table, stdout, table
from cloaca_nb.core.duration import duration
from cloaca_nb.packaging.archive.inspection import Inspection, inspect_archive
from cloaca_nb.packaging.loading.loader import refusal
from cloaca_nb.packaging.pack import FIXED_DATE

__all__ = ["show_archive"]

UNDATED: Final = "left out, so that equal archives have equal bytes"


def show_archive(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive (.cloacina).")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what an archive says of itself, and check it; nothing of it is run or left on disk.

    Whether its code registers the tasks that it names shows when it is run. Exit code: 1 if a loader would refuse it.
    """
    with readable_errors():
        check_exists(file, "FILE")
        found = inspect_archive(file)
        if as_json:
            typer.echo(json.dumps(_as_json(found), indent=2))
        else:
            _show(found)
        for warning in found.warnings:
            typer.echo(f"Warning: {warning}", err=True)
        if found.problems:
            typer.echo(f"Error: {refusal(file, found.problems)}", err=True)
            raise typer.Exit(FAILED)


def _as_json(found: Inspection) -> dict[str, Any]:
    return {
        "manifest": found.manifest.to_dict(),
        "fingerprint": found.fingerprint,
        "files": found.files,
        "vendored": found.vendored,
        "packed_bytes": found.packed,
        "unpacked_bytes": found.unpacked,
        "problems": found.problems,
        "warnings": found.warnings,
    }


def _show(found: Inspection) -> None:
    console, facts = stdout(), table()
    facts.show_header = False
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for name, value in _facts(found).items():
        facts.add_row(name, _printable(value))
    show_table(console, facts)
    if not found.manifest.tasks:
        return
    console.print()
    tasks = table()
    for title in ("task", "after", "retries", "timeout", "function", ""):
        tasks.add_column(title, justify="right" if title in ("retries", "timeout") else "left")
    for task in found.manifest.tasks:
        limit = "" if task.timeout_seconds is None else duration(task.timeout_seconds)
        said = task.description.strip().partition("\n")[0]
        cells = (task.id, ", ".join(task.dependencies), str(task.retries or 0), limit, task.function, said)
        tasks.add_row(*map(_printable, cells))
    show_table(console, tasks)


def _printable(text: str) -> Text:
    """Return a text from an archive so that a terminal does nothing but show it."""
    return Text("".join(one if one.isprintable() else ascii(one)[1:-1] for one in text))


def _facts(found: Inspection) -> dict[str, str]:
    manifest = found.manifest
    return {
        "package": f"{manifest.name} {manifest.version}",
        "entry module": manifest.entry_module,
        "Python": manifest.requires_python,
        "targets": ", ".join(manifest.targets),
        "created": UNDATED if manifest.created_at == FIXED_DATE else manifest.created_at,
        "fingerprint": manifest.fingerprint,
        "files": f"{len(found.files):,}, {found.unpacked:,} bytes, packed {found.packed:,}",
        "vendor": ", ".join(found.vendored) or "nothing",
        "triggers": ", ".join(str(one.get("name", one)) for one in manifest.triggers) or "none",
    }
