"""Who works, who waits, and in whose place."""

import threading

import pytest

from cloaca_nb.engine.workers import Workers

WAIT = 10


@pytest.fixture
def workers():
    made = Workers(1)
    yield made
    made.close()


def piece(function):
    """Make a piece of work of a function, and the event that says that it is done."""
    done = threading.Event()

    def work():
        function()
        done.set()

    return work, done


def start(workers, function):
    work, done = piece(function)
    workers.put([work])
    return done


def test_a_thread_that_waits_lends_its_place(workers):
    other = threading.Event()

    def wait():
        with workers.released():
            assert other.wait(WAIT)

    waiting = start(workers, wait)
    assert start(workers, other.set).wait(WAIT)
    assert waiting.wait(WAIT)


def test_a_thread_takes_its_place_back_in_turn(workers):
    """While another one works in its place, it waits; and it is back before new work starts."""
    lent, release, order = threading.Event(), threading.Event(), []

    def wait():
        with workers.released():
            assert lent.wait(WAIT)
        order.append("back")

    def work():
        lent.set()
        assert release.wait(WAIT)
        order.append("work")

    waiting, working = start(workers, wait), start(workers, work)
    assert lent.wait(WAIT)
    assert not waiting.wait(0.05)
    new = start(workers, lambda: order.append("new"))
    release.set()
    assert all(done.wait(WAIT) for done in (working, waiting, new))
    assert order == ["work", "back", "new"]


def test_a_thread_that_is_given_up_stays_outside_until_its_work_ends(workers):
    places, hang, freed = [], threading.Event(), threading.Event()

    def hanging():
        places.append(workers.place())
        freed.set()
        with workers.released():
            assert hang.wait(WAIT)
        workers.returned(places[0])

    hanging_done = start(workers, hanging)
    assert freed.wait(WAIT)
    workers.give_up(places[0])
    workers.give_up(places[0])
    assert start(workers, lambda: None).wait(WAIT)
    hang.set()
    assert hanging_done.wait(WAIT)
    at_work, most = [], []

    def count():
        at_work.append(1)
        most.append(len(at_work))
        at_work.pop()

    assert all(done.wait(WAIT) for done in [start(workers, count) for _ in range(50)])
    assert set(most) == {1}


def test_a_thread_that_hangs_frees_its_place_when_it_is_given_up(workers):
    places, begun, hang = [], threading.Event(), threading.Event()

    def hanging():
        places.append(workers.place())
        begun.set()
        assert hang.wait(WAIT)
        workers.returned(places[0])

    hanging_done = start(workers, hanging)
    assert begun.wait(WAIT)
    other = start(workers, lambda: None)
    assert not other.is_set()
    workers.give_up(places[0])
    assert other.wait(WAIT)
    hang.set()
    assert hanging_done.wait(WAIT)


def test_giving_up_ends_the_wait_for_a_place(workers):
    places, lent, release = [], threading.Event(), threading.Event()

    def wait():
        places.append(workers.place())
        with workers.released():
            assert lent.wait(WAIT)
        workers.returned(places[0])

    def work():
        lent.set()
        assert release.wait(WAIT)

    waiting, working = start(workers, wait), start(workers, work)
    assert lent.wait(WAIT)
    workers.give_up(places[0])
    assert waiting.wait(WAIT)
    release.set()
    assert working.wait(WAIT)


def test_an_error_ends_no_thread(workers, caplog):
    def boom():
        raise SystemExit

    start(workers, boom)
    assert start(workers, lambda: None).wait(WAIT)
    assert "an error that nobody had answered" in caplog.text


def test_a_chain_stays_on_its_thread(workers):
    threads, done = [], threading.Event()

    def link(left):
        def work():
            threads.append(threading.get_ident())
            return link(left - 1) if left else done.set()

        return work

    workers.put([link(5)])
    assert done.wait(WAIT)
    assert len(threads) == 6
    assert len(set(threads)) == 1


def test_threads_end_when_it_is_closed():
    workers, ended = Workers(3), []
    meeting = threading.Barrier(3, timeout=WAIT)

    def meet():
        ended.append(threading.current_thread())
        meeting.wait()

    assert all(done.wait(WAIT) for done in [start(workers, meet) for _ in range(3)])
    workers.close()
    for thread in ended:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in ended)
