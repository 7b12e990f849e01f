"""The lock of a run: reentrant, exclusive however long it is kept, and not left taken by an interrupt."""

import threading

import pytest

from cloaca_nb.core.events import RunFinished, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.engine.run_lock import LOOKS, MOMENT, RunLock

WAIT = 10


def do_nothing(_context): ...


def test_it_is_reentrant_and_knows_whose_it_is():
    lock, seen = RunLock(), []
    with lock:
        with lock:
            assert lock.is_mine
            other = threading.Thread(target=lambda: seen.append(lock.is_mine))
            other.start()
            other.join(WAIT)
        assert lock.is_mine
    assert not lock.is_mine
    assert seen == [False]


@pytest.mark.parametrize("kept_for", [0, 100 * LOOKS * MOMENT], ids=["a moment", "longer than it is looked at"])
def test_who_comes_meanwhile_waits(kept_for):
    lock, order, coming = RunLock(), [], threading.Event()

    def come():
        coming.set()
        with lock:
            order.append("second")

    other = threading.Thread(target=come)
    with lock:
        other.start()
        assert coming.wait(WAIT)
        other.join(kept_for)
        order.append("first")
    other.join(WAIT)
    assert order == ["first", "second"]


def test_two_threads_are_never_inside():
    lock, inside, most = RunLock(), [], []

    def visit():
        for _ in range(300):
            with lock:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WAIT)
    assert len(most) == 1200
    assert set(most) == {1}


def test_leaving_gives_it_back_however_often_it_was_taken():
    lock = RunLock()
    lock.leave()
    lock.acquire()
    lock.acquire()
    lock.leave()
    assert not lock.is_mine


def test_an_interrupt_on_the_way_in_leaves_no_run_behind(engine, events, monkeypatch):
    """It comes at the one moment at which the lock is taken and no `with` block would give it back."""
    enter, main = RunLock.__enter__, threading.current_thread()

    def interrupted(lock):
        enter(lock)
        if threading.current_thread() is main:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunLock, "__enter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.start(Workflow("w", [Task("a", do_nothing, (), keys=Keys())]), {})
    assert isinstance(events[-1], RunFinished)
    assert [event.outcome for event in events if isinstance(event, TaskFinished)] == [Outcome.CANCELLED]
