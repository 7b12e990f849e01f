"""Errors as a notebook shows them."""

import json

import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.errors import DefinitionError
from cloaca_nb.notebook.failure import hide_our_frames, own_lines


def raised(function, *arguments):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any: it is what is looked at
        function(*arguments)
    return caught.value


def test_an_error_of_ours_ends_at_the_users_line() -> None:
    lines = own_lines(raised(lambda: Context({"a": 1})["b"]))
    assert "test_failure.py" in lines[-3]
    assert lines[-2].strip().startswith("lines = own_lines(")
    assert lines[-1] == "ContextKeyError: No key 'b' in the context. Keys there are: 'a'."


def test_an_error_of_the_users_shows_the_libraries_that_it_came_through() -> None:
    lines = own_lines(raised(json.loads, "{"))
    assert any("json/decoder.py" in line for line in lines)
    assert lines[-1].startswith("JSONDecodeError: ")


def test_a_cause_in_the_users_code_comes_first() -> None:
    def constructor() -> None:
        raise KeyError("cause")

    def define() -> None:
        try:
            constructor()
        except KeyError as error:
            raise DefinitionError("no use") from error

    lines = own_lines(raised(define))
    assert lines.index("KeyError: 'cause'") < lines.index("DefinitionError: no use")


def test_notes_are_kept_and_an_empty_message_leaves_no_colon() -> None:
    error = KeyboardInterrupt()
    error.add_note("The run was cancelled.")
    hide_our_frames(error)
    assert error._render_traceback_() == ["KeyboardInterrupt", "The run was cancelled."]
