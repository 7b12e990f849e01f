"""The digest of a piece of code: of its syntax tree, so that comments, layout and docstrings don't count.

Source may be missing, or be newer than what was executed. A text is believed only if it compiles to the very code that
is asked about; otherwise the code object's own content is digested. Of a task cell the text is that of the function
that it stands for, so that an exported task is the same code as its cell.
"""

import ast
import linecache
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from types import CodeType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from cloaca_nb.core.code.bindings import SCOPES

__all__ = ["CodeText", "CodeTexts", "Decorator", "content", "digest_text", "nested_codes", "tell_text", "tree_digest"]

_BYTES: Final = 16
_told: Final[WeakKeyDictionary[CodeType, str]] = WeakKeyDictionary()  # by code that was made of a text in no file


class Decorator(NamedTuple):
    """A decorator as it is written.

    Attributes:
        chain: the names of ``cloaca.task``, without arguments.
        digest: of all of it.
        arguments: the names in its arguments, with the attributes asked of them.
    """

    chain: tuple[str, ...]
    digest: str
    arguments: tuple[tuple[str, ...], ...] = ()


class CodeText(NamedTuple):
    """What identifies a function's code: all but its decorators, and these one by one."""

    digest: str
    decorators: tuple[Decorator, ...] = ()


def digest_text(*texts: str) -> str:
    """Return the digest of texts, as 32 hexadecimal digits."""
    written = [text.encode(errors="surrogatepass") for text in texts]
    return blake2b(b"".join(b"%d:%b" % (len(one), one) for one in written), digest_size=_BYTES).hexdigest()


def tree_digest(nodes: Iterable[ast.AST]) -> str:
    """Return the digest of a body without its positions, comments and docstrings."""
    written: list[str] = []
    _write(_without_docstring(list(nodes)), written)
    return digest_text("".join(written))


def tell_text(code: CodeType, text: str) -> None:
    """Tell of which text a function's code was made, where no file has it as it is."""
    _told[code] = text


class CodeTexts:
    """The sources of functions; made for one run, which looks at each file once."""

    def __init__(self) -> None:
        self._files: dict[str, _Functions] = {}

    def of(self, code: CodeType) -> CodeText:
        """Return what identifies the code of a function."""
        if (text := _told.get(code)) is not None:
            return _text_alone(text)
        for one in self._at(code):
            if one.content == content(code):
                return one.text
        return CodeText(digest_text("code", content(code)))

    def _at(self, code: CodeType) -> list["_Function"]:
        if code.co_filename not in self._files:
            linecache.checkcache(code.co_filename)
            self._files[code.co_filename] = _functions("".join(linecache.getlines(code.co_filename)))
        found = self._files[code.co_filename].get((code.co_name, code.co_firstlineno), [])
        return found if len({one.text.digest for one in found}) == 1 else []  # lambdas of one line


@lru_cache(4096)
def content(code: CodeType) -> str:
    """Return the digest of what a code object does: its instructions, names and constants; no file and no lines."""
    arguments = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x2AC)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    constants = [_constant(one) for one in code.co_consts]
    return digest_text(code.co_code.hex(), code.co_exceptiontable.hex(), repr(arguments), repr(names), *constants)


def _constant(value: object) -> str:
    if isinstance(value, CodeType):
        return f"code {content(value)}"
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(_constant, value))}"
    if isinstance(value, tuple):
        return f"tuple {[_constant(one) for one in value]}"
    return f"{type(value).__name__} {value!r}"


# -- texts


class _Function(NamedTuple):
    content: str
    text: CodeText


_Functions = dict[tuple[str, int], list[_Function]]


@lru_cache(2048)
def _functions(text: str) -> _Functions:
    """Return the functions of a text by name and first line; none for a text that is no Python, as of a magic cell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they were told when the text was executed
            tree = ast.parse(text)
            compiled = compile(text, "<text>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}
    codes: dict[tuple[str, int], list[CodeType]] = {}
    for code in nested_codes(compiled):
        codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    found: dict[tuple[str, int], list[_Function]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            place = _place(node)
            for code in codes.get(place, ()):
                found.setdefault(place, []).append(_Function(content(code), _text_of(node)))
    return found


@lru_cache(2048)
def _text_alone(text: str) -> CodeText:
    """Return what identifies the one function of a text."""
    (node,) = ast.parse(text).body
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise TypeError(f"It should be a function, not {type(node).__name__}.")
    return _text_of(node)


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects inside one, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from nested_codes(constant)


def _place(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])


def _text_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> CodeText:
    if isinstance(node, ast.Lambda):
        return CodeText(_digest("lambda", node.args, node.body))
    kind = type(node).__name__
    parts = (node.args, node.returns, getattr(node, "type_params", []), _without_docstring(node.body))
    decorators = tuple(
        Decorator(_chain(one), _digest("decorator", one), _arguments(one)) for one in node.decorator_list
    )
    return CodeText(_digest(kind, *parts), decorators)


def _chain(node: ast.expr) -> tuple[str, ...]:
    match node:
        case ast.Call():
            return _chain(node.func)
        case ast.Attribute():
            inner = _chain(node.value)
            return (*inner, node.attr) if inner else ()
        case ast.Name():
            return (node.id,)
        case _:
            return ()


def _arguments(node: ast.expr) -> tuple[tuple[str, ...], ...]:
    if not isinstance(node, ast.Call):
        return ()
    inside = [one for given in (*node.args, *node.keywords) for one in ast.walk(given)]
    owners = {id(one.value) for one in inside if isinstance(one, ast.Attribute)}  # only the longest chains count
    chains = [_chain(one) for one in inside if isinstance(one, ast.Name | ast.Attribute) and id(one) not in owners]
    return tuple(sorted({chain for chain in chains if chain}))


def _digest(kind: str, *parts: Any) -> str:
    written = [kind]
    for part in parts:
        _write(part, written)
    return digest_text("".join(written))


def _write(value: Any, written: list[str]) -> None:
    """Write a tree without positions; every node stands in brackets, so no two trees are written alike."""
    if isinstance(value, ast.AST):
        written.append(f"({type(value).__name__} ")
        docstring = isinstance(value, (*SCOPES, ast.Module))
        for name in value._fields:
            part = getattr(value, name, None)
            _write(_without_docstring(part) if docstring and name == "body" else part, written)
        written.append(")")
    elif isinstance(value, list):
        written.append("[")
        for one in value:
            _write(one, written)
        written.append("]")
    else:
        written.append(_constant(value))
        written.append(",")


def _without_docstring(body: Any) -> Any:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest or [ast.Pass()]
        case _:
            return body
