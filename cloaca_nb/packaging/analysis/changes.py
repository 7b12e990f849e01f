"""Which names' values a piece of code changes in place, by the methods and functions that are known to change them."""

import ast
from collections.abc import Collection, Iterator
from typing import Final

from cloaca_nb.core.code.bindings import own_scope

__all__ = [
    "CHANGES",
    "CHANGES_ARGUMENT",
    "LOOKS",
    "base_name",
    "chain",
    "changed_at_once",
    "changed_by",
    "changed_by_keyword",
    "given_out",
    "is_of_new",
    "is_setting",
    "last_name",
    "root_name",
    "touched_by",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Methods of the standard containers that change them.
CHANGES: Final = _words(
    """
    add append appendleft clear difference_update discard extend extendleft insert intersection_update move_to_end
    pop popitem popleft put remove reverse rotate setdefault sort subtract symmetric_difference_update update
    """
)
# Those of them that give something back, so that their value may be kept.
_TAKES: Final = _words("pop popitem popleft setdefault")
# Methods by which models learn: they change their object too, and may take long.
_LEARNS: Final = _words("fit fit_predict fit_resample fit_transform load_state_dict partial_fit set_params")
# Functions that change their first argument; `at` is that of numpy's functions.
CHANGES_ARGUMENT: Final = _words(
    """
    at copyto delattr fill_diagonal heapify heappop heappush heappushpop heapreplace insort insort_left insort_right
    next place put_along_axis putmask setattr shuffle
    """
)
# Functions of modules that set how the module works from then on; so do those that begin like `_SETS`.
_SETTINGS: Final = _words(
    """
    basicConfig captureWarnings disable disable_max_rows enable extension filterwarnings init_printing ioff ion
    load_dotenv manual_seed pandas rc rc_file seed set setLevel setlocale setrecursionlimit simplefilter use
    """
)
_SETS: Final = ("set_", "register")
# Methods that show or compute something and leave their object as it is.
LOOKS: Final = _words(
    """
    agg aggregate all any boxplot copy corr count describe display dot drop drop_duplicates dropna exists fillna
    format get groupby head hist index info isna items iterdir join keys lower max mean median memory_usage merge
    min notna nunique pivot pivot_table plot query read_text sample savefig show sort_index sort_values split std
    strip sum tail to_csv to_dict to_frame to_html to_json to_markdown to_numpy to_parquet to_string unique upper
    value_counts values var write_text
    """
)
_GIVES_INNER: Final = _words("get items keys values")  # those of them whose value may be a part of their object


def touched_by(call: ast.Call) -> Iterator[str]:
    """Yield the name whose value a call that stands alone may change: ``D`` in ``D["k"].append(1)``, ``shuffle(D)``."""
    first = chain(call)[-1]
    if names := [*changed_by_keyword(call)]:
        yield from names
    elif last_name(first.func) in CHANGES_ARGUMENT and first.args:
        yield from root_name(first.args[0])
    elif isinstance(first.func, ast.Attribute):
        yield from root_name(first.func)
    elif first is not call:
        yield from root_name(first)


def changed_by(node: ast.AST) -> Iterator[str]:
    """Yield the roots of what a definition changes in place when it is called, and the names that it makes global."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            yield from root_name(part)
        elif isinstance(part, ast.Global):
            yield from part.names
        elif isinstance(part, ast.Call) and _is_change(part):
            yield from touched_by(part)


def changed_at_once(node: ast.stmt, methods: Collection[str]) -> Iterator[str]:
    """Yield the roots of what the calls inside a statement's expressions change: ``queue`` of ``x = queue.pop()``.

    Args:
        node: the statement; what its function bodies do when they are called doesn't count.
        methods: more that are known to change their object.
    """
    value = getattr(node, "value", None)
    for part in own_scope([node]):
        if not isinstance(part, ast.Call):
            continue
        last = last_name(part.func)
        # The None of a container's other methods nobody keeps: `df.add(1)`, `image.rotate(90)` are none of a container.
        known = _TAKES if part is value and not isinstance(node, ast.Expr) else CHANGES
        is_of_object = last in known | _LEARNS or last in methods
        if last in CHANGES_ARGUMENT or any(changed_by_keyword(part)) or (is_of_object and not is_of_new(part)):
            yield from touched_by(part)


def is_of_new(call: ast.Call) -> bool:
    """Say whether a method is one of something that a method before it has made: ``df.copy().pop("a")``."""
    return not (LOOKS - _GIVES_INNER).isdisjoint(last_name(one.func) for one in chain(call)[1:])


def _is_change(call: ast.Call) -> bool:
    last = last_name(call.func)
    return last in CHANGES | CHANGES_ARGUMENT | _LEARNS or is_setting(last) or any(changed_by_keyword(call))


def is_setting(name: str) -> bool:
    """Say whether a function of that name sets how its module works from then on."""
    return name in _SETTINGS or name.startswith(_SETS)


def changed_by_keyword(call: ast.Call) -> Iterator[str]:
    """Yield what ``inplace=True`` and ``out=array`` change."""
    for one in call.keywords:
        match one:
            case ast.keyword(arg="inplace", value=ast.Constant(value=True)) if isinstance(call.func, ast.Attribute):
                yield from root_name(call.func)
            case ast.keyword(arg="out", value=ast.Name(id=name)):
                yield name


def chain(call: ast.Call) -> list[ast.Call]:
    """Return the calls of ``a.b(1).c(2)``, the last one (`c`) first."""
    calls = [call]
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Call):
            calls.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return calls


def last_name(node: ast.expr) -> str:
    """Return ``c`` for ``c`` and ``a.b.c``; empty for other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def base_name(node: ast.expr) -> Iterator[str]:
    """Yield ``getcontext`` for ``getcontext().prec``: the name at the root, through calls too."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id


def root_name(node: ast.expr) -> Iterator[str]:
    """Yield ``D`` for ``D["k"].x[0]``, and ``f()`` for ``f(1).x``: what a function gives out; nothing for others."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Call(func=ast.Name(id=name)):
            yield given_out(name)


def given_out(function: str) -> str:
    """Return how what a function returns is called among the names whose values are changed."""
    return f"{function}()"
