"""An engine as a runner makes it, without a history."""

import pytest

from cloaca_nb.core.merge import Sameness
from cloaca_nb.engine.engine import Engine
from cloaca_nb.values import equal, isolate, key


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine(events):
    made = Engine(
        max_concurrent_tasks=4, isolate=isolate, same=Sameness(equal, key), frame=list, observers=(events.append,)
    )
    yield made
    made.close()
