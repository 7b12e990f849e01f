import signal
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from cloaca_nb.history.history import History
from cloaca_nb.history.interruptible import interruptible

WAIT = 30


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)  # in any thread: Python tells the main one


@pytest.fixture
def in_another_thread() -> Iterator[Callable[[Callable[[], object]], None]]:
    threads: list[threading.Thread] = []

    def start(work: Callable[[], object]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(WAIT)


def fails() -> None:
    raise ValueError("no")


def test_what_it_returns_or_raises() -> None:
    assert interruptible(lambda: 3, fails) == 3
    with pytest.raises(ValueError, match="no"):
        interruptible(fails, fails)


def test_an_interrupt_stops_the_work_and_is_raised_when_that_has_ended() -> None:
    stopped, ended = threading.Event(), threading.Event()

    def work() -> None:
        interrupt()
        assert stopped.wait(WAIT)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(work, stopped.set)
    assert ended.is_set()


def test_a_second_interrupt_leaves_nothing_going_on() -> None:
    calls: list[int] = []
    once, often = threading.Event(), threading.Event()

    def work() -> None:
        interrupt()
        assert once.wait(WAIT)
        interrupt()
        assert often.wait(WAIT)

    def stop() -> None:
        calls.append(1)
        once.set()
        if len(calls) > 5:
            often.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(work, stop)
    assert often.is_set()


def test_a_thread_that_hears_no_interrupt_works_itself(in_another_thread: Callable[..., None]) -> None:
    found: SimpleQueue[bool] = SimpleQueue()
    in_another_thread(lambda: found.put(interruptible(threading.current_thread, fails) is threading.current_thread()))
    assert found.get(timeout=WAIT)


def test_an_interrupt_ends_a_query_that_would_take_hours(
    history: History, in_another_thread: Callable[..., None]
) -> None:
    def once_it_is_asked() -> None:
        while not any(one.name == "cloaca-history-question" for one in threading.enumerate()):
            pass
        interrupt()

    in_another_thread(once_it_is_asked)
    with pytest.raises(KeyboardInterrupt):
        history.sql("SELECT sum(a.range * b.range) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b")
    assert history.runs().empty


@pytest.mark.parametrize(("text", "kind"), [("Query interrupted", KeyboardInterrupt), ("no", RuntimeError)])
def test_what_duckdb_makes_of_an_interrupt_is_one(text: str, kind: type[BaseException], history: History) -> None:
    def work(_reading: object) -> None:
        raise RuntimeError(text)

    with pytest.raises(kind):
        history._store.read(work)
    assert history.runs().empty
