"""Layouts: every task has its own place, time runs to the right, and large workflows stay cheap."""

import logging
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.drawing.layout import MOST_CARDS, lay_out, shorten


def flow(dependencies):
    return Workflow("flow", [Task(name, lambda _context: None, tuple(names)) for name, names in dependencies.items()])


def chain(count):
    return flow({f"t{n}": [f"t{n - 1}"] * (n > 0) for n in range(count)})


def fan(count):
    middle = [f"m{n:02d}" for n in range(count)]
    return flow({"split": [], **{name: ["split"] for name in middle}, "join": middle})


def layered(levels, width, reach):
    """Each task depends on `reach` tasks of the level before."""
    return flow(
        {
            f"l{level}_{n}": [f"l{level - 1}_{(n + k) % width}" for k in range(reach)] if level else []
            for level in range(levels)
            for n in range(width)
        }
    )


SHAPES = {
    "one": flow({"only": []}),
    "alone": flow({f"a{n}": [] for n in range(40)}),
    "chain": chain(30),
    "fan": fan(12),
    "long edge": flow({"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"]}),
    "parts": flow({"a": [], "b": ["a"], "x": [], "y": ["x"], "z": ["x"], "lonely": []}),
    "long name": flow(
        {"a_name_that_does_not_fit_any_card_at_all": [], "b": ["a_name_that_does_not_fit_any_card_at_all"]}
    ),
    "too many edges for sugiyama": layered(5, 20, 8),
    "1,000 in layers": layered(20, 50, 2),
    "1,000 in a chain": chain(1_000),
    "1,000 in a fan": fan(998),
}


def check(workflow):
    """Check what holds for every layout, and return it."""
    layout = lay_out(workflow)
    assert list(layout.boxes) == [task.id for task in workflow.tasks]
    for box in layout.boxes.values():
        assert 0 <= box.x <= box.x + box.width <= layout.width
        assert 0 <= box.y <= box.y + box.height <= layout.height
    assert not overlapping(layout.boxes)
    return layout


def overlapping(boxes):
    ranked = sorted(boxes.values())
    return [
        (one, other)
        for place, one in enumerate(ranked)
        for other in ranked[place + 1 : place + 200]
        if other.x < one.x + one.width and one.y < other.y + other.height and other.y < one.y + one.height
    ]


@pytest.mark.parametrize("workflow", SHAPES.values(), ids=SHAPES)
def test_every_task_has_a_place_of_its_own(workflow):
    layout = check(workflow)
    assert layout.compact is (len(workflow) > MOST_CARDS)
    assert {(edge.source, edge.target) for edge in layout.edges} == {
        (source, target) for target, sources in workflow.dependencies.items() for source in sources
    }


@pytest.mark.parametrize("workflow", [SHAPES[name] for name in list(SHAPES)[:8]], ids=list(SHAPES)[:8])
def test_cards_stand_to_the_right_of_what_they_depend_on(workflow):
    layout = lay_out(workflow)
    for edge in layout.edges:
        source, target = layout.boxes[edge.source], layout.boxes[edge.target]
        assert source.x + source.width < target.x


@st.composite
def workflows(draw):
    count = draw(st.integers(1, 20))
    return flow(
        {
            f"t{n}": [f"t{k}" for k in draw(st.sets(st.integers(0, n - 1), max_size=4))] if n else []
            for n in range(count)
        }
    )


@settings(deadline=None, max_examples=60)
@given(workflows())
def test_any_workflow_can_be_laid_out_and_always_in_the_same_way(workflow):
    layout = check(workflow)
    assert layout == lay_out(workflow)
    assert all(edge.path.startswith("M") and "nan" not in edge.path for edge in layout.edges)


def test_tasks_that_are_alike_stand_in_registration_order():
    boxes = lay_out(fan(12)).boxes
    assert all(boxes[above].y < boxes[below].y for above, below in pairwise(f"m{n:02d}" for n in range(12)))


def test_a_long_edge_passes_beside_the_cards_between():
    layout = lay_out(SHAPES["long edge"])
    (edge,) = [edge for edge in layout.edges if (edge.source, edge.target) == ("a", "d")]
    heights = {float(part.split()[1]) for part in edge.path[1:].replace("C", "L").split("L")}
    between = [layout.boxes["b"], layout.boxes["c"]]
    assert any(all(not box.y <= height <= box.y + box.height for box in between) for height in heights)


def test_an_inferred_edge_says_so():
    tasks = [
        Task("load", lambda _context: None, (), keys=Keys(sets=("rows",))),
        Task("clean", lambda _context: None, keys=Keys(("rows",))),
        Task("end", lambda _context: None, ("clean",)),
    ]
    edges = lay_out(Workflow("flow", tasks)).edges
    assert [(edge.source, edge.target, edge.inferred) for edge in edges] == [
        ("load", "clean", True),
        ("clean", "end", False),
    ]


def test_ten_thousand_tasks_are_laid_out_in_no_time_and_without_edges():
    workflow = layered(100, 100, 3)
    started = time.perf_counter()
    layout = lay_out(workflow)
    assert time.perf_counter() - started < 2
    assert len(layout.boxes) == 10_000
    assert layout.edges == ()


@pytest.mark.parametrize("label", ["memory_www_mmmm", "GROSSBUCHSTABEN", "summarise", "illicit_titles", "größe"])
def test_a_card_is_as_wide_as_its_label_in_a_wide_font(label):
    em = {"m": 0.974, "w": 0.818, "_": 0.5, "i": 0.278, "l": 0.278, "t": 0.392, "r": 0.411, "s": 0.521}  # DejaVu Sans
    width = 13 * sum(em.get(letter, 0.79 if letter.isupper() else 0.635) for letter in label)
    (box,) = lay_out(flow({label: []})).boxes.values()
    assert 30 + width + 10 <= box.width <= 30 + 1.5 * width + 30


def test_a_card_shows_the_beginning_of_a_long_id():
    assert shorten("clean") == "clean"
    assert shorten("a_name_that_does_not_fit_any_card") == "a_name_that_does_no…"


def test_drawing_says_nothing_to_the_log_of_the_user(caplog) -> None:
    with caplog.at_level(logging.INFO):
        assert logging.getLogger().isEnabledFor(logging.INFO)
        lay_out(chain(4))
        lay_out(fan(3))
    assert caplog.records == []
