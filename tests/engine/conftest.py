"""Engines as a runner makes them, without a history."""

import pytest

from cloaca_nb.core.merge import Sameness
from cloaca_nb.engine.engine import Engine
from cloaca_nb.values import equal, isolate, key


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine_of(events):
    """Makes an engine that runs so many tasks at once."""
    made = []

    def make(limit, **options):
        same = Sameness(equal, key)
        observers = (events.append,)
        given = {"isolate": isolate, "same": same, "frame": list, "observers": observers}
        made.append(Engine(max_concurrent_tasks=limit, **given, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def engine(engine_of):
    return engine_of(4)
