"""Inferred dependencies written into a decorator."""

import ast

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.declare.decorator import with_dependencies

BODY = "\ndef clean(context): ..."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@task()", '@task(dependencies=["load"])'),
        ("@cloaca.task(id='c')", "@cloaca.task(id='c', dependencies=[\"load\"])"),
        ("@cloaca.task(id='ü', timeout=3)", "@cloaca.task(id='ü', dependencies=[\"load\"], timeout=3)"),
        ("@cloaca.task(timeout=3)", '@cloaca.task(dependencies=["load"], timeout=3)'),
        ("@cloaca.task(**options)", '@cloaca.task(dependencies=["load"], **options)'),
        ("@cloaca.task(\n    id='c',\n)", "@cloaca.task(\n    id='c', dependencies=[\"load\"],\n)"),
        ("@timed()\n@cloaca.task()\n@traced()", '@timed()\n@cloaca.task(dependencies=["load"])\n@traced()'),
        ("@cloaca.task(dependencies=['x'])", "@cloaca.task(dependencies=['x'])"),
    ],
)
def test_written_where_one_would_write_them(source, expected):
    assert with_dependencies(source + BODY, ["load"]) == expected + BODY


def test_nothing_to_write():
    assert with_dependencies(f"@task(){BODY}", []) == f"@task(){BODY}"
    assert with_dependencies("clean = task()(lambda context: context)", ["load"]).startswith("clean")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_id_comes_back(ids):
    tree = ast.parse(with_dependencies(f"@task(id='c'){BODY}", ids)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    assert isinstance(tree.decorator_list[0], ast.Call)
    assert ast.literal_eval(tree.decorator_list[0].keywords[1].value) == ids
