"""What the events of a run become: rows of the history's tables."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloaca_nb.core import events
from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.status import Outcome
from cloaca_nb.history.accounts import NONE_READY, Account, Accounts, Describe, Described, Keep, Ready
from cloaca_nb.history.opening import CodeOf, Fingerprint, Opening, OpenRun, Row, ValuesOf
from cloaca_nb.history.secret_digest import SecretDigest
from cloaca_nb.history.weight import is_light

if TYPE_CHECKING:
    from cloaca_nb.errors import HistoryError

__all__ = ["EventRows", "News", "Part"]

Part: TypeAlias = CodeOf | ValuesOf  # of the beginning of a run
News: TypeAlias = events.Event | Part
COUNTED: Final = tuple(map(str, (Outcome.COMPLETED, Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED)))
NO_FAILURE: Final = ("", "", "", "")
NOTHING_READ: Final[tuple[tuple[str, ...], ...]] = ((), (), ())
NO_VALUE: Final = Account()


class EventRows:
    """Turns events, given in order, into rows by table; for one thread, but for `make_ready`.

    Args:
        journal: the name of the journal that the rows go to.
        describe: tells type, digest, size and preview of a value.
        keep: keeps a value, so that it can be read back.
        fingerprint: tells what the code of a workflow is, as of now.
        secret_digest: see `Accounts`.
    """

    def __init__(
        self,
        journal: str,
        describe: Describe,
        keep: Keep,
        fingerprint: Fingerprint,
        secret_digest: Callable[[str], str] = SecretDigest(None),  # noqa: B008 - it has a key of its own
    ) -> None:
        self._accounts = partial(Accounts, describe, keep, secret_digest)
        self._refusal: HistoryError | None = None  # why a value of what is taken in couldn't be kept
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._opening = Opening(journal, fingerprint, self._rows)
        self._runs: dict[str, OpenRun] = {}  # that were said to have begun: an interrupt may come just before
        self._begun: list[events.AttemptStarted] = []
        self._ended: list[Row] = []
        self._translate: dict[type, Callable[[Any], None]] = {
            events.RunStarted: self._run_started,
            CodeOf: self._code_found,
            ValuesOf: self._values_found,
            events.AttemptStarted: self._attempt_started,
            events.OutputWritten: self._output_written,
            events.ProgressMade: self._progress_made,
            events.AttemptFailed: self._attempt_failed,
            events.TaskFinished: self._task_finished,
            events.RunFinished: self._run_finished,
        }

    def add(self, news: News, ready: Mapping[int, Ready] = NONE_READY) -> None:
        """Take in the next event, or part of the beginning of a run.

        Args:
            news: as it was said. Of the beginning of a run that is what is at hand, see `parts`.
            ready: what `make_ready` has made of it.

        Raises:
            HistoryError: if the disk refuses a value; all else was taken in.
        """
        self._refusal = None  # that of an event which failed was told with it
        if not ready:
            self._translate[type(news)](news)
        else:
            self._add_ready(news, ready)
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise refusal

    def parts(self, event: events.RunStarted) -> Iterator[Part]:
        """Yield what else is to be taken in of the beginning of a run, and may take time."""
        return self._opening.parts(event)

    def is_heavy(self, news: News) -> bool:
        """Whether it may take time to take it in, as values have to be digested and written, or code looked at."""
        run = self._runs.get(news.run_id)
        if run is None:
            return False
        if type(news) is events.TaskFinished:  # thousands of these come
            return (bool(news.changes) and not all(map(is_light, news.changes.values()))) or (
                bool(news.reads) and not _are_at_hand(news.reads, run)
            )
        if type(news) is events.RunFinished:
            return not all(is_light(value) or run.accounts.is_kept(value) for value in news.final.values())
        return type(news) is ValuesOf or (type(news) is CodeOf and not self._opening.is_quick(news.workflow))

    def make_ready(self, news: News) -> dict[int, Ready]:
        """Digest and write values, or look at code, while another thread takes in other news."""
        run, ready = self._runs.get(news.run_id), dict[int, Ready]()
        if run is None:
            return ready
        match news:
            case events.TaskFinished():
                _make_ready(news.changes.values(), ready, partial(run.accounts.make_ready, is_set=True))
                _make_ready(news.reads.values(), ready, partial(run.accounts.make_ready, is_read=True))
            case events.RunFinished():
                _make_ready(news.final.values(), ready, run.accounts.make_ready)
            case ValuesOf():
                _make_ready(news.to_keep(), ready, run.accounts.make_ready)
                _make_ready(news.to_compare(), ready, partial(run.accounts.make_ready, is_read=True))
            case CodeOf():
                self._opening.look_at_code(run)
        return ready

    def dependencies(self, run_id: str, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that a task of an open run depends on."""
        run = self._runs.get(run_id)
        return () if run is None else run.workflow.dependencies.get(task_id, ())

    def take(self) -> dict[str, list[Row]]:
        """Return the rows since the last call, by table, each in the order of the table's columns."""
        for event in self._begun:
            run = self._runs.get(event.run_id)
            if run is not None and run.open_attempts.get(event.task_id) is event:
                at, run_id, task_id, attempt = event
                self._rows["events"].append((run_id, at, "AttemptStarted", task_id, attempt, None, None, ""))
        self._begun.clear()
        rows = dict(self._rows)
        self._rows.clear()
        if self._ended:
            rows["ended"], self._ended = self._ended, []
        return rows

    def _add_ready(self, news: News, ready: Mapping[int, Ready]) -> None:
        accounts = self._runs[news.run_id].accounts
        accounts.ready = ready
        try:
            self._translate[type(news)](news)
        finally:
            accounts.ready = NONE_READY

    def _run_started(self, event: events.RunStarted) -> None:
        run = self._runs[event.run_id] = OpenRun(self._accounts(), event.workflow)
        self._opening.begin(event, run)
        self._note_refusal(run)

    def _code_found(self, part: CodeOf) -> None:
        self._opening.say_code(self._runs[part.run_id])

    def _values_found(self, part: ValuesOf) -> None:
        run = self._runs[part.run_id]
        self._opening.say_values(part, run)
        self._note_refusal(run)

    def _attempt_started(self, event: events.AttemptStarted) -> None:
        run = self._runs.get(event.run_id)
        if run is not None:
            run.open_attempts[event.task_id] = event
            self._begun.append(event)

    def _output_written(self, event: events.OutputWritten) -> None:
        self._rows["logs"].append((event.run_id, event.task_id, event.attempt, event.at, event.stream, event.text))

    def _progress_made(self, event: events.ProgressMade) -> None:
        identity = (event.run_id, event.at, "ProgressMade", event.task_id, event.attempt)
        self._rows["events"].append((*identity, event.done, event.total, event.message))

    def _attempt_failed(self, event: events.AttemptFailed) -> None:
        run = self._runs.get(event.run_id)
        if run is None:
            return
        begun = run.open_attempts.pop(event.task_id, None)
        started = begun.at if begun else None
        if begun and event.retry_in is not None:
            run.first_starts.setdefault(event.task_id, begun.at)
            identity = (event.run_id, event.task_id, event.attempt)
            times = (started, event.at)
            self._rows["attempts"].append((*identity, str(Outcome.FAILED), *times, *event.failure, event.retry_in))
        elif begun:  # the task is over, and will say so
            run.open_attempts[event.task_id] = begun

    def _task_finished(self, event: events.TaskFinished) -> None:
        at, run_id, task_id, attempt, outcome, changes, failure, reason, reads, taken_from = event
        run = self._runs.get(run_id)
        if run is None:
            return
        begun = run.open_attempts.pop(task_id, None)
        started = begun.at if begun else None
        first_start = run.first_starts.get(task_id, started) if run.first_starts else started
        word = str(outcome)  # a plain string: the enumeration hashes and compares far slower
        run.outcomes[word] = run.outcomes.get(word, 0) + 1
        place, code = run.workflow.positions.get(task_id), run.code.tasks.get(task_id)
        code_digest = code.digest if code else None
        exception, message, where, traceback = failure or NO_FAILURE
        keys, digests, behind = self._read(task_id, reads, run) if reads else NOTHING_READ
        self._ended.append(
            # one tuple, written out: thousands of these are made beside the tasks themselves
            (run_id, task_id, place, word, attempt, first_start, started, at, reason)  # noqa: RUF005 - the faster way
            + (exception, message, where, traceback, code_digest, keys, digests, taken_from or None, behind)
        )
        for key, value in changes.items():
            self._add_change(event, run, key, value)

    def _read(self, task_id: str, reads: Mapping[str, Any], run: OpenRun) -> tuple[tuple[str | None, ...], ...]:
        """Return the keys that a task has asked for, and of each value the digest, and the fingerprint of its code.

        A digest is empty if there was no value, and None if it doesn't cover all that the value holds.
        """
        describe = run.accounts.describe
        found = [None if value is MISSING else describe(value) for value in reads.values()]
        keys, digests = tuple(reads), tuple(map(_digest_of, found))
        if not any(map(_is_behind, found)):
            return keys, digests, ()
        return keys, digests, tuple(self._code_behind(task_id, one, run) for one in found)

    def _code_behind(self, task_id: str, described: Described | None, run: OpenRun) -> str:
        if described is None or not described.behind:
            return ""
        fingerprint = run.code.behind(task_id, described.behind)
        self._opening.say_fingerprint(fingerprint)
        return fingerprint.digest if fingerprint.parts else ""

    def _add_change(self, event: events.TaskFinished, run: OpenRun, key: str, value: Any) -> None:
        run.last_setter[key] = event.task_id
        role = "deleted" if value is DELETED else "set"
        account = self._add_value((event.run_id, role, key, event.task_id, event.at), run, value)
        run.setters[key, account.digest] = event.task_id

    def _run_finished(self, event: events.RunFinished) -> None:
        run = self._runs.pop(event.run_id, None)
        if run is None:
            return
        counts = (run.outcomes.get(word, 0) for word in COUNTED)
        self._rows["endings"].append((event.run_id, event.status, event.at, event.error, *counts))
        for key, value in event.final.items():
            digest = run.accounts.describe(value).digest
            setter = run.setters.get((key, digest), run.last_setter.get(key))
            self._add_value((event.run_id, "final", key, setter, event.at), run, value)

    def _add_value(self, place: tuple[str, str, str, str | None, float], run: OpenRun, value: Any) -> Account:
        account = NO_VALUE if value is DELETED else run.accounts.of(value, is_set=place[1] == "set")
        self._rows["artifacts"].append((*place, *account))
        self._note_refusal(run)
        return account

    def _note_refusal(self, run: OpenRun) -> None:
        self._refusal = run.accounts.error or self._refusal


def _make_ready(values: Iterable[Any], ready: dict[int, Ready], make: Callable[[Any], Ready]) -> None:
    for value in values:
        if id(value) not in ready and not is_light(value):
            ready[id(value)] = make(value)


def _are_at_hand(values: Mapping[str, Any], run: OpenRun) -> bool:
    """Whether values that are inherited are light, or described already."""
    return all(is_light(value) or run.accounts.is_known(value) for value in values.values())


def _is_behind(described: Described | None) -> bool:
    return described is not None and bool(described.behind)


def _digest_of(described: Described | None) -> str | None:
    if described is None:
        return ""
    return described.digest if described.exact else None
