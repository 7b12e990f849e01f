"""Python's parser without its remarks: a doubtful escape in a cell is its author's matter, told when the cell runs."""

import ast
import symtable
import warnings

__all__ = ["parse", "symbols"]


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a text; a SyntaxError if it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def symbols(text: str) -> symtable.SymbolTable:
    """Return the symbol table of a text; a SyntaxError if it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return symtable.symtable(text, "<cell>", "exec")
