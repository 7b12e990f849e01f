"""What a cell answers: one line on what its task reads, from whom, what it sets, and what it carries."""

import html
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloaca_nb.core.cells import Resolution
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.look import LOOKS
from cloaca_nb.core.mask import masked
from cloaca_nb.core.parameters import Values
from cloaca_nb.core.preview import preview
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.core.status import Outcome
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import CellError, WorkflowValidationError
from cloaca_nb.notebook.carriage import Carriage
from cloaca_nb.notebook.helper_reads import helper_reads
from cloaca_nb.notebook.lost_changes import lost_changes
from cloaca_nb.notebook.unknown_names import HANDLES, handle_needs, unknown_names, unset_inputs

__all__ = ["Answer", "answer_for", "answer_for_parameters", "tried"]

SHOWN: Final = 40  # characters of a parameter's value
MOST: Final = 6  # names that are carried
ATTENTION: Final = LOOKS[Outcome.RETRYING.value].either


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of the line.

    Attributes:
        title: the task's name, for one.
        parts: (label, text); those without a text are left out.
        notes: what a person should know or mend, as sentences.
    """

    title: str
    parts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        facts = [self.title, *(f"{label} {text}" for label, text in self.parts if text)]
        return "\n  ! ".join(["  ·  ".join(facts), *self.notes])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        label = '<span style="opacity:.6">{}</span> <code style="background:none">{}</code>'
        shown = [label.format(html.escape(one), html.escape(text)) for one, text in self.parts if text]
        dot = '<span style="opacity:.35"> · </span>'
        line = dot.join([f"<strong>{html.escape(self.title)}</strong>", *shown])
        notes = "".join(
            f'<div style="color:{ATTENTION};white-space:pre-wrap">! {html.escape(note)}</div>' for note in self.notes
        )
        return {"text/html": f'<div style="font-size:90%">{line}{notes}</div>', "text/plain": str(self)}


def answer_for(entry: CellTask, loose: LooseTasks, names: Mapping[str, Any], carriage: Carriage) -> Answer:
    """Say what the task reads and sets as things stand now; later cells may still change it.

    Args:
        entry: the task.
        loose: the workflow's tasks, this one included.
        names: the notebook's own names.
        carriage: what an export would carry for it.
    """
    outputs = loose.outputs_for(entry.id)
    try:
        resolution = entry.resolution(outputs, loose.parameters)
    except CellError as error:
        return Answer(entry.id, (), (str(error),))
    try:
        draft, problem = loose.draft(), ""
    except WorkflowValidationError as error:
        draft, problem = None, str(error)
    traffic = (
        ("reads", ", ".join(_reads(entry, resolution, draft, loose.parameters))),
        ("sets", ", ".join(dict.fromkeys((*resolution.sets, *entry.cell.names.keys.sets)))),
        ("deletes", ", ".join(resolution.deletes)),
    )
    return Answer(
        entry.id,
        (
            *(traffic if any(text for _, text in traffic) else [("reads and sets", "nothing")]),
            ("after", ", ".join(_after(entry, loose))),
            ("carries", _few(carriage.names)),
        ),
        (
            *_notes(entry, loose, resolution, names),
            *(_two_things(entry, draft) if draft else ()),
            *([problem] if problem else []),
            *(one.sentence for one in (draft.circles if draft else ()) if entry.id in one.ids),
            *_hindered(carriage),
        ),
    )


def tried(task_id: str, result: WorkflowResult) -> Answer:
    """Say what a task has set and deleted that was tried on its own."""
    shown = result.final_context.shown()
    keys = result.set_by(task_id)
    values = [(f"{key} =", preview(shown[key])) for key in keys if key in shown]
    deleted = ", ".join(key for key in keys if key not in shown)
    return Answer(f"{task_id} tried", (*values, ("deletes", deleted)) if keys else (("sets", "nothing"),))


def answer_for_parameters(values: Values, secrets: SecretKeys, notes: Iterable[str] = ()) -> Answer:
    """Say what a parameters cell defines; of those that are secret no more than that.

    No rule is executed for it: those that have to be worked out anew are told with what they follow from.
    """
    shown = {name: repr(value) for name, value in masked(values.known, secrets).items()}
    told = {name: text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…" for name, text in shown.items()}
    parts = [
        (f"{name} =", told[name]) if name in told else (f"{name} from", _listed(values.origins(name)))
        for name in values
    ]
    return Answer("parameters", tuple(parts), tuple(notes))


def _reads(
    entry: CellTask, resolution: Resolution, draft: Workflow | None, parameters: Collection[str]
) -> Iterator[str]:
    own = entry.cell.names.keys
    sources = _sources(entry, draft)
    for key in dict.fromkeys((*resolution.inputs, *own.reads)):
        yield f"{key} ← {sources[key]}" if key in sources else f"{key} (parameter)" if key in parameters else key
    for key in dict.fromkeys((*resolution.optional, *own.optional)):
        yield f"{key}? ← {sources[key]}" if key in sources else f"{key}?"


def _sources(entry: CellTask, draft: Workflow | None) -> dict[str, str]:
    """Return for each key the dependency that sets it; the last one, where several do."""
    if draft is None:
        return {}
    return {key: one for one in draft.dependencies[entry.id] for key in draft[one].keys.sets}


def _after(entry: CellTask, loose: LooseTasks) -> Iterator[str]:
    for one in entry.cell.options.after:
        yield one if one in loose else f"{one} (not defined yet)"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return _listed(names[:MOST]) + more


def _hindered(carriage: Carriage) -> Iterator[str]:
    if carriage.obstacle:
        yield f"runs here, but can't be exported yet: {carriage.obstacle}"


def _notes(entry: CellTask, loose: LooseTasks, resolution: Resolution, names: Mapping[str, Any]) -> Iterator[str]:
    unknown = unknown_names(resolution.own, names)
    for name in HANDLES:
        if name in unknown:
            unknown.remove(name)
            yield f"`{name}` is not there in a task cell: {handle_needs(name, entry.id)}"
    if unknown:
        yield f"not known yet: {_listed(unknown)}. Define it in a cell, assign it in a task, or make it a parameter."
    if unset := unset_inputs(entry, loose):
        yield f"not in the context yet: {_listed(unset)} (--in). Assign it in a task, or make it a parameter."
    for name, method, line in lost_changes(entry.cell, resolution):
        yield (
            f"line {line}: `{name}.{method}(…)` changes this task's own {name}, which no later task sees. "
            f"To pass it on, say --out {name}, or assign it: {name} = …"
        )
    outputs = loose.outputs_for(entry.id)
    both = [name for name in resolution.inputs if name in outputs and name in names]
    if both:
        yield f"from the context, though the notebook has one of its own: {_listed(both)}."


def _two_things(entry: CellTask, draft: Workflow) -> Iterator[str]:
    """Yield what helpers take from the notebook although a task sets it, where this task has to do with that."""
    for found in helper_reads(draft, entry.namespace):
        if entry.id in {found.task_id, found.setter}:
            yield found.sentence


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
