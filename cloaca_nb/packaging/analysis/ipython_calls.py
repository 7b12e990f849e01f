"""The calls that IPython makes of magics and shell lines, found in the syntax tree, and what they do."""

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.packaging.analysis.install_lines import installed_by, words_of

__all__ = ["IPythonCall", "call_of", "calls_in", "cell_magic_acts"]

# Magics that only show or measure something, or set how the notebook looks: of no effect on what its tasks do.
_SHOW: Final = """
    alias_magic autoawait automagic autoreload code_wrap colors config debug dhist dirs doctest_mode gui hist history
    load_ext lsmagic magic man matplotlib memit mprun notebook page pastebin pdb pdef pdoc pfile pinfo pinfo2 pprint
    precision prun psearch psource pwd pycat quickref recall reload_ext subplots_adjust tb time timeit unload_ext who
    who_ls whos xmode lprun conda_list ls ll lf lk ldir lx cat less more
""".split()  # noqa: SIM905 - a list of words is read as words
_SHOWN_AS_CELLS: Final = {"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "timeit", "prun"}
_ENVIRONMENT: Final = {"env", "set_env"}
_SETS: Final = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.+)")  # behind `%env`
_FOLDER: Final = {"cd", "pushd", "popd"}
_PIP_LOOKS: Final = {"list", "show", "freeze", "check", "--version", "help"}


class IPythonCall(NamedTuple):
    """A magic or a shell line.

    Attributes:
        magic: its name; empty for a shell line.
        line: what stands behind it.
    """

    magic: str
    line: str

    @property
    def is_ours(self) -> bool:
        """Whether it is a magic of cloaca_nb, or loads those."""
        loads = self.magic in {"load_ext", "reload_ext"} and words_of(self.line) == ["cloaca_nb"]
        return loads or self.magic.startswith("cloaca_")

    @property
    def moves(self) -> bool:
        """Whether it changes the working directory, from which every relative path starts."""
        return self.magic in _FOLDER

    @property
    def variable(self) -> tuple[str, str]:
        """The environment variable that it sets, and its value; both empty where it sets none, or only shows some."""
        match = _SETS.fullmatch(self.line) if self.magic in _ENVIRONMENT else None
        return (match[1], match[2].strip()) if match else ("", "")

    @property
    def sets_variable(self) -> bool:
        """Whether it sets an environment variable, and doesn't only show some."""
        return self.variable != ("", "")

    @property
    def acts(self) -> bool:
        """Whether it may do something that a task relies on, and that is no requirement of the package."""
        if self.magic in _ENVIRONMENT:
            return self.sets_variable
        return not (self.is_ours or self.magic in _SHOW or installed_by(self.magic, self.line) or self._looks_only)

    @property
    def _looks_only(self) -> bool:
        command = words_of(self.line) if self.magic else words_of(self.line)[1:]
        is_pip = self.magic == "pip" or words_of(self.line)[:1] in (["pip"], ["pip3"])
        return is_pip and (not command or command[0] in _PIP_LOOKS)


def call_of(node: ast.expr) -> IPythonCall | None:
    """Return which magic or shell line an expression is; None if it is none, or computed.

    >>> call_of(ast.parse("get_ipython().run_line_magic('cd', 'a')", mode="eval").body)
    IPythonCall(magic='cd', line='a')
    """
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython"), args=[]), attr=attribute), args=arguments
        ):
            words = [one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        case _:
            return None
    match attribute, words:
        case (("run_line_magic" | "run_cell_magic"), [name, line, *_]):
            return IPythonCall(name, line.strip())
        case (("system" | "getoutput"), [line]):
            return IPythonCall("", line.strip())
        case "show_usage", _:
            return IPythonCall("quickref", "")
        case _:
            return None


def calls_in(node: ast.stmt) -> Iterator[IPythonCall]:
    """Yield the magics and shell lines that run when a statement does: those in functions that it defines don't."""
    found = (call_of(part) for part in own_scope([node]) if isinstance(part, ast.expr))
    yield from (one for one in found if one is not None)


def cell_magic_acts(name: str) -> bool:
    """Say whether a cell magic that is no Python runs something, and doesn't only show it."""
    return name not in _SHOWN_AS_CELLS
