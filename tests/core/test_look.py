"""Looks: each state has one, and shape alone tells it."""

import pytest

from cloaca_nb.core.look import LOOKS, TAKEN, look_of
from cloaca_nb.core.status import Outcome, Status


@pytest.mark.parametrize("state", [*Outcome, *Status])
def test_every_state_has_a_look(state):
    assert look_of(state) is LOOKS[state.value]


def test_the_outcomes_differ_in_their_marks_and_in_their_shapes():
    looks = [*map(look_of, Outcome), LOOKS[TAKEN]]
    assert len({look.mark for look in looks}) == len(looks)
    assert len({(look.disc, look.sign) for look in looks}) == len(looks)


def _luminance(colour):
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("state", LOOKS)
def test_colours_stand_out_from_their_background(state):
    look = LOOKS[state]
    assert _contrast(look.light, "#ffffff") >= 3  # what WCAG asks of graphics
    assert _contrast(look.dark, "#14171c") >= 3
    assert min(_contrast(look.either, "#ffffff"), _contrast(look.either, "#111111")) >= 3
