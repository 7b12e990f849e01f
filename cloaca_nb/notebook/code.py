"""Code as a notebook shows it: coloured by inline styles, which stay where a style sheet is taken out."""

from html import escape
from typing import ClassVar, Final

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.style import Style
from pygments.token import Comment, Keyword, Name, Number, Operator, String

__all__ = ["COLOURS", "code_bundle"]

# Tones that are legible on light and dark: a saved notebook is opened in either.
COLOURS: Final = {
    Comment: "#7c828d",
    Keyword: "#9a63d6",
    Keyword.Constant: "#b7760f",
    Operator.Word: "#9a63d6",
    Name.Builtin: "#14899c",
    Name.Function: "#3b7cec",
    Name.Class: "#3b7cec",
    Name.Decorator: "#3b7cec",
    String: "#2c9355",
    Number: "#b7760f",
}

FONT: Final = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
BLOCK: Final = (
    f"{FONT};font-size:13px;line-height:1.5;white-space:pre;overflow-x:auto;margin:0;padding:10px 14px;"
    "border:none;border-left:3px solid rgba(128,136,150,0.4);background-color:rgba(128,136,150,0.08)"
)


class _Calm(Style):  # type: ignore[misc]  # pygments has no annotations
    """Few colours, and no background."""

    styles: ClassVar = dict(COLOURS)


def code_bundle(text: str) -> dict[str, str]:
    """Return Python code as a notebook displays it: as HTML and as plain text.

    Args:
        text: the code; line ends at its end are left out.
    """
    plain = text.rstrip()
    coloured = highlight(plain, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True, noclasses=True, style=_Calm))
    return {"text/html": f'<pre style="{escape(BLOCK)}">{coloured.rstrip()}</pre>', "text/plain": plain}
