"""Which files a piece of code reads."""

import ast

import pytest

from cloaca_nb.core.code.opened_files import opened_files

CASES = {
    "a table": ("pd.read_csv('bees.csv')", ["bees.csv"]),
    "a function of its own name": ("read_csv('bees.csv', sep=';')", ["bees.csv"]),
    "a file": ("with open('data/a.txt') as file: pass", ["data/a.txt"]),
    "a file, its mode": ("open('a.txt', 'rb')", ["a.txt"]),
    "a file, an option": ("open('a.txt', encoding='utf-8')", ["a.txt"]),
    "to write": ("open('a.txt', 'w')", []),
    "to append, by keyword": ("open('a.txt', mode='ab')", []),
    "to change": ("np.load('a.npy', 'r+')", []),
    "a path": ("Path('a.txt').read_text()", ["a.txt"]),
    "a path of a module": ("pathlib.Path('a.txt').open()", ["a.txt"]),
    "a path to write": ("Path('a.txt').open('w'); Path('b.txt').write_text('x')", []),
    "a path as argument": ("np.load(Path('a.npy'))", ["a.npy"]),
    "in a function": ("def load():\n    return json.load(open('a.json'))", ["a.json"]),
    "twice": ("open('a'); open('a'); open('b')", ["a", "b"]),
    "written": ("frame.to_csv('a.csv'); plt.savefig('a.png')", []),
    "the web": ("pd.read_csv('https://example.org/a.csv')", []),
    "put together": ("open(f'{folder}/a.csv'); open(folder / 'b.csv'); open('a' + 'b')", []),
    "by a name": ("name = 'a.csv'\nopen(name)", []),
    "nothing": ("open(); read('')", []),
}


@pytest.mark.parametrize("case", CASES)
def test_files_are_found(case: str) -> None:
    text, found = CASES[case]
    assert opened_files(ast.parse(text)) == found
