"""How an exception is told of."""

from collections.abc import Callable

import pytest

from cloaca_nb.engine.failure import describe_failure


def another() -> None:
    try:
        {}["a"]
    except KeyError as error:
        raise ValueError("no a") from error


def the_same() -> None:
    try:
        {}["a"]
    except KeyError as error:
        raise KeyError("a") from error


def forgotten() -> None:
    try:
        {}["a"]
    except KeyError:
        raise ValueError("no a") from None


CAUSES = {
    another: "ValueError: no a\ncaused by KeyError: 'a'\n",
    the_same: "KeyError: 'a'\n",  # as pandas does for a column that there isn't
    forgotten: "ValueError: no a\n",
}


@pytest.mark.parametrize("body", CAUSES)
def test_a_cause_is_told_if_it_says_more(body: Callable[[], None]) -> None:
    with pytest.raises((KeyError, ValueError)) as raised:
        body()
    *_, end = describe_failure(raised.value).traceback.partition(f"{body.__name__}\n")
    assert end.partition("\n")[2] == CAUSES[body]
