"""What a code object takes from outside itself, told by its instructions: no source is needed."""

import dis
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import Final, NamedTuple

__all__ = ["Chain", "CodeReads", "code_reads"]

Chain = tuple[str, ...]

_NAMES: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


class CodeReads(NamedTuple):
    """What a code object and those inside it take from outside.

    Attributes:
        chains: names of the module with the attributes asked of them at once: ``("np", "random", "rand")``.
        imports: modules that are imported when the code runs: dotted name, level, names taken.
    """

    chains: tuple[Chain, ...]
    imports: tuple[tuple[str, int, tuple[str, ...]], ...]


@lru_cache(4096)
def code_reads(code: CodeType) -> CodeReads:
    """Return what `code` takes from outside, sorted."""
    chains: set[Chain] = set()
    imports: set[tuple[str, int, tuple[str, ...]]] = set()
    for one in _nested(code):
        _read(one, chains, imports)
    return CodeReads(tuple(sorted(chains)), tuple(sorted(imports)))


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _read(code: CodeType, chains: set[Chain], imports: set[tuple[str, int, tuple[str, ...]]]) -> None:
    chain: Chain = ()
    before: list[object] = [None, None]  # the values of the two instructions before: level and names of an import
    for instruction in dis.get_instructions(code):
        if chain and instruction.opname in _ATTRIBUTES:
            chain = (*chain, instruction.argval)
            continue
        if chain:
            chains.add(chain)
        chain = (instruction.argval,) if instruction.opname in _NAMES else ()
        if instruction.opname == "IMPORT_NAME":
            level, names = before
            taken = tuple(names) if isinstance(names, tuple) else ()
            imports.add((instruction.argval, level if isinstance(level, int) else 0, taken))
        before = [before[1], instruction.argval]
    if chain:
        chains.add(chain)
