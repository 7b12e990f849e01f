"""`%config Cloaca`."""

import logging

import pytest
from traitlets import TraitError

from cloaca_nb.notebook.settings import Cloaca

WRONG = [
    ("panel", "onn", "Cloaca.panel is one of 'auto', 'on', 'off', not 'onn'. Did you mean 'on'?"),
    ("max_concurrent_tasks", 0, "Cloaca.max_concurrent_tasks is a whole number of 1 or more, not 0."),
    ("max_concurrent_tasks", "two", "expected an int"),
    ("echo_per_task", -1, "Cloaca.echo_per_task is a number of characters, 0 or more, not -1."),
    ("history", "postgresql://host/db", "Cloaca.history: "),
    ("durability", "tasks", "Cloaca.durability: The durability is 'run' or 'task', not 'tasks'. Did you mean 'task'?"),
    ("history", 3, "expected a unicode string"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG, ids=[f"{one[0]}={one[1]}" for one in WRONG])
def test_a_wrong_value_is_refused_and_changes_nothing(name, value, said) -> None:
    settings = Cloaca()
    before = getattr(settings, name)
    with pytest.raises(TraitError, match=said.replace("?", r"\?")):
        setattr(settings, name, value)
    assert getattr(settings, name) == before


@pytest.mark.parametrize(("value", "kept"), [(True, "on"), (False, "off"), ("auto", "auto"), ("off", "off")])
def test_the_panel_may_be_said_as_true_and_false(value, kept) -> None:
    assert Cloaca(panel=value).panel == kept


def test_config_lists_the_settings_with_their_meaning(cell) -> None:
    said = cell("%config Cloaca").out
    for name in ("history", "max_concurrent_tasks", "panel", "echo_per_task", "durability"):
        assert f"Cloaca.{name}=<" in said
    assert "cores + 4, at most 32" in said


def test_config_answers_a_wrong_value(cell, caplog) -> None:
    with caplog.at_level(logging.ERROR):
        cell("%config Cloaca.panel = 'offf'")
    assert "Did you mean 'off'?" in caplog.text
    assert cell("%config Cloaca.panel").value == "auto"


def test_the_next_run_follows_what_was_set(cell, tmp_path) -> None:
    cell("%%cloaca_task talk\nx = 1\nfor n in range(9):\n    print('a line', n)")
    assert cell("%cloaca_run --no-panel").out.count("a line") == 9
    path = tmp_path / "kept.duckdb"
    cell(f"%config Cloaca.history = {str(path)!r}")
    cell("%config Cloaca.max_concurrent_tasks = 1")
    cell("%config Cloaca.echo_per_task = 20")
    cell("%config Cloaca.panel = 'off'")
    ran = cell("%cloaca_run")
    assert ran.out.count("a line") == 2
    assert "printed 63 characters more" in ran.err
    assert "✓" not in ran.err
    assert path.exists()
    assert len(cell("%cloaca_history").value) == 1


# What follows a task looks for it in the journals at once: it is there, or the setting does nothing.
FOLLOWS = """
from pathlib import Path
lines = "".join(path.read_text() for path in Path("kept.duckdb-journals").rglob("*.jsonl"))
is_kept = '"first_of_all"' in lines.partition('"ended"')[2]
"""


def test_with_durability_task_a_task_is_on_disk_before_the_next_one_starts(cell, tmp_path) -> None:
    cell(f"%config Cloaca.history = {str(tmp_path / 'kept.duckdb')!r}")
    cell("%config Cloaca.durability = 'task'")
    cell("%%cloaca_task first_of_all\nx = 1")
    ran = cell(f"%%cloaca_task follows --after first_of_all{FOLLOWS}")
    assert ran.error is None
    for _ in range(5):
        assert cell("%cloaca_run --no-panel").value.final_context["is_kept"] is True
