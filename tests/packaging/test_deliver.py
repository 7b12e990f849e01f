"""What is refused before anything is written."""

from pathlib import Path

import pytest

from cloaca_nb.errors import ConfigurationError
from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.deliver import Wishes, deliver

REFUSED = {
    "vendor without archive": (Wishes(vendor=["rich"]), "--vendor needs --archive"),
    "golden for the other engine": (Wishes(import_name="cloaca", more=lambda _: {}), "Golden tests run on cloaca_nb, "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, tmp_path: Path) -> None:
    wishes, reason = REFUSED[case]
    with pytest.raises(ConfigurationError, match=reason):
        deliver(notebook_from_texts("sample", ["%%cloaca_task one\nx = 1"]), None, tmp_path / "out", wishes)
    assert not (tmp_path / "out").exists()


# name of the notebook, its cells, and the folder: what the package is called
CALLED = {
    "after the workflow": ("delays", [], "out", "delays"),
    "after the folder": ("Untitled", [], "delays-2013", "delays_2013"),
    "after the folder, the third": ("Untitled2", [], "delays", "delays"),
    "a folder that is no name": ("Untitled", [], "2013", "Untitled"),
    "a named workflow": ("Untitled", ["%cloaca_workflow tides"], "out", "tides"),
}


@pytest.mark.parametrize("case", CALLED)
def test_a_package_is_called_after_its_workflow_or_else_its_folder(case: str, tmp_path: Path) -> None:
    notebook, cells, folder, called = CALLED[case]
    texts = [*cells, "%%cloaca_task one\nx = 1"]
    made = deliver(notebook_from_texts(notebook, texts), None, tmp_path / folder, Wishes())
    assert made.package.name == called
    assert (tmp_path / folder / called / "__init__.py").exists()
    assert ("%cloaca_workflow NAME" in made.next_step) == made.package.workflow_name.startswith("Untitled")
