"""What a task cell answers: one line on what it reads, from whom, what it sets, and what it carries."""

import builtins
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.errors import CloacaError

__all__ = ["Answer", "answer_for"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of the line, as (label, text), the task's name first."""

    task_id: str
    parts: tuple[tuple[str, str], ...]
    problem: str = ""

    def __str__(self) -> str:
        return "  ·  ".join([self.task_id, *(f"{label} {text}" for label, text in self.parts if text), self.problem]).rstrip(
            " ·"
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        label = '<span style="opacity:.6">{}</span> <code style="background:none">{}</code>'
        shown = [label.format(html.escape(one), html.escape(text)) for one, text in self.parts if text]
        problem = f'<span style="color:#b3541e">{html.escape(self.problem)}</span>' if self.problem else ""
        line = '<span style="opacity:.35"> · </span>'.join(
            part for part in (f"<strong>{html.escape(self.task_id)}</strong>", *shown, problem) if part
        )
        return {"text/html": f'<div style="font-size:90%">{line}</div>', "text/plain": str(self)}


def answer_for(entry: CellTask, loose: LooseTasks, names: Mapping[str, Any]) -> Answer:
    """Say what the task reads and sets as things stand now; later cells may still change it.

    Args:
        entry: the task.
        loose: the workflow's tasks, this one included.
        names: the notebook's own names.
    """
    try:
        workflow = loose.workflow()
        task = workflow[entry.id]
    except CloacaError as error:
        return Answer(entry.id, (), str(error))
    inferred = workflow.inferred_dependencies.get(entry.id, ())
    sources = {key: one for one in workflow.dependencies[entry.id] for key in workflow[one].keys.sets}
    resolution = entry.resolution(
        {key for other in workflow.tasks if other.id != entry.id for key in other.keys.sets}, workflow.parameters
    )
    reads = [_read(key, sources, workflow.parameters) for key in (*resolution.inputs, *resolution.optional)]
    unknown = [name for name in resolution.own if name not in names and not hasattr(builtins, name)]
    problem = f"{_listed(unknown)} not known yet: no task sets it and the notebook doesn't define it" if unknown else ""
    parts = (
        ("reads", ", ".join(reads)),
        ("sets", ", ".join(task.keys.sets)),
        ("after", ", ".join(one for one in workflow.dependencies[entry.id] if one not in inferred)),
        ("carries", ", ".join(name for name in resolution.own if name in names and not hasattr(builtins, name))),
    )
    return Answer(entry.id, parts, problem)


def _read(key: str, sources: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    if key in sources:
        return f"{key} ← {sources[key]}"
    return f"{key} (parameter)" if key in parameters else key


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
