"""Run the demo notebook, run the package that it exports, and say whether both come to the same values."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History

if TYPE_CHECKING:
    import pandas as pd
    from rich.status import Status

ROOT: Final = Path(__file__).resolve().parent.parent
NOTEBOOK: Final = ROOT / "notebooks" / "01_flight_delays.ipynb"
EXECUTED: Final = ROOT / "build" / "01_flight_delays.executed.ipynb"
PACKAGE: Final = ROOT / "build" / "flight_delays"
LABEL_WIDTH: Final = 14  # characters
TIMELINE_WIDTH: Final = 44
CELL_TIMEOUT_S: Final = 600


class DemoError(Exception):
    """Something that should have worked did not; the text says what, and where to look."""


@dataclass(frozen=True)
class Executed:
    """One way in which the workflow was executed.

    Attributes:
        run: its row in the history, by column.
        tasks: its tasks, in registration order.
        context: its final context: type and digest by key.
        seconds: of the whole process, from its start to its end.
    """

    run: dict[str, Any]
    tasks: "pd.DataFrame"
    context: dict[str, tuple[str, str]]
    seconds: float


def main() -> int:
    """Do it all, print the account, and return the exit code."""
    console = Console(highlight=False)
    os.environ.setdefault("CLOACA_HISTORY", str(ROOT / ".cloaca" / "history.duckdb"))
    shutil.rmtree(PACKAGE, ignore_errors=True)  # what runs is what this run exports
    try:
        with console.status("") as status, History.open() as history:
            cells, notebook = execute_notebook(history, status)
            package = execute_package(history, status)
            place = history.location
        differences = list(compare(notebook, package))
    except DemoError as error:
        console.print(Text.assemble(("✗ ", "bold red"), str(error)), soft_wrap=True)
        return 1
    console.print(account(cells, notebook, package, differences, str(place.path)))
    return 1 if differences else 0


def execute_notebook(history: History, status: "Status") -> tuple[int, Executed]:
    """Execute the notebook as nbclient does, and keep the executed copy, also of one that failed."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    known = run_ids(history)

    def show_progress(cell: nbformat.NotebookNode, cell_index: int) -> None:
        done = sum(one.cell_type == "code" for one in notebook.cells[: cell_index + 1])
        first_line = cell.source.partition("\n")[0]
        status.update(f"Running {here(NOTEBOOK)}: cell {done} of {total}  [dim]{escape(first_line)}[/]")

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        store_widget_state=False,  # the picture that stays needs none
        extra_arguments=["--log-level=ERROR"],  # a kernel of our own on the loopback needs no advice on encryption
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        on_cell_start=show_progress,
    )
    began = time.monotonic()
    try:
        client.execute()
    except CellExecutionError as error:
        raise DemoError(f"{here(NOTEBOOK)} failed; {here(EXECUTED)} shows where.\n\n{error}") from None
    finally:
        EXECUTED.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, EXECUTED)
    return total, read_back(history, known, "the notebook", time.monotonic() - began)


def execute_package(history: History, status: "Status") -> Executed:
    """Execute the package that the notebook's last cell has written, in a process of its own."""
    status.update(f"Running the package: python -m {PACKAGE.name}")
    known = run_ids(history)
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own interpreter and package
        [sys.executable, "-m", PACKAGE.name],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"The package in {here(PACKAGE)} failed:\n\n{done.stdout}{done.stderr}")
    return read_back(history, known, "the package", time.monotonic() - began)


def run_ids(history: History) -> set[str]:
    """Return the ids of the runs that the history holds."""
    return set(history.runs()["run_id"])


def read_back(history: History, known: set[str], what: str, seconds: float) -> Executed:
    """Return the one run that the history holds beyond the known ones."""
    runs = history.runs()
    new = runs[~runs["run_id"].isin(known)]
    if len(new) != 1:
        raise DemoError(f"{what} should have left one run in {history.location}, but left {len(new)}.")
    run = {str(column): value for column, value in new.iloc[0].items()}
    try:
        tasks, context = history.tasks(run["run_id"]), history.context(run["run_id"])
    except HistoryError as error:
        raise DemoError(f"The run of {what} can't be read: {error}") from None
    kinds = zip(context["type"].tolist(), context["digest"].tolist(), strict=True)
    return Executed(run, tasks, dict(zip(context["key"].tolist(), kinds, strict=True)), seconds)


