"""Modules in the fingerprint of a task's code: what counts is what is loaded."""

import importlib
import importlib.metadata
import importlib.util
import linecache
import shutil
import sys
from itertools import count
from pathlib import Path

import pytest

from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.declare.installed import version_of
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes modules into a folder that is on the path; none of them stays loaded."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(**files):
        for name, text in files.items():
            file = tmp_path.joinpath(*name.split("__of__")[::-1]).with_suffix(".py")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("fp_"):
            del sys.modules[name]


def fingerprint(text):
    filename = f"<modules {next(NUMBERS)}>"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    namespace = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does
    return Fingerprints(content_digest).of(Task("body", namespace["body"]))


def changed(now, before):
    return [one.partition(" (")[0] for one in now.differences(before.parts)]


def loaded_again():
    for name in [one for one in sys.modules if one.startswith("fp_")]:
        del sys.modules[name]
    importlib.invalidate_caches()


OUTER = "import fp_inner\ndef f(x):\n    return x * fp_inner.g(x)\n"
INNER = "FACTOR = 2\nLONG = 60 * 60\ndef g(x):\n    return x\nclass C:\n    def m(self):\n        return 1\n"
CELL = "import fp_outer\ndef body(c):\n    return fp_outer.f(c)\n"


def test_a_local_module_counts_by_its_source_and_what_it_imports(write):
    write(fp_inner=INNER, fp_outer=OUTER)
    first = fingerprint(CELL)
    assert {"module fp_outer", "module fp_inner"} <= first.parts.keys()
    assert first.untracked == ()
    write(fp_inner="# a comment\n" + INNER)
    loaded_again()
    assert fingerprint(CELL).digest == first.digest
    write(fp_inner=INNER.replace("return x", "return -x"))
    loaded_again()
    second = fingerprint(CELL)
    assert changed(second, first) == ["module fp_inner"]
    assert second.untracked == ()


EDITS = [
    ("function", "return x", "return -x"),
    ("method", "return 1", "return 2"),
    ("constant", "FACTOR = 2", "FACTOR = 3"),
    ("computed constant", "60 * 60", "60 * 61"),
    ("line", "FACTOR", "\n\nFACTOR"),
]


@pytest.mark.parametrize(("name", "old", "new"), EDITS, ids=[one[0] for one in EDITS])
def test_an_edit_counts_when_the_module_is_loaded_again(name, old, new, write):
    write(fp_inner=INNER, fp_outer=OUTER)
    first = fingerprint(CELL)
    write(fp_inner=INNER.replace(old, new))
    edited = fingerprint(CELL)
    assert (edited.digest, edited.untracked) == (first.digest, ())
    importlib.reload(sys.modules["fp_inner"])
    assert (fingerprint(CELL).digest == first.digest) is (name == "line")


@pytest.mark.parametrize(("name", "old", "new"), EDITS[:4], ids=[one[0] for one in EDITS[:4]])
def test_a_module_that_was_edited_before_the_first_look_is_not_taken_for_its_file(name, old, new, write):
    write(fp_inner=INNER, fp_outer=OUTER)
    importlib.import_module("fp_outer")
    write(fp_inner=INNER.replace(old, new))
    stale = fingerprint(CELL)
    loaded_again()
    assert fingerprint(CELL).digest != stale.digest
    if name in ("function", "method"):
        member = {"function": "g", "method": "C.m"}[name]
        assert stale.untracked == (
            f"module fp_inner in memory is not what fp_inner.py says ({member}): restart the kernel or reload it",
        )


def test_what_is_set_in_a_loaded_module_counts(write):
    write(fp_inner=INNER, fp_outer=OUTER)
    first = fingerprint(CELL)
    sys.modules["fp_inner"].FACTOR = 5
    second = fingerprint(CELL)
    assert second.differences(first.parts) == ["fp_inner.FACTOR was set to 5 after its module was loaded"]
    sys.modules["fp_inner"].FACTOR = 2
    assert fingerprint(CELL).digest == first.digest
    sys.modules["fp_inner"].g = len
    assert fingerprint(CELL).untracked == (
        "module fp_inner in memory is not what fp_inner.py says (g): restart the kernel or reload it",
    )


