from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import Secret
from cloaca_nb.history.weight import is_light


class Own:
    """A class of the user's, whose code may take any time."""


LIGHT: dict[str, Any] = {
    "nothing": None,
    "number": 1.5,
    "text": "x" * 1000,
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
    "long text": "x" * 1_000_000,
    "many bytes": [b"x" * 1000] * 100,
    "long list": [0] * 10_000,
    "many small lists": [[0]] * 700,
    "deep": {"a": {"b": [0] * 10_000}},
    "frame": pd.DataFrame({"a": [1]}),
    "array": np.zeros(10_000),
    "objects in an array": np.array([Own()]),
    "object": [Own()],
    "secret object": Secret(Own()),
    "class": Own,
}


@pytest.mark.parametrize("value", LIGHT.values(), ids=LIGHT)
def test_light(value: Any) -> None:
    assert is_light(value)


@pytest.mark.parametrize("value", HEAVY.values(), ids=HEAVY)
def test_what_may_take_time(value: Any) -> None:
    assert not is_light(value)


def test_a_circle_is_no_end_of_looking() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not is_light(circle)
