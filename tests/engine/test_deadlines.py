"""One timer for all deadlines: nothing is asked early, late ones are never forgotten, and timers don't pile up."""

import gc
import threading

import pytest

from cloaca_nb.engine.clock import elapsed
from cloaca_nb.engine.deadlines import NEVER, Deadlines
from cloaca_nb.engine.loop import Loop

WAIT = 10
LONG = 1000.0  # seconds that no test waits


class Timers:
    """A loop whose time stands still until it is told to go on."""

    def __init__(self):
        self.set = []

    def call_later(self, seconds, function):
        self.set.append((seconds, function))

    def go_on(self):
        due, self.set = self.set, []
        for _, function in due:
            function()


class Run:
    """A run with deadlines: which of them were due when it was asked."""

    def __init__(self, *dues):
        self.dues = list(dues)
        self.expired = []
        self.asked = threading.Event()

    def expire(self, at):
        self.expired += sorted(due for due in self.dues if due <= at)  # both at once, where the look was late
        self.dues = [due for due in self.dues if due > at]
        if not self.dues:
            self.asked.set()
        return min(self.dues, default=NEVER)


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def timers():
    return Timers()


def test_what_is_due_is_given_up_in_time_and_in_order(loop):
    deadlines, start = Deadlines(loop), elapsed()
    runs = [Run(start + 0.03, start + 0.01), Run(start + 0.02)]
    for run in runs:
        deadlines.watch(run)
        deadlines.look_by(min(run.dues))
    assert all(run.asked.wait(WAIT) for run in runs)
    assert [run.expired for run in runs] == [[start + 0.01, start + 0.03], [start + 0.02]]


def test_nothing_is_asked_before_its_time(timers):
    deadlines, run = Deadlines(timers), Run(elapsed() + LONG)
    deadlines.watch(run)
    deadlines.look_by(run.dues[0])
    ((seconds, _),) = timers.set
    assert LONG - WAIT < seconds <= LONG
    timers.go_on()
    assert run.expired == []
    assert deadlines.next_look == run.dues[0]
    assert len(timers.set) == 1


def test_only_an_earlier_deadline_sets_the_timer(timers):
    deadlines, start = Deadlines(timers), elapsed()
    for due in (start + 2 * LONG, start + 3 * LONG, start + LONG, start + 2 * LONG):
        deadlines.look_by(due)
    assert deadlines.next_look == start + LONG
    assert [round(seconds / LONG) for seconds, _ in timers.set] == [2, 1]


def test_one_that_is_past_is_looked_at_at_once(timers):
    Deadlines(timers).look_by(elapsed() - 1)
    assert [seconds for seconds, _ in timers.set] == [0]


def test_timers_do_not_pile_up(timers):
    """Beside one long task, thousands of short ones come and go."""
    deadlines, run = Deadlines(timers), Run(elapsed() + LONG)
    deadlines.watch(run)
    deadlines.look_by(run.dues[0])
    for _ in range(100):
        deadlines.look_by(elapsed())
        (_, look), *_ = [one for one in timers.set if one[0] < LONG / 2]
        timers.set = [one for one in timers.set if one[1] is not look]
        look()
    assert len(timers.set) == 1
    assert deadlines.next_look == run.dues[0]


def test_a_deadline_that_comes_while_runs_are_asked_is_not_forgotten(timers):
    deadlines, late = Deadlines(timers), elapsed() + LONG

    class Busy(Run):
        def expire(self, at):
            answer = super().expire(at)
            self.dues.append(late)  # an attempt has begun on another thread; nobody is told by this answer
            if late < deadlines.next_look:
                deadlines.look_by(late)
            return answer

    run = Busy(elapsed())
    deadlines.watch(run)
    deadlines.look_by(run.dues[0])
    timers.go_on()
    assert deadlines.next_look == late
    assert len(timers.set) == 1


def test_a_run_that_is_over_is_asked_no_more(timers):
    deadlines, over, going_on = Deadlines(timers), Run(elapsed()), Run(elapsed())
    for run in (over, going_on):
        deadlines.watch(run)
        deadlines.look_by(run.dues[0])
    deadlines.forget(over)
    timers.go_on()
    assert (len(over.expired), len(going_on.expired)) == (0, 1)


def test_a_run_that_nobody_holds_is_gone(timers):
    deadlines, run = Deadlines(timers), Run(elapsed())
    deadlines.watch(run)
    deadlines.look_by(run.dues[0])
    expired = run.expired
    del run
    gc.collect()
    timers.go_on()
    assert expired == []
    assert deadlines.next_look == NEVER
