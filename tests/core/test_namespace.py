"""Full names of tasks and workflows."""

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.namespace import TaskNamespace, WorkflowContext
from cloaca_nb.errors import DefinitionError

LOAD = TaskNamespace("public", "embedded", "flights", "load")
parts = st.text("abc_:", min_size=1).filter(lambda text: "::" not in text and text.strip(":") == text)


def test_its_parts():
    assert (LOAD.tenant, LOAD.package, LOAD.workflow, LOAD.task) == ("public", "embedded", "flights", "load")
    assert str(LOAD) == "public::embedded::flights::load"


@given(parts, parts, parts, parts)
def test_reading_undoes_writing(tenant, package, workflow, task):
    namespace = TaskNamespace(tenant, package, workflow, task)
    assert TaskNamespace.from_string(str(namespace)) == namespace


@pytest.mark.parametrize("text", ["", "a", "a::b::c", "a::::c::d", "a::b::c::"])
def test_what_has_not_four_parts_is_none(text):
    with pytest.raises(DefinitionError, match="write tenant::package::workflow::task"):
        TaskNamespace.from_string(text)


OTHERS = [
    # other, LOAD is its child, LOAD is its sibling
    ("its workflow", TaskNamespace("public", "embedded", "flights", ""), True, False),
    ("another workflow", TaskNamespace("public", "embedded", "trains", ""), False, False),
    ("itself", LOAD, False, False),
    ("another task", TaskNamespace("public", "embedded", "flights", "clean"), False, True),
    ("a task elsewhere", TaskNamespace("public", "embedded", "trains", "clean"), False, False),
]


@pytest.mark.parametrize(("what", "other", "child", "sibling"), OTHERS, ids=[case[0] for case in OTHERS])
def test_families(what, other, child, sibling):
    assert LOAD.is_child_of(other) is child
    assert LOAD.is_sibling_of(other) is sibling
    assert not LOAD.parent().is_child_of(other)


def test_a_workflow_context_names_its_tasks():
    context = WorkflowContext("public", "embedded", "flights")
    assert (context.tenant, context.package, context.workflow) == ("public", "embedded", "flights")
    assert context.task_namespace("load") == LOAD
    assert str(context) == "public::embedded::flights"
