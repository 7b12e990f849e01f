"""The notebook's own tests as a test module of its package, and the run that they look at."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloaca_nb.core.testing import function_of_test
from cloaca_nb.errors import CellError, ExportError
from cloaca_nb.packaging.analysis.definitions import Reader
from cloaca_nb.packaging.analysis.free_names import free_names
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, Import, import_block
from cloaca_nb.packaging.analysis.marked import TestOfCell
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.reach import Need, reach
from cloaca_nb.packaging.analysis.statements import Statement
from cloaca_nb.packaging.export.layout import spaced
from cloaca_nb.packaging.export.project import quoted
from cloaca_nb.packaging.export.provenance import provenance_line

__all__ = ["TestedModule", "test_files"]

TESTS: Final = "tests/test_{name}_notebook.py"
FIXTURES: Final = "tests/conftest.py"
_CONFTEST: Final = '''\
"""What the tests look at: one run of the workflow, with the defaults of its parameters."""

import copy
import importlib

import cloaca_nb as cloaca
import pytest


@pytest.fixture(scope="session")
def final_context():
    importlib.import_module("{name}")
    with cloaca.DefaultRunner(":memory:") as runner:
        result = runner.execute({workflow})
    assert result.status == "Completed", result.error_message
    return result.final_context


@pytest.fixture
def context(final_context):
    """What the run ended with; each test has a copy of its own."""
    return copy.deepcopy(final_context)
'''


@dataclass(frozen=True, slots=True)
class TestedModule:
    """What the tests are about.

    Attributes:
        name: of the package.
        notebook: the name of the notebook's file, without folder and suffix.
        workflow_name: of its workflow.
        import_name: what it imports of ours.
        functions: the names of its tasks' functions.
        statements: what else its module holds.
        outputs: the keys that its tasks set.
        parameters: the names of its parameters.
    """

    name: str
    notebook: str
    workflow_name: str
    import_name: str
    functions: Collection[str]
    statements: Collection[Statement]
    outputs: Collection[str]
    parameters: Collection[str]

    def line(self, cell: Cell) -> str:
        """Return the comment that stands above what comes from a cell."""
        return provenance_line(self.notebook, cell)


def test_files(
    module: TestedModule,
    tests: Sequence[TestOfCell],
    statements: Sequence[Statement],
    in_workflow: Sequence[Statement],
) -> dict[str, str]:
    """Return the text of each file, by path; none if the notebook has no test of the workflow.

    Args:
        module: what they are about.
        tests: in document order.
        statements: all statements of the notebook: what only tests need goes along with them.
        in_workflow: those that define tasks.

    Raises:
        ExportError: if a test needs what can't be carried, or two have one name.
    """
    if not tests:
        return {}
    _refuse_twins(tests)
    texts = {test: _text(test, module) for test in tests}
    found = reach(
        statements,
        [_need(test, text) for test, text in texts.items()],
        in_workflow=in_workflow,
        outputs=module.outputs,
        provided={"cloaca", *module.functions},
    )
    extra = [one for one in found.statements if one not in module.statements]
    used = {name for text in (*texts.values(), *(one.text for one in extra)) for name in _names(text)}
    imports = [one.of(module.import_name) if one.module in OUR_NAMES else one for one in found.imports]
    block = import_block([*(one for one in imports if one.binds in used), *_ours(module, used, extra)], {module.name})
    head = f'"""What the notebook says of the workflow {module.workflow_name}."""' + (f"\n\n{block}" if block else "")
    placed = [f"{module.line(test.cell)}\n{text.rstrip()}" for test, text in texts.items()]
    parts = [head, *([spaced(extra, module.line)] if extra else []), *placed]
    files = {TESTS.format(name=module.name): "\n\n\n".join(parts) + "\n"}
    if any("(context)" in text.partition("\n")[0] for text in texts.values()):
        files[FIXTURES] = _CONFTEST.format(name=module.name, workflow=quoted(module.workflow_name))
    return files


def _refuse_twins(tests: Iterable[TestOfCell]) -> None:
    seen: dict[str, TestOfCell] = {}
    for test in tests:
        if (earlier := seen.setdefault(test.test.id, test)) is not test:
            raise ExportError(
                f"{earlier.cell.at(1)} and {test.cell.at(1)}: both are the test {test.test.id!r}. Rename one."
            )


def _text(test: TestOfCell, module: TestedModule) -> str:
    try:
        return function_of_test(test.test, module.outputs, module.parameters)[0].text
    except CellError as error:
        raise ExportError(f"{test.cell.at(1)}: {error}") from error


def _need(test: TestOfCell, text: str) -> Need:
    names = free_names(text)
    every = names._replace(later=names.later | names.now, now=frozenset())
    return Need(every, Reader(f"the test {test.test.id!r}", test.cell.at(1)))


def _names(text: str) -> frozenset[str]:
    names = free_names(text)
    return names.now | names.later | names.hinted


def _ours(module: TestedModule, used: Collection[str], extra: Iterable[Statement]) -> Iterator[Import]:
    """Yield the imports of what the package's own module holds, and of our library."""
    own = {name for one in module.statements for name in one.names.defined} | set(module.functions)
    other = {name for one in extra for name in one.names.defined}
    yield from (Import(module.name, name) for name in sorted((own - other) & set(used)))
    if "cloaca" in used and "cloaca" not in other:
        yield Import(module.import_name, None, None if module.import_name == "cloaca" else "cloaca")
