"""Policies of retries: how many attempts, for which errors, and how long a task waits between them."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.backoff import BACKOFFS, BackoffStrategy
from cloaca_nb.core.retry import NO_RETRY, RetryPolicy
from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.errors import DefinitionError

DELAYS = [
    ("fixed", [2, 2, 2]),
    ("linear", [2, 4, 6]),
    ("exponential", [2, 4, 7]),
]


@pytest.mark.parametrize(("word", "delays"), DELAYS)
def test_delays_grow_and_are_capped(word, delays):
    policy = RetryPolicy(4, initial_delay=2, max_delay=7, backoff_strategy=BackoffStrategy.of(word))
    assert [policy.calculate_delay(attempt) for attempt in (1, 2, 3)] == delays


def test_jitter_is_a_quarter_either_way():
    policy = RetryPolicy(initial_delay=4)
    assert (policy.calculate_delay(1, -1), policy.calculate_delay(1), policy.calculate_delay(1, 1)) == (3, 4, 5)
    assert RetryPolicy(initial_delay=4, with_jitter=False).calculate_delay(1, 1) == 4


seconds = st.floats(0, 1e6)


@given(st.sampled_from(list(BACKOFFS.values())), seconds, seconds, st.integers(1, 10_000))
def test_delays_never_shrink_nor_pass_the_longest(strategy, first, longest, attempt):
    policy = RetryPolicy(initial_delay=first, max_delay=longest, backoff_strategy=strategy, with_jitter=False)
    delays = [policy.calculate_delay(number) for number in range(attempt, attempt + 3)]
    assert all(earlier <= later for earlier, later in pairwise(delays))
    assert all(0 <= delay <= longest for delay in delays)


def test_attempts_are_counted_in_all():
    policy = RetryPolicy(max_attempts=3)
    assert [policy.should_retry(attempt, ValueError()) for attempt in (1, 2, 3)] == [True, True, False]
    assert not NO_RETRY.should_retry(1, ValueError())
    assert not RetryPolicy(retry_condition=RetryCondition.never()).should_retry(1, ValueError())


def test_the_default_and_the_builder_are_other_ways_to_say_the_same():
    assert RetryPolicy.default() == RetryPolicy() == RetryPolicy.builder().build()
    built = (
        RetryPolicy.builder()
        .max_attempts(5)
        .initial_delay(0.5)
        .max_delay(8.0)
        .backoff_strategy(BackoffStrategy.linear(1.5))
        .retry_condition(RetryCondition.transient_only())
        .with_jitter(False)  # noqa: FBT003 - the reference API's
        .build()
    )
    assert built == RetryPolicy(
        5, 0.5, 8.0, BackoffStrategy.linear(1.5), RetryCondition.transient_only(), with_jitter=False
    )


def test_a_builder_stays_as_it_is():
    builder = RetryPolicy.builder()
    builder.max_attempts(9)
    assert builder.build().max_attempts == 3


WRONG = [
    ({"max_attempts": 0}, "max_attempts is 0, but must be a whole number from 1"),
    ({"max_attempts": 2.5}, "max_attempts is 2.5"),
    ({"max_attempts": True}, "max_attempts is True"),
    ({"initial_delay": -1}, "initial_delay is -1, but must be a number of seconds from 0"),
    ({"max_delay": math.inf}, "max_delay is inf"),
    (
        {"backoff_strategy": "fixed"},
        "backoff_strategy is 'fixed', but must be a BackoffStrategy, like BackoffStrategy.fixed()",
    ),
    ({"retry_condition": "all"}, "must be a RetryCondition, like RetryCondition.transient_only()"),
    ({"with_jitter": 1}, "with_jitter is 1, but must be a bool"),
]


@pytest.mark.parametrize(("fields", "text"), WRONG, ids=[str(case[0]) for case in WRONG])
def test_wrong_values_are_answered_with_the_right_ones(fields, text):
    with pytest.raises(DefinitionError) as caught:
        RetryPolicy(**fields)
    assert text in str(caught.value)
