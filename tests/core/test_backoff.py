"""Backoff strategies: by how much the first delay is multiplied."""

import math

import pytest

from cloaca_nb.core.backoff import BackoffStrategy
from cloaca_nb.errors import DefinitionError

FACTORS = [
    (BackoffStrategy.fixed(), [1, 1, 1]),
    (BackoffStrategy.linear(1.5), [1.5, 3, 4.5]),
    (BackoffStrategy.exponential(3), [1, 3, 9]),
    (BackoffStrategy.exponential(3, multiplier=2), [2, 6, 18]),
    (BackoffStrategy.of("linear"), [1, 2, 3]),
    (BackoffStrategy.of("exponential"), [1, 2, 4]),
]


@pytest.mark.parametrize(("strategy", "factors"), FACTORS, ids=str)
def test_factors(strategy, factors):
    assert [strategy.factor(retry) for retry in (1, 2, 3)] == factors


def test_what_no_float_can_hold_is_endless():
    assert BackoffStrategy.exponential(10.0).factor(1000) == math.inf


WRONG = [
    (
        "an unknown word",
        lambda: BackoffStrategy.of("expo"),
        "retry_backoff is 'expo', but must be one of 'fixed', 'linear'",
    ),
    ("no word", lambda: BackoffStrategy.of(2), "retry_backoff is 2"),
    ("a near miss", lambda: BackoffStrategy.of("exponental"), "Did you mean 'exponential'?"),
    ("an unknown kind", lambda: BackoffStrategy("square"), "BackoffStrategy.fixed(), .linear(multiplier)"),
    ("a multiplier of 0", lambda: BackoffStrategy.linear(0), "multiplier is 0, but must be a number above 0"),
    ("a base that is no number", lambda: BackoffStrategy.exponential("2"), "base is '2'"),
]


@pytest.mark.parametrize(("what", "make", "text"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong_values_are_answered_with_the_right_ones(what, make, text):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert text in str(caught.value)


@pytest.mark.parametrize("strategy", [case[0] for case in FACTORS], ids=str)
def test_it_looks_as_it_is_made(strategy):
    assert eval(repr(strategy)) == strategy  # noqa: S307 - our own text
