"""What becomes of the corpus: the same package from the saved and the live notebook, which does the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloaca_nb.packaging.export.layout import indented
from cloaca_nb.packaging.export.package import Package

HERE = Path(__file__).parent
# One process executes it for all tests.
pytestmark = [pytest.mark.xdist_group("corpus"), pytest.mark.timeout(300)]


def test_export_is_as_expected(case) -> None:
    found = case.export()
    case.check("error.txt", f"{found}\n" if isinstance(found, str) else None)
    case.check("module.txt", found.files[found.entry] if isinstance(found, Package) else None)


def test_line_ends_make_no_difference(exported_case) -> None:
    found = exported_case.export(lambda text: text.replace("\n", "\r\n"))
    assert found.files == exported_case.export().files


def test_imported_package_does_as_expected(exported_case, imported) -> None:
    found = imported[exported_case.name]
    assert "broken" not in found, found["broken"]
    exported_case.check("outcome.txt", found["outcome"])


def test_packages_are_executed_where_nothing_is_loaded_but_what_they_load() -> None:
    code = "import batch, sys; print(*{name.partition('.')[0] for name in sys.modules} - {*sys.stdlib_module_names})"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert {"batch", "cloaca_nb"} <= {*done.stdout.split()}
    assert not {"IPython", "duckdb", "matplotlib", "nbformat", "numpy", "pandas"} & {*done.stdout.split()}


def test_live_notebook_does_the_same(exported_case, live) -> None:
    found = live[exported_case.name]
    assert "broken" not in found, found["broken"]
    assert found["failed"] == []
    assert found["outcome"] == exported_case.expected("outcome.txt")


def test_live_export_is_the_same_byte_for_byte(exported_case, live, written) -> None:
    assert "error" not in live[exported_case.name]
    folder = written / exported_case.name
    assert files_of(folder / "live") == files_of(folder / "package")


def test_the_live_notebook_refuses_what_the_saved_one_does(case, live) -> None:
    expected = case.expected("error.txt")
    found = live[case.name]
    if expected is not None and not found["failed"]:
        # What only running tells, the live notebook may say in other words.
        assert f"{found['error']}\n" == expected or found["kind"] in {"WorkflowValidationError", "CellError"}


def test_a_task_is_shown_as_it_is_exported(exported_case, live) -> None:
    if exported_case.name == "same_cell_twice":
        return  # they differ in their comments: the later one is shown, the earlier one has the place
    module = exported_case.expected("module.txt")
    package = exported_case.export()
    shown = live[exported_case.name]["shown"]
    for task_id in package.dependencies:
        assert indented(shown[task_id].rstrip("\n")) in module


def test_exported_modules_pass_ruff_with_its_default_rules(written) -> None:
    ruff = pytest.importorskip("ruff")
    command = [
        ruff.find_ruff_bin(),
        "check",
        "--isolated",
        "--no-cache",
        "--output-format=concise",
        "--extend-exclude=*.ipynb",
        ".",
    ]
    done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
