"""Code that holds a secret is known by the names in it; its digest isn't kept as it is."""

import linecache
from itertools import count

import pytest

from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)
READS = "def body(c):\n    return {}\n"
# name, code, the parts that hold a secret
CASES = [
    ("a constant", "API_KEY = 'x'\n" + READS.format("API_KEY"), {"constant API_KEY"}),
    ("a number", "PASSWORD = 1234\n" + READS.format("PASSWORD"), {"constant PASSWORD"}),
    ("settings", "DB = {'hosts': [{'password': 'x'}]}\n" + READS.format("DB"), {"constant DB"}),
    (
        "an object",
        "import types\nDB = types.SimpleNamespace(password='x')\n" + READS.format("DB"),
        {"constant DB"},
    ),
    ("a class", "class DB:\n    password = 'x'\n" + READS.format("DB"), {"class DB"}),
    ("a default", "def f(token='x'):\n    return token\n" + READS.format("f()"), {"helper f"}),
    ("a variable", "def f():\n    password = 'x'\n    return password\n" + READS.format("f()"), {"helper f"}),
    ("a keyword", "def f():\n    return dict(password='x')\n" + READS.format("f()"), {"helper f"}),
    ("a key", "def f():\n    return {'api_key': 'x'}\n" + READS.format("f()"), {"helper f"}),
    ("inside", "def f():\n    return lambda passwd='x': passwd\n" + READS.format("f()"), {"helper f"}),
    (
        "a closure",
        "def make(password):\n    def body(c):\n        return password\n    return body\nbody = make('x')\n",
        {"task body"},
    ),
    ("no secret", "LIMIT = 'x'\nn_tokens = 3\n" + READS.format("LIMIT, n_tokens"), set()),
    ("an empty one", "PASSWORD = ''\nTOKEN = None\n" + READS.format("PASSWORD, TOKEN"), set()),
    ("the name alone", "import os\ndef f(x):\n    return x.password\n" + READS.format("f(c)"), set()),
]


def fingerprint(text):
    filename = f"<secrecy {next(NUMBERS)}>"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    namespace = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does
    return Fingerprints(content_digest).of(Task("body", namespace["body"]))


@pytest.mark.parametrize(("text", "secret"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_parts_that_hold_a_secret(text, secret):
    found = fingerprint(text)
    assert {name for name, part in found.parts.items() if part.secret} == secret
    assert not any(found.parts[name].shown for name in secret)
    hidden = found.hidden(lambda digest: f"hidden {digest}")
    assert (hidden.digest != found.digest) is bool(secret)
    changed = {name for name in found.parts if hidden.parts[name] != found.parts[name]}
    assert changed == secret
    again = fingerprint(text).hidden(lambda digest: f"hidden {digest}")
    assert (again.digest, again.differences(hidden.parts)) == (hidden.digest, [])
