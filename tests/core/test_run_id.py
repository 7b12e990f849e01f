import pytest

from cloaca_nb.core.run_id import SHORT, is_meant, short

RUN = "01a1fd70-8038-764f-8bfc-518d739dbdbf"


def test_runs_of_one_moment_have_different_names() -> None:
    assert short(RUN) == "739dbdbf"
    assert len(short(RUN)) == SHORT


@pytest.mark.parametrize(
    ("text", "expected"),
    [(RUN, True), ("01a1", True), (short(RUN), True), ("518d739dbdbf", True), ("dbf", False), ("8038", False)],
)
def test_a_run_is_meant_by_a_beginning_and_by_an_end_that_is_long_enough(text: str, expected: bool) -> None:  # noqa: FBT001 - data
    assert is_meant(RUN, text) is expected
