"""An exception as its user should see it: their own frames, the line and its source, from whichever thread."""

import linecache
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

from cloaca_nb.core.events import Failure
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.declare.place import file_label
from cloaca_nb.engine.hints import hint

__all__ = ["Account", "describe_failure", "explain", "give_account", "read_account", "secret_locals"]

OURS: Final = str(Path(__file__).parent.parent)  # frames below this folder tell a user nothing
LONGEST: Final = 100_000  # characters of an exception's text that are kept


class Frame(NamedTuple):
    """One line of a traceback; it can travel between processes, as those of `traceback` need not."""

    filename: str
    lineno: int
    name: str
    line: str  # empty where its source isn't known


class Account(NamedTuple):
    """All that there is to say of an exception, also in another process."""

    exception: str  # the type's name
    message: str
    frames: tuple[Frame, ...]  # the user's own
    end: str  # of the traceback's text, below the frames


def describe_failure(error: BaseException) -> Failure:
    """Return what to say about `error`.

    The place is that of the innermost frame of user code; of library code only where no user code is on the stack.
    """
    return read_account(give_account(error))


def give_account(error: BaseException) -> Account:
    """Return what there is to say about `error`, in the process where it was raised."""
    _add_hint(error)
    return Account(type(error).__name__, _message(error), _user_frames(error.__traceback__), _render_end(error))


def read_account(account: Account) -> Failure:
    """Return it as the user sees it: this process knows which file is which cell."""
    frames = account.frames
    place = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), None)
    where = _where(place or frames[-1]) if frames else ""
    return Failure(*map(_encodable, (account.exception, account.message, where, _render(account))))


def secret_locals(error: BaseException, keys: SecretKeys) -> dict[str, Any]:
    """Return what the body that failed holds in names that are secret: it may have had no time to set the keys."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    body = next((frame for frame in frames if not frame.f_code.co_filename.startswith(OURS)), None)
    return {} if body is None else {name: value for name, value in body.f_locals.items() if name in keys}


def explain(workflow: Workflow, record: RunRecord) -> str:
    """Say in a sentence which task of a failed run failed first, how and where; and which others did."""
    failed = [task for task in record.tasks.values() if task.failure is not None and task.outcome is Outcome.FAILED]
    first = min(failed, key=lambda task: task.ended or 0.0)
    others = [task.task_id for task in failed if task is not first]
    more = f" Also failed: {', '.join(others)}." if others else ""
    return _sentence(workflow[first.task_id], first.failure) + more


def _sentence(task: Task, failure: Failure | None) -> str:
    if failure is None:
        return ""
    place = f" ({failure.where})" if failure.where else ""
    return f"Task {task.id!r} failed: {failure.exception}: {failure.message.rstrip('.')}{place}."


def _add_hint(error: BaseException) -> None:
    with suppress(BaseException):  # the user's exception may refuse to be read or added to
        if fix := hint(error):
            error.add_note(fix)


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException as broken:  # noqa: BLE001 - a broken __str__ must not hide that the task failed
        return f"<its __str__ raised {type(broken).__name__}>"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _encodable(text: str) -> str:
    """Return a text that can be printed and put in a frame: names of files may hold what is no Unicode."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _user_frames(trace: TracebackType | None) -> tuple[Frame, ...]:
    found = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith((OURS, "<frozen "))]
    return tuple(Frame(frame.filename, frame.lineno or 0, frame.name, frame.line or "") for frame in found)


def _where(frame: Frame) -> str:
    return f"{file_label(frame.filename)}, line {frame.lineno}, in {frame.name}"


def _render(account: Account) -> str:
    lines = ["Traceback (most recent call last):\n"] if account.frames else []
    for frame in account.frames:
        lines.append(f"  {_where(frame)}\n")
        # another process has no source of a notebook's cells
        if source := frame.line or linecache.getline(frame.filename, frame.lineno):
            lines.append(f"    {source.strip()}\n")
    return "".join([*lines, account.end])


def _render_end(error: BaseException) -> str:
    lines = [f"{type(error).__name__}: {_message(error)}".rstrip(": ") + "\n"]
    lines += [f"{note}\n" for note in getattr(error, "__notes__", ())]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        said = f"{type(cause).__name__}: {_message(cause)}\n"
        lines += [f"caused by {said}"] * (said != lines[0])  # pandas raises what it has caught again
    return "".join(lines)
