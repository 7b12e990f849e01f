"""What all tests share."""

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
