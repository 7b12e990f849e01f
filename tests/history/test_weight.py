from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import Secret
from cloaca_nb.history.artifacts import ArtifactStore
from cloaca_nb.history.weight import is_light
from cloaca_nb.values.digests import describe


class Own:
    """A class of the user's, whose code may take any time."""


def odd() -> Any:
    """Return an object whose class is of a metaclass whose own code fails; no name of a module, as tools ask it."""

    class OddKind(type):
        @property
        def __module__(cls) -> str:  # type: ignore[override]
            raise ValueError("odd")

    class Odd(metaclass=OddKind):
        pass

    return Odd()


LIGHT: dict[str, Any] = {
    "nothing": None,
    "number": 1.5,
    "text": "x" * 4000,
    "text that isn't ASCII": "é" * 1000,
    "bytes": b"x" * 3000,
    "numbers": [1.5] * 200,
    "time": datetime(2026, 1, 1, tzinfo=UTC),
    "decimal": Decimal(1),
    "JSON": {"a": [1, {"b": None}], "c": ("x",) * 10},
    "deleted": DELETED,
    "missing": MISSING,
    "secret": Secret("x"),
    "number of numpy's": np.float64(1),
    "a few numbers": np.arange(10),
}
HEAVY: dict[str, Any] = {
    "text that is a file": "x" * 4100,
    "other text that is a file": "語" * 1400,
    "bytes that are a file": b"x" * 4000,
    "numbers that are a file": [1 / 3] * 250,
    "times that are a file": [datetime(2026, 1, 1, tzinfo=UTC)] * 50,
    "long text": "x" * 1_000_000,
    "many bytes": [b"x" * 1000] * 100,
    "long list": [0] * 10_000,
    "many small lists": [[0]] * 700,
    "deep": {"a": {"b": [0] * 10_000}},
    "frame": pd.DataFrame({"a": [1]}),
    "array": np.zeros(10_000),
    "many small arrays": [np.zeros(100)] * 10,
    "objects in an array": np.array([Own()]),
    "object": [Own()],
    "secret object": Secret(Own()),
    "class": Own,
    "of an odd class": odd(),
}


@pytest.mark.parametrize("value", LIGHT.values(), ids=LIGHT)
def test_light(value: Any) -> None:
    assert is_light(value)


@pytest.mark.parametrize("value", HEAVY.values(), ids=HEAVY)
def test_what_may_take_time(value: Any) -> None:
    assert not is_light(value)


KEPT = {name: value for name, value in LIGHT.items() if name not in ("secret", "deleted", "missing")}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_what_is_light_is_no_file(value: Any, tmp_path: Path) -> None:
    _, digest, size, *_ = describe(value)
    ArtifactStore(tmp_path).keep(value, digest, size)
    assert list(tmp_path.iterdir()) == []


def test_a_circle_is_no_end_of_looking() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not is_light(circle)