def test_packages_and_relative_imports(write):
    write(
        __init____of__fp_pack="from .first import f\n",
        first__of__fp_pack="from . import second\nfrom .third import h\ndef f(x):\n    return second.g(h(x))\n",
        second__of__fp_pack="def g(x):\n    return x\n",
        third__of__fp_pack="def h(x):\n    return x\n",
        other__of__fp_pack="def unused(x):\n    return x\n",
    )
    text = "from fp_pack import f\ndef body(c):\n    return f(c)\n"
    first = fingerprint(text)
    modules = {name for name in first.parts if name.startswith("module ")}
    assert modules == {f"module fp_pack{one}" for one in ("", ".first", ".second", ".third")}
    for name in ("second", "third"):
        write(**{f"{name}__of__fp_pack": f"def {'g' if name == 'second' else 'h'}(x):\n    return -x\n"})
        loaded_again()
        second = fingerprint(text)
        assert changed(second, first) == [f"module fp_pack.{name}"]
        first = second


@pytest.mark.parametrize(
    "statement",
    [
        "import fp_inner",
        "from fp_inner import g",
        "import fp_inner as other",
        "from fp_outer import f",
        "from fp_inner import *",
    ],
)
def test_an_import_inside_a_body(statement, write):
    write(fp_inner=INNER, fp_outer=OUTER)
    text = (
        f"def body(c):\n    {statement}\n" if "*" not in statement else f"{statement}\ndef body(c):\n    return g(c)\n"
    )
    first = fingerprint(text)
    assert "module fp_inner" in first.parts
    write(fp_inner=INNER.replace("return x", "return -x"))
    loaded_again()
    assert "module fp_inner" in changed(fingerprint(text), first)


def test_a_local_compiled_module_counts_by_its_bytes(tmp_path, monkeypatch):
    file = tmp_path / "fp_compiled.so"
    shutil.copy(importlib.util.find_spec("pandas._libs.lib").origin, file)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    text = "def body(c):\n    import fp_compiled\n"
    first = fingerprint(text)
    assert "module fp_compiled" in first.parts
    file.write_bytes(file.read_bytes() + b"\0")
    assert changed(fingerprint(text), first) == ["module fp_compiled"]


@pytest.mark.parametrize(
    "module", ["pandas", "pandas.core.frame", "yaml", "IPython.display", "_pytest.fixtures", "dateutil.tz"]
)
def test_a_distribution_is_the_one_that_lists_the_file(module):
    found = version_of(module, Path(importlib.util.find_spec(module).origin))
    top = module.partition(".")[0]
    assert [found[0]] == sorted(set(importlib.metadata.packages_distributions()[top]))
    assert found[1] == importlib.metadata.version(found[0])


DECORATOR = """
import functools, threading
class Stop:
    def __init__(self, attempts):
        self.attempts, self.lock, self.seen = attempts, threading.Lock(), []
def retry(*, stop, **options):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*given):
            stop.seen.append(given)
            return function(*given)
        return wrapper
    return decorate
"""
DECORATED = "from fp_library import Stop, retry\nN = 3\ndef body(c):\n    return f(c)\n"
HELPER = "@retry(stop=Stop(N), wait=1.5)\ndef f(c):\n    return c\n"


@pytest.fixture
def library(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    (site / "fp_library-1.0.dist-info").mkdir(parents=True)
    (site / "fp_library.py").write_text(DECORATOR)
    (site / "fp_library-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: fp-library\nVersion: 1.0\n"
    )
    (site / "fp_library-1.0.dist-info" / "RECORD").write_text("fp_library.py,,\n")
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("fp_library", None)


def test_what_a_library_decorator_was_told_counts_and_its_machinery_does_not(library):
    namespace = {"__name__": "__main__"}

    def execute(text):
        filename = f"<modules {next(NUMBERS)}>"
        linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
        exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does

    def look():
        return Fingerprints(content_digest).of(Task("body", namespace["body"]))

    execute(DECORATED)
    execute(HELPER)
    first = look()
    assert first.untracked == ()
    assert first.parts["distribution fp-library"].shown == "1.0"
    namespace["body"](1)
    execute(HELPER)
    assert look().digest == first.digest
    execute("N = 4")
    second = look()
    assert second.differences(first.parts) == ["N is 4 now, was 3"]  # the helper still has 3
    execute(HELPER)
    third = look()
    assert third.differences(second.parts) == ["settings of fp_library.retry.decorate.wrapper was changed"]
    execute(HELPER.replace("1.5", "2.5"))
    assert changed(look(), third) == ["helper f"]


def test_a_distribution_that_is_installed_anew_is_looked_up_again(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    for version in ("1.0", "2.0"):
        shutil.rmtree(site, ignore_errors=True)
        information = site / f"fp_made-{version}.dist-info"
        information.mkdir(parents=True)
        (site / "fp_made.py").write_text("def f(x):\n    return x\n")
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fp-made\nVersion: {version}\n")
        (information / "RECORD").write_text("fp_made.py,,\n")
        assert version_of("fp_made", site / "fp_made.py") == ("fp-made", version)
