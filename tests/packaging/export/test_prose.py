"""What stands above a task as the docstring of its function."""

import ast

import pytest

from cloaca_nb.packaging.export.prose import docstring, with_docstring

# markdown -> what the docstring says
SAYS = {
    "## Clean the flights ##": "Clean the flights",
    "one\n\n\n\ntwo  \n![a](attachment:b.png)\n<br/>": "one\n\ntwo",
    'it ends with a "quote"': 'it ends with a "quote"',
    'three """ in a row': 'three """ in a row',
    r"a back\slash \n": r"a back\slash \n",
    "ends with \\": "ends with \\",
    "": None,
    "![only a picture](a.png)": None,
}


@pytest.mark.parametrize("markdown", SAYS)
def test_the_docstring_says_what_the_markdown_does(markdown: str) -> None:
    text = with_docstring("@task()\ndef f(context):\n    # why\n    pass", docstring(markdown))
    assert ast.get_docstring(ast.parse(text).body[0]) == SAYS[markdown]
    assert text.endswith("    # why\n    pass")


@pytest.mark.parametrize("text", ['def f(c):\n    "own"\n    pass', "def f(c): pass", "x = 1"])
def test_leaves_a_function_as_it_is(text: str) -> None:
    assert with_docstring(text, '"""Another."""') == text
