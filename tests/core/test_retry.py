"""Delays and conditions of retries."""

import pytest

from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.errors import DefinitionError

DELAYS = [
    ("fixed", [2, 2, 2]),
    ("linear", [2, 4, 6]),
    ("exponential", [2, 4, 7]),
]


@pytest.mark.parametrize(("backoff", "delays"), DELAYS)
def test_delays_grow_and_are_capped(backoff, delays):
    policy = RetryPolicy(attempts=3, backoff=backoff, delay_s=2, max_delay_s=7)
    assert [policy.delay(retry) for retry in (1, 2, 3)] == delays


def test_jitter_is_a_quarter_either_way():
    policy = RetryPolicy(attempts=1, delay_s=4)
    assert (policy.delay(1, -1), policy.delay(1, 1)) == (3, 5)
    assert RetryPolicy(attempts=1, delay_s=4, jitter=False).delay(1, 1) == 4


class GatewayTimeoutError(Exception):
    pass


WORTH_IT = [
    (ConnectionResetError(), True),
    (TimeoutError(), True),
    (GatewayTimeoutError(), True),
    (RuntimeError("service temporarily Unavailable"), True),
    (ValueError("no such column"), False),
]


@pytest.mark.parametrize(("error", "wanted"), WORTH_IT, ids=[repr(case[0]) for case in WORTH_IT])
def test_transient_errors_are_told_by_type_and_words(error, wanted):
    assert RetryPolicy(attempts=1, condition="transient").wants(error, 1) is wanted
    assert RetryPolicy(attempts=1).wants(error, 1)
    assert not RetryPolicy(attempts=1).wants(error, 2)
    assert not RetryPolicy(attempts=1, condition="never").wants(error, 1)


WRONG = [
    ({"backoff": "expo"}, "retry_backoff is 'expo', but must be one of 'fixed', 'linear', 'exponential'"),
    ({"condition": "transiant"}, "Did you mean 'transient'"),
    ({"attempts": -1}, "retry_attempts is -1"),
]


@pytest.mark.parametrize(("options", "text"), WRONG)
def test_wrong_words_are_answered_with_the_right_ones(options, text):
    with pytest.raises(DefinitionError, match=text):
        RetryPolicy(**options)
