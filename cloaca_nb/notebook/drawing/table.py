"""What remains of a run or a workflow in a saved notebook: HTML with inline styles only, and the same as text.

Colours and backgrounds are chosen for any page: light, dark, trusted or not, with or without JupyterLab's style sheet.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from cloaca_nb.core.conflict import conflict_lines
from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import ProgressMade
from cloaca_nb.core.look import LOOKS, Look, counted_states, look_of, state_of
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.notebook.drawing.picture import draw, image

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.notebook.drawing.layout import Layout

__all__ = ["blamed", "going_html", "going_text", "note_of", "run_html", "run_text", "workflow_html", "workflow_text"]

_MOST_ROWS = 200  # more would make the notebook heavy; history has them all

_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_SIZE = "font-size:13px;line-height:1.45"
_LINE = "rgba(128,136,150,0.2)"
_CELL = f"padding:4px 10px;border:none;border-bottom:1px solid {_LINE};text-align:left;vertical-align:middle"
_HEAD = "padding:4px 10px;border:none;text-align:left;font-weight:500;font-size:11px;opacity:0.65;background:none"
_COLUMNS = (("Task", "width:1%"), ("Timeline", "width:32%"), ("Elapsed", "width:72px;text-align:right"), ("Notes", ""))
_QUIET = "opacity:0.65"
_GOING_ON = (
    "Began on {began}. This notebook hasn't kept how it ended: %cloaca_history {run} tells. "
    "If its kernel was stopped before that, %cloaca_run --resume goes on with it."
)


def run_html(record: RunRecord, layout: "Layout", now: float, *, key: str = "") -> str:
    """Return a run as HTML: its status, the picture and a row per task.

    Args:
        record: the run.
        layout: of its workflow.
        now: seconds since the epoch, up to which the time of running tasks is counted.
        key: of the panel that shows itself in place of this, where there is one.
    """
    picture = image(draw(layout, record, now), f"Graph of {_name(record)}: {_counts(record)}")
    drawn = f'<div style="overflow-x:auto;padding:8px 0">{picture}</div>{_table(record, now)}'
    facts = f"{escape(duration(record.elapsed(now)))} · {_counts(record)}"
    return _placed(record, f"{_heading(record, facts)}{_error(record)}{_conflicts(record)}{drawn}", key)


def going_html(record: RunRecord, *, key: str) -> str:
    """Return what holds the place of a run that goes on, and is true whenever the notebook is opened again.

    Args:
        record: the run.
        key: of the panel that shows itself in place of this.
    """
    name = f'<strong style="font-size:15px">{escape(_name(record))}</strong>'
    words = f'<div style="{_QUIET};padding:6px 0">{escape(_going_on(record))}</div>'
    return _placed(record, f"<div>{name} {_quiet(short(record.run_id))}</div>{words}", key)


def going_text(record: RunRecord) -> str:
    """Return the same as plain text."""
    return f"{_name(record)}  {short(record.run_id)}\n  {_going_on(record)}"


def _going_on(record: RunRecord) -> str:
    began = datetime.fromtimestamp(record.started, UTC).astimezone()
    return _GOING_ON.format(began=f"{began:%Y-%m-%d at %H:%M}", run=short(record.run_id))


def run_text(record: RunRecord, now: float) -> str:
    """Return a run as plain text: a heading and a line per task."""
    mark = look_of(record.status).mark
    words = f"{record.status.value} in {duration(record.elapsed(now))}"
    lines = [f"{mark} {_name(record)}  {words}  ({_counts(record)})"]
    if _says_more(record):
        lines.append(f"  {record.error}")
    lines += [f"  ! {one}" for one in conflict_lines(record.conflicts)]
    shown, left_out = _shown(record, now)
    width = max((len(task.task_id) for task in shown), default=0)
    lines += [_line(task, record, width, now) for task in shown]
    return "\n".join(lines + ([f"  {left_out}"] if left_out else []))


def workflow_html(workflow: "Workflow", layout: "Layout") -> str:
    """Return a workflow as HTML: its picture and what is in it."""
    summary = _workflow_summary(workflow)
    picture = image(draw(layout), f"Graph of {workflow.name}: {summary}")
    dashed = " Dashed: inferred from what the tasks read and set." if workflow.inferred_dependencies else ""
    return (
        f'<div data-workflow="{escape(workflow.name)}" style="{_FONT};{_SIZE}">'
        f'<div><strong style="font-size:15px">{escape(workflow.name)}</strong> '
        f'<span style="{_QUIET};padding-left:6px">{summary}.{dashed}</span></div>'
        f'<div style="overflow-x:auto;padding:8px 0">{picture}</div></div>'
    )


def workflow_text(workflow: "Workflow") -> str:
    """Return a workflow as plain text: each task and what it depends on."""
    lines = [f"{workflow.name}: {_workflow_summary(workflow)}"]
    width = max(len(task.id) for task in workflow.tasks)
    lines += [f"  {task.id:<{width}}{_after(workflow, task.id)}".rstrip() for task in workflow.tasks]
    return "\n".join(lines)


# --- a workflow's words ---


def _workflow_summary(workflow: "Workflow") -> str:
    edges = sum(map(len, workflow.dependencies.values()))
    inferred = sum(map(len, workflow.inferred_dependencies.values()))
    words = [_number(len(workflow.tasks), "task"), _number(edges, "dependency", "dependencies")]
    return ", ".join(words) + (f" ({inferred} inferred)" if inferred else "")


def _after(workflow: "Workflow", task_id: str) -> str:
    inferred = workflow.inferred_dependencies.get(task_id, ())
    names = [f"{name} (inferred)" if name in inferred else name for name in workflow.dependencies[task_id]]
    return f"  after {', '.join(names)}" if names else ""


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


# --- a run's words ---


def _name(record: RunRecord) -> str:
    return record.workflow.name if record.workflow else ""


def _counts(record: RunRecord) -> str:
    return counted_states(record.tasks.values())


def _says_more(record: RunRecord) -> bool:
    """Say whether a run's error is more than that of a task: that one stands beside the task."""
    return bool(record.error) and not any(task.failure for task in record.tasks.values())


