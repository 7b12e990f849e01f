"""How a generator of random numbers counts among what a task's code reaches: by its seed, whoever draws from it."""

import linecache
import random
import subprocess
import sys
import textwrap
import weakref
from itertools import count

import numpy as np
import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.declare.random_generators import is_random_generator, meet_generators, state_when_met
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)
BODY = "def body(context):\n    return draw(context)\n"


def drawing(made, how):
    return f"{made}\ndef draw(c):\n    return {how}\n"


MODEL = "class Model:\n    def __init__(self, rng):\n        self.rng, self.n = rng, 1\n"
CLOSURE = "import random\ndef make(rng):\n    def draw(c):\n        return rng.random()\n    return draw\n"
MADE = {
    # what, the cells that make it; `draw` draws
    "random.Random": drawing("import random\nrng = random.Random(3)", "rng.random()"),
    "numpy's": drawing("import numpy as np\nrng = np.random.default_rng(3)", "rng.normal()"),
    "numpy's of old": drawing("import numpy as np\nrng = np.random.RandomState(3)", "rng.normal()"),
    "numpy's bits": drawing("import numpy as np\nrng = np.random.PCG64(3)", "rng.random_raw()"),
    "a method": drawing("import random\npick = random.Random(3).gauss", "pick(0, 1)"),
    "in a dict": drawing("import random\nall = {'rng': [random.Random(3)]}", "all['rng'][0].random()"),
    "in a namespace": drawing(
        "import random, types\nall = types.SimpleNamespace(rng=random.Random(3))", "all.rng.random()"
    ),
    "in a partial": drawing("import random, functools\npick = functools.partial(random.Random(3).gauss, 0)", "pick(1)"),
    "in an object": drawing(f"import random\n{MODEL}model = Model(random.Random(3))", "model.rng.random()"),
    "of a class": drawing("import random\nclass Model:\n    rng = random.Random(3)", "Model.rng.random()"),
    "a class of one's own": drawing("import random\nclass Dice(random.Random): pass\nrng = Dice(3)", "rng.random()"),
    "in a closure": f"{CLOSURE}draw = make(random.Random(3))\n",
    "a default": "import random\ndef draw(c, rng=random.Random(3)):\n    return rng.random()\n",
}
FOUND_LATER = ("a method", "in a dict", "in a namespace", "in a partial")
OF_LIBRARIES = {
    "numpy's": drawing(f"import numpy as np\n{MODEL}norm = Model(np.random.mtrand._rand)", "norm.rng.normal()"),
    "random's": drawing("import random\nrng = random._inst", "rng.random()"),
    "the system's": drawing("import random\nrng = random.SystemRandom()", "rng.random()"),
}


def executed(*cells):
    namespace = {"__name__": "__main__"}
    for text in cells:
        filename = f"<dice {next(NUMBERS)}>"
        linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
        exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a kernel does
    return namespace


def fingerprint(namespace):
    return Fingerprints(content_digest).of(Task("body", namespace["body"]))


def draw(namespace):
    return [namespace["body"](1) for _ in "abc"]


@pytest.mark.parametrize("way", MADE)
def test_draws_leave_it_and_another_seed_changes_it(way):
    here = executed(MADE[way], BODY)
    first = fingerprint(here)
    draw(here)
    assert fingerprint(here).differences(first.parts) == []
    assert fingerprint(executed(MADE[way], BODY)).digest == first.digest
    other = fingerprint(executed(MADE[way].replace("(3)", "(4)"), BODY))
    assert other.digest != first.digest
    assert other.differences(first.parts)
    assert (first.untracked, other.untracked) == ((), ())


@pytest.mark.parametrize("way", [*MADE][:4])
def test_what_is_said_of_another_seed(way):
    first = fingerprint(executed(MADE[way], BODY))
    other = fingerprint(executed(MADE[way].replace("(3)", "(4)"), BODY))
    assert other.differences(first.parts) == ["random generator rng starts from another state"]


def test_what_is_said_of_one_in_place_of_a_number():
    first = fingerprint(executed("rng = 3\ndef draw(c):\n    return rng\n", BODY))
    text = "import random\nrng = random.Random(1)\ndef draw(c):\n    return rng\n"
    other = fingerprint(executed(text, BODY))
    assert other.differences(first.parts) == ["rng is a generator of random numbers now, was 3"]


@pytest.mark.parametrize("way", OF_LIBRARIES)
def test_a_librarys_own_generator_counts_by_its_name(way):
    script = textwrap.dedent("""
        import runpy, sys
        names = runpy.run_path(sys.argv[1])
        here = names["executed"](names["OF_LIBRARIES"][sys.argv[2]], names["BODY"])
        print(names["fingerprint"](here).digest)
    """)
    printed = [
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", script, __file__, way], capture_output=True, text=True, check=True
        ).stdout
        for _ in "ab"
    ]
    here = executed(OF_LIBRARIES[way], BODY)
    draw(here)
    assert printed == [f"{fingerprint(here).digest}\n"] * 2
    assert fingerprint(here).untracked == ()


@pytest.mark.parametrize("way", [one for one in MADE if one not in FOUND_LATER])
def test_what_tasks_are_about_to_draw_from_is_met_before(way):
    here = executed(MADE[way], BODY)
    meet_generators(Workflow("w", [Task("body", here["body"]), Task("draw", here["draw"])]), content_digest)
    draw(here)
    assert fingerprint(here).digest == fingerprint(executed(MADE[way], BODY)).digest


class Trap:
    """Raises for whatever is asked."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


class Slots:
    __slots__ = ()


def test_nothing_of_a_module_is_asked_for_anything():
    here = executed(MADE["random.Random"], BODY)
    for kind in (Trap, Slots):
        kind.__module__ = "__main__"
        here[kind.__name__] = kind()
    meet_generators(Workflow("w", [Task("body", here["body"]), Task("print", print)]), content_digest)


KINDS = [
    ("random.Random", random.Random(1), True),  # noqa: S311 - no secret
    ("the system's", random.SystemRandom(), True),
    ("numpy's", np.random.default_rng(1), True),
    ("of old", np.random.RandomState(1), True),
    ("bits", np.random.MT19937(1), True),
    ("a module", random, False),
    ("its type", random.Random, False),
    ("a generator", (one for one in "a"), False),
    ("a seed", np.random.SeedSequence(1), False),
]


@pytest.mark.parametrize(("name", "value", "expected"), KINDS, ids=[one[0] for one in KINDS])
def test_what_is_a_generator_of_random_numbers(name, value, expected):
    assert is_random_generator(value) is expected


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng])
def test_who_gets_the_place_of_one_that_is_gone_has_a_state_of_its_own(make):
    states = {state_when_met(make(seed), content_digest) for seed in range(50)}
    assert len(states) == 50


def test_one_of_the_standard_library_is_not_kept_alive():
    generator = random.Random(1)  # noqa: S311 - no secret
    state_when_met(generator, content_digest)
    alive = weakref.ref(generator)
    del generator
    assert alive() is None


def test_only_so_many_states_are_known(monkeypatch):
    monkeypatch.setattr("cloaca_nb.declare.random_generators._MOST", 2)
    first, *more = [random.Random(seed) for seed in range(4)]  # noqa: S311 - no secret
    before = state_when_met(first, content_digest)
    for one in more:
        state_when_met(one, content_digest)
    assert state_when_met(first, content_digest) == before
    first.random()
    assert state_when_met(first, content_digest) == before
