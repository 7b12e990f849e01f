"""What is asked of a history: its tables, caught up from the journals at every question."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cloaca_nb.history.database import Connection, Database, Desk, select
from cloaca_nb.history.interruptible import interruptible

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Reading", "Store"]

T = TypeVar("T")
PAUSE: Final = 0.02  # seconds between two turns: long enough for whoever waits to take theirs
SILENCE: Final = 3.0  # seconds that a question may take without a word
logger = logging.getLogger(__name__)


class Reading:
    """The tables as they are just now, for as many questions as it takes: nothing is added or removed in between."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def table(self, sql: str, *parameters: Any) -> "pa.Table":
        """Return what one statement that only reads answers.

        Raises:
            HistoryError: for a mistake in the statement.
        """
        return select(self._connection, sql, parameters)

    def asked(self, sql: str) -> "pa.Table":
        """Return what a statement of the user's answers: it may take long, so an interrupt ends it; see `table`."""
        return interruptible(lambda: select(self._connection, sql), self._connection.interrupt)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return what a statement of our own answers, as rows: who asks so needn't wait for Arrow to be loaded."""
        answer = self._connection.execute(sql, parameters)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


class Store:
    """What is asked of a history.

    Args:
        database: where the tables are.
        catch_up: merges what was recorded since, for about a second, and says whether that was all; called before each
            question.
        sleep: waits for so many seconds between two turns.
    """

    def __init__(
        self, database: Database, catch_up: Callable[[Desk], bool], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._database = database
        self._catch_up = catch_up
        self._sleep = sleep

    def merge(self) -> None:
        """Bring the tables up to what is recorded.

        Raises:
            HistoryError: if the database can't be reached; nothing is lost then.
        """
        self._caught_up(lambda _: None, or_copy=False)

    def read(self, work: Callable[[Reading], T], *, up_to_date: bool = True) -> T:
        """Return what `work` makes of the tables.

        Args:
            work: must not keep the reading.
            up_to_date: whether everything that was recorded so far is put in them first.

        Raises:
            HistoryError: for a mistake in a statement, or a database that can't be reached.
        """

        def answer(desk: Desk) -> T:
            return work(Reading(desk.connection))

        return self._caught_up(answer) if up_to_date else self._database.use(answer)

    def change(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, done with everything that was recorded so far in the tables; see `merge`."""
        return self._caught_up(lambda desk: work(desk.connection), or_copy=False)

    def _caught_up(self, work: Callable[[Desk], T], *, or_copy: bool = True) -> T:
        """Return what `work` returns once everything is merged: where that is much, in turns with other processes."""

        def in_turn(desk: Desk) -> tuple[T] | None:
            return (work(desk),) if self._catch_up(desk) else None

        began, is_said = time.monotonic(), False
        while (done := self._database.use(in_turn, or_copy=or_copy)) is None:
            if time.monotonic() - began > SILENCE and not is_said:
                is_said = True
                logger.warning("The history takes in what was recorded and not merged yet: that is much, so it lasts.")
            self._sleep(PAUSE)
        return done[0]

    def shrink(self) -> int:
        """Give the room of deleted rows back to the disk; see `Database.shrink`."""
        return self._database.shrink()

    def close(self) -> None:
        """Let go of the database; idempotent."""
        self._database.close()
