"""Every test here declares in a registry of its own."""

import pytest


@pytest.fixture(autouse=True)
def _own_registry(registry):
    assert registry.names() == []
