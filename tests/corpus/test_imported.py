"""Packages made notebooks again: for each of the corpus an export of that gives the package, byte for byte."""

import pytest

from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.export.export import export

pytestmark = [pytest.mark.xdist_group("corpus"), pytest.mark.timeout(300)]


def test_an_export_of_the_import_is_the_package(exported_case, written) -> None:
    package = exported_case.export()
    (path,) = (written / exported_case.name / "back").glob("*.ipynb")
    assert export(read_notebook(path), package.workflow_name, name=package.name).files == package.files


def test_the_import_does_the_same_live(exported_case, back) -> None:
    found = back[exported_case.name]
    assert "broken" not in found, found["broken"]
    assert found["failed"] == []
    assert found["outcome"] == exported_case.expected("outcome.txt")
