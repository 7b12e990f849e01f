"""The environment variables that a task reads count, and no others."""

import linecache
from itertools import count

import pytest

from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)
OS = "import os\ndef body(c):\n    return "
VAR = "from cloaca_nb import var, var_or\ndef body(c):\n    return "
CHANGED, USED, GONE = "was changed", "is used now", "is no longer used"
# name, code, what is set before and then, what is said
CASES = [
    ("by key", OS + "os.environ['CITY']", {"CITY": "a"}, {"CITY": "b"}, [f"environment variable CITY {CHANGED}"]),
    ("as it was", OS + "os.environ['CITY']", {"CITY": "a"}, {"CITY": "a", "OTHER": "b"}, []),
    ("with get", OS + "os.environ.get('CITY', 'x')", {}, {"CITY": "b"}, [f"environment variable CITY {USED}"]),
    ("with getenv", OS + "os.getenv('CITY')", {"CITY": "a"}, {}, [f"environment variable CITY {GONE}"]),
    (
        "in small letters",
        OS + "os.getenv('city')",
        {"city": "a"},
        {"city": "b"},
        [f"environment variable city {CHANGED}"],
    ),
    (
        "under another name",
        "from os import environ as E\ndef body(c):\n    return 'CITY' in E",
        {"CITY": "a"},
        {},
        [f"environment variable CITY {GONE}"],
    ),
    (
        "several",
        OS + "[os.environ[name] for name in ('CITY', 'YEAR')]",
        {"CITY": "a", "YEAR": "1"},
        {"CITY": "a", "YEAR": "2"},
        [f"environment variable YEAR {CHANGED}"],
    ),
    (
        "in a helper",
        "import os\ndef body(c):\n    return city()\ndef city():\n    return os.getenv('CITY')",
        {"CITY": "a"},
        {"CITY": "b"},
        [f"environment variable CITY {CHANGED}"],
    ),
    (
        "computed",
        "import os\ndef body(c):\n    return read('CITY')\ndef read(name):\n    return os.environ[name]",
        {"CITY": "a"},
        {"CITY": "b"},
        [f"environment {CHANGED}"],
    ),
    ("with var", VAR + "var('CITY')", {"CITY": "a", "CLOACINA_VAR_CITY": "a"}, {"CLOACINA_VAR_CITY": "a"}, []),
    (
        "with var_or",
        VAR + "var_or('city', 'x')",
        {"CLOACINA_VAR_city": "a"},
        {"CLOACINA_VAR_city": "b"},
        [f"environment variable CLOACINA_VAR_city {CHANGED}"],
    ),
    (
        "a secret",
        OS + "os.environ['API_KEY']",
        {"API_KEY": "a"},
        {"API_KEY": "b"},
        [f"environment variable API_KEY {CHANGED}"],
    ),
    ("none", "def body(c):\n    return 'CITY'", {"CITY": "a"}, {"CITY": "b"}, []),
]


@pytest.mark.parametrize(
    ("text", "before", "then", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_variables_that_a_task_reads_count(text, before, then, said, monkeypatch):
    def fingerprint(variables):
        for name in ("CITY", "YEAR", "OTHER", "API_KEY", "city", "CLOACINA_VAR_CITY", "CLOACINA_VAR_city"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Fingerprints(content_digest).of(task)

    filename = f"<environment {next(NUMBERS)}>"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    namespace = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does
    task = Task("body", namespace["body"])
    first, second = fingerprint(before), fingerprint(then)
    assert second.differences(first.parts) == said
    assert fingerprint(before) == first
    secret = {name for name, part in first.parts.items() if name.startswith("environment") and part.secret}
    assert secret == {name for name in first.parts if name.endswith("API_KEY")}
