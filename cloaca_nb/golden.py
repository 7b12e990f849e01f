"""Golden tests: what the tasks of a recorded run were given and made of that, kept as files and held against the tasks.

A value of up to 64 kB stands in its file as it is. Of a larger one that a task made, only its digest is kept, so large
frames are compared and stay small; a task that was given a larger one gets no golden test, and that is said.

Times within the run and paths below its folders are masked: they are different in each run. A time is masked in a
datetime, a float of seconds or a text in ISO 8601; a path in a Path or a text, below the working directory, the home
directory and the folder for temporary files. Inside frames and arrays nothing is masked.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.preview import preview
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.history.history import History
from cloaca_nb.history.transfers import Large, Missing, Transfer
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.values import describe, equal
from cloaca_nb.values.codec import Unstorable, decode, in_memory
from cloaca_nb.values.masks import Masks

__all__ = ["LARGEST", "Golden", "goldens", "recorded"]

LARGEST: Final = 64_000  # bytes of a value that stands in a file as it is
FOLDER: Final = "tests/golden"
DIGEST: Final = "digest"  # instead of a format: what is kept of a large value
_TEST: Final = '''\
"""Each task sets what it set in run {run}, when it is given what it was given there."""

import importlib
from pathlib import Path

import pytest
from cloaca_nb.golden import goldens


@pytest.mark.parametrize("golden", goldens(Path(__file__).parent / "golden"), ids=str)
def test_a_task_sets_what_it_set_in_the_recorded_run(golden):
    importlib.import_module("{name}")
    golden.check({workflow})
'''


@dataclass(frozen=True, slots=True)
class Golden:
    """What one task was given and what it made of that, each value as it is kept.

    Attributes:
        task_id: the task's.
        inputs: by key.
        outputs: by key, masked.
        deleted: the keys that it deleted.
    """

    task_id: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    deleted: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.task_id

    def check(self, workflow: str) -> None:
        """Run the task alone on the recorded inputs, and compare what it sets with what was recorded.

        Args:
            workflow: the name of a registered workflow.

        Raises:
            AssertionError: if anything differs; it names each key with what was recorded and what came.
        """
        task = REGISTRY.workflow(workflow)[self.task_id]
        alone = Workflow(workflow, [replace(task, dependencies=(), after=(), rule=None)], infer=False)
        inputs = {key: _read(kept) for key, kept in self.inputs.items()}
        began = datetime.now(UTC)
        with DefaultRunner(":memory:") as runner:
            result = runner.execute(alone, inputs)
        if result.error_message:
            raise AssertionError(result.error_message)
        masks = Masks.here(began, datetime.now(UTC))
        made = dict(result.final_context)
        lines = [*self._differences(made, masks), *self._more(made)]
        if lines:
            raise AssertionError(f"Task {self.task_id!r} doesn't set what it set:\n" + "\n".join(lines))

    def _differences(self, made: Mapping[str, Any], masks: Masks) -> Iterator[str]:
        for key, kept in self.outputs.items():
            if key not in made:
                yield f"  {key}: {_shown(kept)} → not there"
                continue
            value = masks.masked(made[key])
            if not _is_kept(value, kept):
                yield f"  {key}: {_shown(kept)} → {preview(value)} ({type(value).__qualname__})"

    def _more(self, made: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"  {key}: deleted → {preview(made[key])}" for key in self.deleted if key in made)
        more = made.keys() - self.outputs.keys() - self.inputs.keys()
        yield from (f"  {key}: not there → {preview(made[key])}" for key in sorted(more))


def goldens(folder: Path) -> list[Golden]:
    """Read every golden file of a folder, in the order of their names."""
    return [_golden(json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]


def recorded(history: History, run: str, tell: Callable[[str], object]) -> Callable[[Package], dict[str, str]]:
    """Return what makes the golden tests of a package from a run.

    Args:
        history: in which the run is.
        run: its id, a beginning of it, or "last": the latest of the package's workflow.
        tell: is told of each task and value that can't be a golden, and why.

    Raises:
        HistoryError: if there is no such run.
    """
    history.resolve(run)
    return lambda package: _files(history, run, tell, package)


def _files(history: History, run: str, tell: Callable[[str], object], package: Package) -> dict[str, str]:
    run_id, _ = history.to_resume(run, package.workflow_name)
    masks = _masks_of(history, run_id)
    found: dict[str, str] = {}
    for transfer in history.transfers(run_id, most=LARGEST):
        if reason := _obstacle(transfer):
            tell(f"no golden test of task {transfer.task_id!r}: {reason}")
            continue
        try:
            content = _content(transfer, masks)
        except Unstorable as error:
            tell(f"no golden test of task {transfer.task_id!r}: {error}")
            continue
        found[f"{FOLDER}/{transfer.task_id}.json"] = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if not found:
        return {}
    text = _TEST.format(run=run_id, name=package.name, workflow=json.dumps(package.workflow_name, ensure_ascii=False))
    return {**found, f"tests/test_{package.name}_golden.py": text}


def _masks_of(history: History, run_id: str) -> Masks:
    runs = history.runs()
    (row,) = runs[runs["run_id"] == run_id].to_dict("records")
    began, ended = (row[name].to_pydatetime().replace(tzinfo=UTC) for name in ("started", "ended"))
    return Masks.here(began, ended)


def _obstacle(transfer: Transfer) -> str:
    """Return why a task can't have a golden test; empty if it can."""
    if transfer.outcome != "Completed":
        return f"in that run it was {transfer.outcome}"
    if transfer.reads_every:
        return "it asks which keys its context has, so what it needs can't be told"
    for key, value in transfer.inputs.items():
        if isinstance(value, Large):
            return f"it is given {key!r}, {value.size:,} bytes; a golden input has at most {LARGEST:,}"
        if isinstance(value, Missing):
            return f"it is given {key!r}, which history can't give back: {value.why}"
    missing = next((f"{key!r}: {one.why}" for key, one in transfer.outputs.items() if isinstance(one, Missing)), "")
    return f"it sets what history can't give back: {missing}" if missing else ""


