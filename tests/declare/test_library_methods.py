"""Which bound methods are functions of a library, whatever the object behind them holds."""

import json
import logging
import os
import random
import secrets
import sys

import numpy as np
import pytest

from cloaca_nb.declare.library_methods import offered_by


class Own:
    def go(self):
        pass


OWN = Own()
OFFERED = [
    ("a built-in one", random.random, "random"),
    ("one in Python", random.seed, "random"),
    ("of a class from elsewhere", secrets.choice, "secrets"),
    ("of a distribution", np.random.normal, "numpy.random.mtrand"),
    ("of a generator of one's own", random.Random(1).random, ""),  # noqa: S311 - no secret is drawn
    ("of a distribution's generator of one's own", np.random.default_rng(1).normal, ""),
    ("of a logger", logging.getLogger("mine").info, ""),
    ("of a stream", sys.stdout.write, ""),
    ("of the environment", os.environ.get, ""),
    ("of a text", "a".upper, ""),
    ("of a class", dict.fromkeys, ""),
    ("a built-in function", len, ""),
    ("of a user's object", OWN.go, ""),
]


@pytest.mark.parametrize(("name", "method", "module"), OFFERED, ids=[one[0] for one in OFFERED])
def test_who_offers_it(name, method, module):
    assert offered_by(method) == module


def test_a_users_method_that_was_put_into_a_library_stays_the_users(monkeypatch):
    go = OWN.go
    monkeypatch.setattr(json, "go", go, raising=False)
    assert offered_by(go) == ""