def note_of(task: TaskRecord) -> str:
    """Return why a task failed, was left out, taken or executed again, else how far it says it is; may be empty."""
    if task.failure:
        return f"{task.failure.exception}: {task.failure.message}".removesuffix(": ")
    return task.reason or (_progress(task.progress) if task.progress and task.outcome is Outcome.RUNNING else "")


def _progress(progress: ProgressMade) -> str:
    """Return e.g. ``60/100 rows``."""
    total = "" if progress.total is None else f"/{progress.total:,g}"
    return f"{progress.done:,g}{total} {progress.message}".rstrip()


def _attempts(task: TaskRecord) -> str:
    return f"{task.attempts} attempts" if task.attempts > 1 else ""


def _where(task: TaskRecord, record: RunRecord) -> str:
    """Return where a task failed; not of the one whose traceback the cell that ran it shows."""
    return task.failure.where if task.failure and task is not blamed(record) else ""


def blamed(record: RunRecord) -> TaskRecord | None:
    """Return the task that a failed run blames: the first that failed."""
    failed = [task for task in record.tasks.values() if task.failure and task.outcome is Outcome.FAILED]
    return min(failed, key=lambda task: task.ended or 0.0, default=None) if record.status is Status.FAILED else None


def _line(task: TaskRecord, record: RunRecord, width: int, now: float) -> str:
    facts = [
        LOOKS[state_of(task)].mark,
        f"{task.task_id:<{width}}",
        f"{duration(task.elapsed(now)) or state_of(task).lower():>10}",
        "  ".join(filter(None, (_attempts(task), " ".join(note_of(task).split()), _where(task, record)))),
    ]
    return f"  {'  '.join(facts)}".rstrip()


def _shown(record: RunRecord, now: float) -> tuple[Sequence[TaskRecord], str]:
    """Return the tasks to list, in registration order, and a sentence on those left out: the fastest that completed."""
    tasks = list(record.tasks.values())
    if len(tasks) <= _MOST_ROWS:
        return tasks, ""
    ranked = sorted(tasks, key=lambda task: (task.outcome is Outcome.COMPLETED, -(task.elapsed(now) or 0.0)))
    chosen = {task.task_id for task in ranked[:_MOST_ROWS]}
    shown = [task for task in tasks if task.task_id in chosen]
    return shown, f"… and {len(tasks) - len(shown):,} more tasks, the quickest of this run; history has them all."


# --- a run's HTML ---