def compare(notebook: Executed, package: Executed) -> Iterator[str]:
    """Yield what is not the same in both runs, or not as it should be."""
    for what, executed in (("notebook", notebook), ("package", package)):
        if executed.run["status"] != "Completed":
            yield f"the run of the {what} is {executed.run['status']}: {executed.run['error']}"
    if not notebook.context:
        yield "the final context is empty"
    for key in dict.fromkeys([*notebook.context, *package.context]):
        left, right = notebook.context.get(key), package.context.get(key)
        if left is None or right is None:
            yield f"{key!r} is only in the final context of the {'notebook' if left else 'package'}"
        elif left[0] != right[0]:
            yield f"{key!r} is a {left[0]} in the notebook and a {right[0]} in the package"
        elif not left[1] or left != right:
            yield f"{key!r} is another {left[0]} in the notebook than in the package"


def account(cells: int, notebook: Executed, package: Executed, differences: list[str], history: str) -> Group:
    """Say what ran, how long it took, where everything lies, and whether both runs agree."""
    return Group(
        "",
        Text.assemble(("  Flight delays", "bold"), ("  from a notebook to a package", "dim")),
        "",
        Padding(timeline(notebook.tasks), (0, 0, 0, 2)),
        "",
        Padding(figures(cells, notebook, package), (0, 0, 0, 2)),
        "",
        Padding(places(history), (0, 0, 0, 2)),
        "",
        *verdict(len(notebook.context), differences),
        "",
    )


def timeline(tasks: "pd.DataFrame") -> Table:
    """Draw when each task of the run was at work."""
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=LABEL_WIDTH, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    begin = tasks["started"].min()
    scale = TIMELINE_WIDTH / max((tasks["ended"].max() - begin).total_seconds(), 1e-9)
    for task in tasks[tasks["attempts"] > 0].to_dict("records"):
        before = min(round((task["started"] - begin).total_seconds() * scale), TIMELINE_WIDTH - 1)
        busy = min(max(round(task["duration"] * scale), 1), TIMELINE_WIDTH - before)
        table.add_row(task["task_id"], bar(before, busy), f"{task['duration']:.2f} s")
    return table


def bar(before: int, busy: int) -> Text:
    """Draw one line of the timeline; widths in characters."""
    rest = TIMELINE_WIDTH - before - busy
    return Text.assemble(("·" * before, "bright_black"), ("━" * busy, "cyan"), ("·" * rest, "bright_black"))


def figures(cells: int, notebook: Executed, package: Executed) -> Table:
    """Say what ran and how long it took."""
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=LABEL_WIDTH, style="dim")
    table.add_column(min_width=TIMELINE_WIDTH)
    table.add_column(justify="right")
    busy = notebook.tasks["duration"].sum()
    table.add_row("notebook", f"{cells} cells, the kernel's start included", seconds(notebook.seconds))
    table.add_row("its run", f"{tasks_done(notebook)}, {seconds(busy)} in tasks", seconds(notebook.run["duration"]))
    table.add_row("package", f"python -m {PACKAGE.name}, a fresh process", seconds(package.seconds))
    table.add_row("its run", tasks_done(package), seconds(package.run["duration"]))
    return table


def tasks_done(executed: Executed) -> str:
    """Say how many tasks a run had and how they ended."""
    return f"{len(executed.tasks)} tasks {str(executed.run['status']).lower()}"


def seconds(duration: float) -> str:
    """Write a duration."""
    return f"{duration:.1f} s"


def places(history: str) -> Table:
    """Say where everything lies."""
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=LABEL_WIDTH, style="dim")
    table.add_column(overflow="fold")
    table.add_row("executed copy", here(EXECUTED))
    table.add_row("package", here(PACKAGE))
    table.add_row("history", here(Path(history)))
    return table


def here(path: Path) -> str:
    """Return a path as one types it at the repository's root."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def verdict(count: int, differences: list[str]) -> list[Text]:
    """Say whether both runs agree, and where they don't."""
    if not differences:
        same = f"{count} values, equal by type and digest"
        return [Text.assemble(("  ✓ ", "bold green"), ("Same final context: yes", "bold"), (f"  {same}", "dim"))]
    first = Text.assemble(("  ✗ ", "bold red"), ("Same final context: no", "bold"))
    return [first, *(Text(f"    {one}") for one in differences)]


if __name__ == "__main__":
    sys.exit(main())
