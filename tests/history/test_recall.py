"""What is taken instead of executing a task, and what is said of it; facts in, answer out."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cloaca_nb.core.context import ALL_KEYS, Context
from cloaca_nb.core.recall import LeftOut, Taken
from cloaca_nb.core.scope import Scope
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint, Part
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.accounts import Accounts
from cloaca_nb.history.artifacts import ArtifactStore, Kept
from cloaca_nb.history.code import WorkflowCode
from cloaca_nb.history.memory import Change, Earlier, Memory
from cloaca_nb.history.recall import TakenAsTheyAre, UnchangedOnly
from cloaca_nb.values.digests import describe

RUN = "01900000-run-a1b2c3d4"
TASK = Task("clean", print, ())
CODE = CodeFingerprint("new", {"task body": Part("1"), "constant LIMIT": Part("2", "flow.py:1", "4")})
OLD_PARTS = {
    "old": {"task body": Part("1"), "constant LIMIT": Part("3", "flow.py:1", "3")},
    "before": {"distribution Point": Part("1", shown="1.0")},
}


def digest(value: Any) -> str:
    return describe(value).digest


def earlier(**facts: Any) -> Earlier:
    change = Change("y", "digest-of-y", Kept("json", "5"))
    return Earlier(**{"run_id": RUN, "outcome": "Completed", "code": "new", "reads": {}, "changes": (change,), **facts})


def behind(_task_id: str, code: frozenset[Any]) -> CodeFingerprint:
    """Say that each class belongs to a distribution of its name, but for one of which nobody knows."""
    names = sorted(one.__name__ for one in code)
    return CodeFingerprint(
        "now",
        {f"distribution {name}": Part("2", shown="2.0") for name in names},
        ("nobody knows Lost.",) if "Lost" in names else (),
    )


def memory(*of_clean: Earlier, code: CodeFingerprint = CODE, load: Callable[[str, Kept], Any] | None = None) -> Memory:
    accounts = Accounts(describe, ArtifactStore(None).keep)
    return Memory(
        {"clean": of_clean},
        OLD_PARTS,
        load or (lambda _digest, _kept: 5),
        accounts,
        WorkflowCode({"clean": code}, behind),
    )


def inheriting(values: Mapping[str, Any]) -> Context:
    return Context.of(Scope(changes=values), lambda value: value)


def lost(_digest: str, _kept: Kept) -> Any:
    raise HistoryError("The artifact isn't beside the history any more.")


EXECUTED = {
    "unknown": ((), "executed, as no earlier run has it"),
    "failed": ((earlier(outcome="Failed"),), "executed, as it was Failed in run a1b2c3d4"),
    "skipped": ((earlier(outcome="Skipped"),), "executed, as it was Skipped in run a1b2c3d4"),
    "a constant": ((earlier(code="old"),), "executed, as LIMIT is 4 now, was 3"),
    "other code": ((earlier(code="forgotten"),), "executed, as its code was changed"),
    "code of no fingerprint": ((earlier(code=None),), "executed, as its code was changed"),
    "a value": ((earlier(reads={"x": digest(2)}),), "executed, as 'x' has another value now"),
    "a value that was not there": ((earlier(reads={"x": ""}),), "executed, as 'x' has another value now"),
    "a value that is gone": ((earlier(reads={"z": digest(1)}),), "executed, as 'z' has another value now"),
    "the keys": ((earlier(reads={ALL_KEYS: digest(["x", "z"])}),), "executed, as other keys are there now"),
    "what can't be compared": (
        (earlier(reads={"x": None}),),
        "executed, as the value of 'x' can't be compared with an earlier one",
    ),
    "the latest counts": (
        (earlier(outcome="Failed"), earlier(code="old")),
        "executed, as it was Failed in run a1b2c3d4",
    ),
}


@pytest.mark.parametrize("case", EXECUTED)
def test_a_task_is_executed_and_why(case: str) -> None:
    known, expected = EXECUTED[case]
    assert UnchangedOnly(memory(*known))(TASK, inheriting({"x": 1})) == expected


@pytest.mark.parametrize(
    "known",
    [
        (earlier(),),
        (earlier(reads={"x": digest(1)}),),
        (earlier(reads={"x": digest(1), "z": ""}),),
        (earlier(outcome="Cancelled"), earlier(code="old"), earlier(reads={"x": digest(1)})),
    ],
    ids=["nothing read", "the same value", "still not there", "an earlier one"],
)
def test_an_unchanged_task_is_taken(known: tuple[Earlier, ...]) -> None:
    answer = UnchangedOnly(memory(*known))(TASK, inheriting({"x": 1}))
    assert isinstance(answer, Taken)
    assert (answer.run_id, answer.changes, answer.reason) == (RUN, {"y": 5}, "unchanged since run a1b2c3d4")
    assert set(answer.reads) == set(known[-1].reads)


class Point:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point)

    __hash__ = None  # type: ignore[assignment]  # as any object that can be changed


class Lost(Point):
    pass


BEHIND = [
    ("the same", Point(), {"x": "now"}, None),
    ("nothing, of no class", 1, {}, None),
    ("unknown, of no class", 1, None, None),
    ("another version", Point(), {"x": "before"}, "the code behind 'x' was changed: Point 1.0 → 2.0"),
    ("a forgotten one", Point(), {"x": "forgotten"}, "the code behind 'x' was changed"),
    ("of an earlier version of ours", Point(), None, "run a1b2c3d4 doesn't say which code was behind 'x'"),
    ("in a list", [{"k": Point()}], {"x": "before"}, "the code behind 'x' was changed: Point 1.0 → 2.0"),
    ("what nobody knows", Lost(), {"x": "now"}, "a change behind 'x' might go unseen: nobody knows Lost."),
]


@pytest.mark.parametrize(("value", "known", "said"), [one[1:] for one in BEHIND], ids=[one[0] for one in BEHIND])
def test_the_code_behind_a_value_counts(value: Any, known: dict[str, str] | None, said: str | None) -> None:
    answer = UnchangedOnly(memory(earlier(reads={"x": digest(value)}, behind=known)))(TASK, inheriting({"x": value}))
    assert (None if isinstance(answer, Taken) else answer) == (said and f"executed, as {said}")


def test_equal_numbers_of_two_types_are_two_values() -> None:
    answer = UnchangedOnly(memory(earlier(reads={"x": digest(1)})))(TASK, inheriting({"x": True}))
    assert answer == "executed, as 'x' has another value now"


def test_untracked_code_is_executed_and_why() -> None:
    code = CodeFingerprint("new", {}, ("it reads an open file.", "another"))
    assert UnchangedOnly(memory(earlier(), code=code))(TASK, inheriting({})) == (
        "executed, as a change might go unseen: it reads an open file."
    )


def test_a_value_that_cannot_be_had_is_made_again() -> None:
    answer = UnchangedOnly(memory(earlier(), load=lost))(TASK, inheriting({}))
    assert answer == (
        "executed, as 'y' can't be taken from run a1b2c3d4: The artifact isn't beside the history any more."
    )


def test_an_earlier_run_serves_where_the_latest_can_not() -> None:
    values = iter([HistoryError("damaged"), 7])

    def load(_digest: str, _kept: Kept) -> Any:
        value = next(values)
        if isinstance(value, HistoryError):
            raise value
        return value

    answer = UnchangedOnly(memory(earlier(), earlier(run_id="x-00000002"), load=load))(TASK, inheriting({}))
    assert isinstance(answer, Taken)
    assert (answer.run_id, answer.changes) == ("x-00000002", {"y": 7})


AS_THEY_ARE = {
    "asked for": (["clean"], (), (earlier(),), "executed, as it was asked for"),
    "left out": ([], ["clean"], (earlier(),), LeftOut("because it was not asked for")),
    "skipped there": ([], (), (earlier(outcome="Skipped"),), LeftOut("because it was skipped in run a1b2c3d4")),
    "failed there": ([], (), (earlier(outcome="Failed"),), "executed, as no earlier run has completed it"),
    "not there": ([], (), (), "executed, as no earlier run has completed it"),
}


@pytest.mark.parametrize("case", AS_THEY_ARE)
def test_what_is_done_with_the_tasks_around(case: str) -> None:
    asked_for, left_out, known, expected = AS_THEY_ARE[case]
    assert TakenAsTheyAre(memory(*known), asked_for, left_out)(TASK, inheriting({})) == expected


def test_a_task_is_taken_as_it_was_whatever_has_changed() -> None:
    known = earlier(code="old", reads={"x": digest("something else")})
    answer = TakenAsTheyAre(memory(known), ["other"])(TASK, inheriting({"x": 1}))
    assert isinstance(answer, Taken)
    assert answer.reason == "taken as it was in run a1b2c3d4"


def test_what_cannot_be_taken_as_it_was_is_executed() -> None:
    answer = TakenAsTheyAre(memory(earlier(), load=lost), ["other"])(TASK, inheriting({}))
    assert answer == (
        "executed, as 'y' can't be taken from run a1b2c3d4: The artifact isn't beside the history any more."
    )
