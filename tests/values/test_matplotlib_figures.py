"""matplotlib's figures: copied without a second one among pyplot's."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from cloaca_nb.values import describe, equal, isolate


@pytest.fixture
def drawn():
    mpl.use("agg")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    yield figure, axes
    plt.close(figure)


def test_a_figure_is_copied_and_pyplot_does_not_hear_of_it(drawn):
    figure, axes = drawn
    before = plt.get_fignums()
    copy = isolate(figure)
    copy.axes[0].plot([3, 4])
    assert len(axes.lines) == 1
    assert plt.get_fignums() == before


def test_axes_come_with_their_figure(drawn):
    figure, axes = drawn
    before = plt.get_fignums()
    copy = isolate({"axes": axes, "figure": figure})
    assert copy["axes"] is copy["figure"].axes[0]
    assert copy["axes"] is not axes
    assert plt.get_fignums() == before


def test_a_figure_is_described(drawn):
    figure, _ = drawn
    assert equal(figure, figure)
    assert describe(figure).type == "matplotlib.figure.Figure"
    assert describe(figure).preview == "<Figure size 640x480 with 1 Axes>"
