"""The context as users handle it."""

import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.core.scope import Scope
from cloaca_nb.errors import ContextKeyError, DuplicateKeyError


def test_it_is_a_mapping_in_insertion_order():
    context = Context({"b": 1, "a": 2})
    context.set("c", 3)
    assert dict(context) == {"b": 1, "a": 2, "c": 3}
    assert list(context) == ["b", "a", "c"]
    assert len(context) == 3
    assert "b" in context
    assert "x" not in context
    assert context == {"b": 1, "a": 2, "c": 3}
    assert not Context()


def test_get_gives_the_default_only_for_an_absent_key():
    context = Context({"none": None})
    assert context.get("none", 1) is None
    assert context.get("absent", 1) == 1


def test_an_absent_key_is_named_with_its_near_miss():
    with pytest.raises(KeyError) as caught:
        Context({"flights": 1})["flihgts"]
    assert isinstance(caught.value, ContextKeyError)
    text = "No key 'flihgts' in the context. Did you mean 'flights'? Keys there are: 'flights'."
    assert str(caught.value) == text


WRONG = [
    ("insert what is there", lambda c: c.insert("a", 1), DuplicateKeyError, "in the context already"),
    ("update what isn't", lambda c: c.update("x", 1), ContextKeyError, "No key 'x'"),
    ("del what isn't", lambda c: c.__delitem__("x"), ContextKeyError, "No key 'x'"),
    ("a key that is no text", lambda c: c.set(1, 1), TypeError, "A context key is a str, not int"),
    ("from a list", lambda _: Context([1]), TypeError, "Context takes a dict"),
    ("from broken JSON", lambda _: Context.from_json("{"), ValueError, "Expecting"),
    ("from a JSON list", lambda _: Context.from_json("[]"), ValueError, "JSON object"),
    ("update_from_dict of a list", lambda c: c.update_from_dict([1]), TypeError, "takes a dict"),
    ("to JSON what has no such form", lambda c: (c.set("s", {1}), c.to_json()), TypeError, "'s' has no JSON form"),
]


@pytest.mark.parametrize(("what", "do", "error", "text"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong_use_is_answered_clearly(what, do, error, text):
    with pytest.raises(error, match=text):
        do(Context({"a": 1}))


def test_delete_is_silent_and_remove_gives_the_value():
    context = Context({"a": 1})
    context.delete("absent")
    assert context.remove("absent") is None
    assert context.remove("a") == 1
    assert dict(context) == {}


def test_json_there_and_back():
    assert Context.from_json(Context({"a": [1, None]}).to_json()) == {"a": [1, None]}


def test_what_a_task_changes_stays_its_own():
    scope = Scope("t", (Scope(changes={"rows": [1], "gone": 1}),))
    mine, theirs = (Context.of(scope, list_copy) for _ in range(2))
    mine["rows"].append(2)
    del mine["gone"]
    assert mine["rows"] == [1, 2]
    assert theirs["rows"] == [1]
    assert "gone" in theirs
    assert list(mine.changes) == ["gone"]
    assert list(mine) == ["rows"]


def list_copy(value):
    return list(value) if isinstance(value, list) else value


def test_a_fresh_context_remembers_nothing_of_others():
    Context().get("never")
    assert not Context()


def test_the_html_view_is_escaped():
    assert "<b>" not in Context({"<b>": "<b>"})._repr_html_()
