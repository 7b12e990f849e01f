"""Turns: given first come first served, from any thread, and never lost, whoever gives up waiting and when."""

import asyncio
import threading
from functools import partial

import pytest

from cloaca_nb.engine.turns import Turns

WAIT = 10


def free_turns(turns, most=10):
    """How many can be taken now; they stay taken."""
    return sum(turns.take(lambda: None) for _ in range(most))


def test_there_are_as_many_as_there_are():
    assert free_turns(Turns(3)) == 3


def test_who_comes_first_is_called_back_first():
    turns, called = Turns(1), []
    assert turns.take(lambda: None)
    assert not any(turns.take(partial(called.append, name)) for name in "abc")
    assert called == []
    for _ in range(3):
        turns.give_back()
    assert called == ["a", "b", "c"]
    turns.give_back()
    assert free_turns(turns) == 1


def test_a_thread_gives_one_back_to_a_loop():
    turns, waits = Turns(1), threading.Event()
    assert turns.take(lambda: None)

    def give_back():
        assert waits.wait(WAIT)
        turns.give_back()

    async def main():
        threading.Thread(target=give_back).start()
        waiting = asyncio.ensure_future(turns.wait())
        await asyncio.sleep(0)
        waits.set()
        await asyncio.wait_for(waiting, WAIT)

    asyncio.run(main())
    turns.give_back()
    assert free_turns(turns) == 1


async def cancelled(waiting):
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def cancel_while_it_waits(turns, waiting):
    await cancelled(waiting)
    turns.give_back()
    await asyncio.sleep(0)


async def grant_and_cancel_at_once(turns, waiting):
    turns.give_back()  # takes effect at the loop's next turn, which the cancellation comes before
    await cancelled(waiting)
    await asyncio.sleep(0)


async def cancel_once_it_is_granted(turns, waiting):
    turns.give_back()
    asyncio.get_running_loop().call_soon(waiting.cancel)  # after the grant, before who waits has gone on
    with pytest.raises(asyncio.CancelledError):
        await waiting


ENDS = [cancel_while_it_waits, grant_and_cancel_at_once, cancel_once_it_is_granted]


@pytest.mark.parametrize("end", ENDS)
def test_who_gives_up_waiting_takes_no_turn_away(end):
    async def main():
        turns = Turns(1)
        await turns.wait()
        waiting = asyncio.ensure_future(turns.wait())
        await asyncio.sleep(0)
        await end(turns, waiting)
        return free_turns(turns)

    assert asyncio.run(main()) == 1


def test_the_next_one_gets_the_turn_of_who_gave_up():
    async def main():
        turns, got = Turns(1), []
        await turns.wait()
        first, second = (asyncio.ensure_future(turns.wait()) for _ in range(2))
        second.add_done_callback(got.append)
        await asyncio.sleep(0)
        first.cancel()
        turns.give_back()
        await asyncio.wait_for(second, WAIT)
        return got, free_turns(turns)

    got, free = asyncio.run(main())
    assert len(got) == 1
    assert free == 0


def test_many_loops_and_threads_lose_none():
    turns, inside, most, lock = Turns(2), [], [], threading.Lock()

    async def use():
        await turns.wait()
        with lock:
            inside.append(1)
            most.append(len(inside))
        await asyncio.sleep(0)
        with lock:
            inside.pop()
        turns.give_back()

    async def use_all():
        await asyncio.gather(*(use() for _ in range(50)))

    threads = [threading.Thread(target=asyncio.run, args=(use_all(),)) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WAIT)
    assert len(most) == 150
    assert max(most) <= 2
    assert free_turns(turns) == 2