def _content(transfer: Transfer, masks: Masks) -> dict[str, Any]:
    return {
        "task": transfer.task_id,
        "inputs": {key: _kept(value) for key, value in transfer.inputs.items()},
        "outputs": {key: _kept(masks.masked(value)) for key, value in transfer.outputs.items()},
        "deleted": list(transfer.deleted),
    }


def _golden(content: Mapping[str, Any]) -> Golden:
    return Golden(content["task"], content["inputs"], content["outputs"], tuple(content["deleted"]))


def _kept(value: Any) -> dict[str, Any]:
    """Return a value as a file has it: JSON where that says it all, else bytes in base64."""
    if isinstance(value, Large):
        return {DIGEST: value.digest, "preview": value.preview}
    form, data = in_memory(value)
    if form.format == "pickle":
        raise Unstorable(f"a {type(value).__qualname__} could only be kept as a pickle, which a test shouldn't read")
    return {form.format: json.loads(data) if form.format == "json" else b64encode(data).decode()}


def _read(kept: Mapping[str, Any]) -> Any:
    """Return the value that a file has; classes are imported by their names, pickles aren't read."""
    ((form, content),) = kept.items()
    data = json.dumps(content).encode() if form == "json" else bytearray(b64decode(content))
    return decode(form, data)


def _is_kept(value: Any, kept: Mapping[str, Any]) -> bool:
    if DIGEST in kept:
        return bool(describe(value).digest == kept[DIGEST])
    wanted = _read(kept)
    return type(value) is type(wanted) and equal(value, wanted)


def _shown(kept: Mapping[str, Any]) -> str:
    return str(kept["preview"]) if DIGEST in kept else f"{preview(_read(kept))}"
