"""Lines of magics."""

from functools import partial

import pytest
from hypothesis import given, strategies as st
from IPython.core.error import UsageError

from cloaca_nb.core.cell.option_values import count, own_name
from cloaca_nb.notebook.arguments import Arguments, split_words

RUN = (
    Arguments("run", "Run.")
    .option("workflow", nargs="?")
    .option("--param", action="append", default=[])
    .option("--lines", type=count)
    .option("--runs", type=partial(count, least=1))
    .option("--engine", choices=["fast", "slow"])
    .option("--output", type=own_name)
    .option("--cached", action="store_true")
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  a   b ", ["a", "b"]),
        ("'a b' c", ["a b", "c"]),
        ("x='a b'", ["x=a b"]),
        ("''", [""]),
        ("x=[1, 2] y", ["x=[1, 2]", "y"]),
        ("x=['a b', \"c\"]", ["x=['a b', \"c\"]"]),
        ('x={"a": (1, 2)} y', ['x={"a": (1, 2)}', "y"]),
        ("x=) y", ["x=)", "y"]),
        ("out(1 y", ["out(1", "y"]),
    ],
)
def test_words(line, words) -> None:
    assert split_words(line) == words


@given(st.lists(st.from_regex(r"[a-z=.,-]+", fullmatch=True)))
def test_plain_words_come_back(words) -> None:
    assert split_words(" ".join(words)) == words


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--parm x=1", "unknown option --parm. Did you mean '--param'?"),
        ("--parm=x", "unknown option --parm. Did you mean '--param'?"),
        ("a b", "'b' is one word too many"),
        ("'a", "there is a ' without its other one"),
        ("--param", "--param needs a value"),
        ("--lines x", "--lines: 'x' is no whole number of 0 or more: give one, like 3"),
        ("--lines -3", "--lines: '-3' is no whole number of 0 or more"),
        ("--runs 0", "--runs: '0' is no whole number of 1 or more"),
        ("--engine fats", "--engine: 'fats' is not one of fast, slow. Did you mean 'fast'?"),
        ("--engine x", "--engine: 'x' is not one of fast, slow (usage"),
        ("--output a-b", "--output: 'a-b' is no Python name: give one, like result"),
        ("--output class", "--output: 'class' is no Python name"),
        ("--cached=x", "--cached is given alone, without 'x'"),
    ],
)
def test_a_wrong_line_is_answered_with_the_usage(line, said) -> None:
    with pytest.raises(UsageError) as caught:
        RUN.read(line)
    assert said in str(caught.value)
    assert "usage: %run" in str(caught.value)
