"""The words for a choice between branches."""

import pytest

from cloaca_nb.core.conflict import Conflict, conflict_lines

SENTENCES = [
    (Conflict("x", "c", ("a", "b")), "'x' was set differently by a, b; task 'c' has that of b."),
    (Conflict("x", "", ("a", "b", "c")), "'x' was set differently by a, b, c; the final context has that of c."),
    (
        Conflict("x", "", tuple(f"t{n}" for n in range(1_000))),
        "'x' was set differently by t0, t1, t2, …, t999; the final context has that of t999.",
    ),
]


@pytest.mark.parametrize(("conflict", "sentence"), SENTENCES)
def test_a_conflict_names_the_key_the_tasks_and_the_one_that_won(conflict, sentence):
    assert conflict.sentence == sentence


def test_each_conflict_is_said_once_and_of_very_many_the_first():
    many = [Conflict(f"k{n}", "", ("a", "b")) for n in range(1_203)]
    lines = conflict_lines([*many, *many])
    assert lines[:5] == [one.sentence for one in many[:5]]
    assert lines[5:] == ["… and 1,198 more: result.conflicts has them all."]
    assert conflict_lines(()) == []
