"""Which parameters a run that goes on with another takes from its workflow: cases as data."""

import pytest

from cloaca_nb.history.given import own_parameters


@pytest.mark.parametrize(
    ("role", "digest", "own"),
    [
        ("parameter", "1", {"a"}),
        ("parameter", "2", {"a"}),
        ("default", "1", set()),
        ("default", "2", {"a"}),
        ("default", "", set()),  # it couldn't be told from another: what was given is kept
    ],
)
def test_a_parameter_is_the_workflows_own_unless_it_was_given_and_not_edited_since(
    role: str, digest: str, own: set[str]
) -> None:
    rows = [{"role": role, "key": "a", "digest": digest}, {"role": "parameter", "key": "gone", "digest": "1"}]
    found = own_parameters(rows, lambda value, before: str(value) == before, {"a": 1})
    assert found == own
