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