def _placed(record: RunRecord, content: str, key: str) -> str:
    panel = f'data-cloaca-panel="{escape(key)}" ' if key else ""
    style = f"{_FONT};{_SIZE};max-width:1100px"
    return f'<div {panel}data-run-status="{record.status.value}" style="{style}">{content}</div>'


def _heading(record: RunRecord, facts: str) -> str:
    look = look_of(record.status)
    pill = (
        f"display:inline-block;padding:1px 10px;border-radius:10px;background-color:{look.either};color:#ffffff;"
        "font-size:12px;font-weight:600"
    )
    return (
        f'<div><span style="{pill}">{look.mark} {record.status.value}</span> '
        f'<strong style="font-size:15px;padding-left:6px">{escape(_name(record))}</strong> '
        f'<span style="{_QUIET};padding-left:8px">{facts}</span></div>'
    )


def _error(record: RunRecord) -> str:
    if not _says_more(record):
        return ""
    return _notice(record.error, look_of(Status.FAILED), "rgba(221,71,76,0.08)")


def _conflicts(record: RunRecord) -> str:
    lines = conflict_lines(record.conflicts)
    return _notice("\n".join(lines), look_of(Outcome.RETRYING), "rgba(183,118,15,0.08)") if lines else ""


def _notice(text: str, look: Look, background: str) -> str:
    style = f"margin:8px 0 0 0;padding:6px 12px;border-left:3px solid {look.either};background-color:{background}"
    return f'<div style="{style};white-space:pre-wrap;overflow-wrap:anywhere">{escape(text)}</div>'


def _table(record: RunRecord, now: float) -> str:
    shown, left_out = _shown(record, now)
    span = max(record.elapsed(now), 1e-9)
    heads = "".join(f'<th style="{_HEAD};{style}">{name}</th>' for name, style in _COLUMNS)
    rows = "".join(_row(task, record, span, now) for task in shown)
    rest = f'<div style="{_QUIET};padding:6px 10px">{left_out}</div>' if left_out else ""
    return (
        f'<table style="width:100%;border-collapse:collapse;table-layout:auto;border:none;margin:0;font-size:13px">'
        f'<thead><tr style="background:none;border:none">{heads}</tr></thead><tbody>{rows}</tbody></table>{rest}'
    )


def _row(task: TaskRecord, record: RunRecord, span: float, now: float) -> str:
    look = LOOKS[state_of(task)]
    cells = (
        (f"{_CELL};white-space:nowrap", _label(task, look)),
        (_CELL, _bar(task, look, record.started, span, now)),
        (
            f"{_CELL};white-space:nowrap;text-align:right",
            escape(duration(task.elapsed(now))) or _quiet(state_of(task).lower()),
        ),
        (f"{_CELL};font-size:12px;overflow-wrap:anywhere", _remarks(task, record)),
    )
    inner = "".join(f'<td style="{style}">{content}</td>' for style, content in cells)
    marks = f'data-task-id="{escape(task.task_id)}" data-state="{state_of(task)}"'
    return f'<tr {marks} style="background:none">{inner}</tr>'


def _label(task: TaskRecord, look: Look) -> str:
    style = f"display:inline-block;width:18px;color:{look.either};font-weight:700"
    return f'<span title="{state_of(task)}" style="{style}">{look.mark}</span>{escape(task.task_id)}'


def _bar(task: TaskRecord, look: Look, begin: float, span: float, now: float) -> str:
    elapsed = task.elapsed(now)
    if task.started is None or elapsed is None:
        return ""
    left = min(100 * max(task.started - begin, 0.0) / span, 99.0)
    width = min(max(100 * elapsed / span, 1.0), 100.0 - left)
    style = f"margin-left:{left:.2f}%;width:{width:.2f}%;height:8px;border-radius:4px;background-color:{look.either}"
    return f'<div style="{style}"></div>'


def _remarks(task: TaskRecord, record: RunRecord) -> str:
    note, color = escape(note_of(task)), LOOKS[state_of(task)].either
    words = [
        _quiet(_attempts(task)),
        f'<span style="color:{color}">{note}</span>' if task.failure else _quiet(note),
        _quiet(escape(_where(task, record))),
    ]
    return " ".join(filter(None, words))


def _quiet(text: str) -> str:
    return f'<span style="{_QUIET}">{text}</span>' if text else ""
