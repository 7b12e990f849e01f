"""Conditions of retries: which errors are worth another attempt."""

import pytest

from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.errors import DefinitionError


class GatewayTimeoutError(Exception):
    pass


class UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError


NEVER, TRANSIENT, ALL = RetryCondition.never(), RetryCondition.transient_only(), RetryCondition.all_errors()
BUSY = RetryCondition.error_pattern(["Rate limit", "503"])
HOLDS = [
    (TRANSIENT, ConnectionResetError(), True),
    (TRANSIENT, TimeoutError(), True),
    (TRANSIENT, GatewayTimeoutError(), True),
    (TRANSIENT, RuntimeError("service temporarily Unavailable"), True),
    (TRANSIENT, ValueError("no such column"), False),
    (TRANSIENT, "NetworkError", True),
    (BUSY, RuntimeError("RATE LIMIT exceeded"), True),
    (BUSY, "HTTP 503", True),
    (BUSY, ConnectionError(), False),
    (NEVER, ConnectionError(), False),
    (NEVER, "", False),
    (ALL, ValueError(), True),
    (ALL, UnreadableError(), True),
    (ALL, "", True),
]


@pytest.mark.parametrize(("condition", "error", "wanted"), HOLDS)
def test_errors_are_told_by_type_and_words(condition, error, wanted):
    assert condition.holds(error) is wanted


def test_the_decorators_words_are_short_for_them():
    assert [RetryCondition.of(word) for word in ("never", "transient", "all")] == [NEVER, TRANSIENT, ALL]


WRONG = [
    ("a near miss", lambda: RetryCondition.of("transiant"), "Did you mean 'transient'"),
    (
        "no word",
        lambda: RetryCondition.of(None),
        "retry_condition is None, but must be one of 'never', 'transient', 'all'",
    ),
    ("one text", lambda: RetryCondition.error_pattern("503"), "error_pattern takes a list of texts"),
    ("no text", lambda: RetryCondition.error_pattern([]), "error_pattern takes a list of texts"),
    ("a number", lambda: RetryCondition.error_pattern([503]), "not [503]"),
]


@pytest.mark.parametrize(("what", "make", "text"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong_values_are_answered_with_the_right_ones(what, make, text):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert text in str(caught.value)


@pytest.mark.parametrize("condition", [NEVER, TRANSIENT, ALL, BUSY], ids=str)
def test_it_looks_as_it_is_made(condition):
    assert eval(repr(condition)) == condition  # noqa: S307 - our own text
