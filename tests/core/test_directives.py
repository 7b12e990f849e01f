"""Directives of plain cells: one word of four, among the comments at the top."""

import pytest

from cloaca_nb.core.directives import DIRECTIVES, directive, without_directive
from cloaca_nb.errors import CellError

FOUND = {
    "none": ("x = 1", None),
    "in the first line": ("#| cloaca: skip\nx = 1", "skip"),
    "below other comments": ("# why\n\n#| echo: false\n#|cloaca:  export  \nx = 1", "export"),
    "below a cell magic": ("%%time\n#| cloaca: setup\nx = 1", "setup"),
    "below code it is a comment": ("x = 1\n#| cloaca: skip", None),
    "said twice": ("#| cloaca: test\n#| cloaca: test", "test"),
    "in a text": ('x = """\n#| cloaca: skip\n"""', None),
    "another word of another tool": ("#| label: cloaca", None),
}
WRONG = {
    "a slip": ("#| cloaca: skpi", "Cell line 1: `#| cloaca: skpi`. Did you mean 'skip'?"),
    "a strange word": ("\n#| cloaca: hide\nx = 1", "Cell line 2.*It may be skip: no package gets"),
    "no word": ("#| cloaca:", "It may be skip"),
    "two": ("#| cloaca: skip\n#| cloaca: test", "Cell line 2: a cell is `skip` or `test`, not both"),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_directive_stands_among_the_comments_at_the_top(case) -> None:
    text, word = FOUND[case]
    assert directive(text) == word


@pytest.mark.parametrize("case", WRONG)
def test_another_word_is_answered_with_the_right_ones(case) -> None:
    text, message = WRONG[case]
    with pytest.raises(CellError, match=message.replace("|", r"\|").replace("?", r"\?")):
        directive(text)


@pytest.mark.parametrize("word", DIRECTIVES)
def test_lines_keep_their_numbers_without_it(word) -> None:
    assert without_directive(f"# a\n#| cloaca: {word}\nx = 1") == "# a\n\nx = 1"
