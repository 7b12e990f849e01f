"""What an archive says of itself: the content of `manifest.json`, read without trust and written in one way."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cloaca_nb.packaging.archive.fingerprint import PREFIX, counted
from cloaca_nb.packaging.archive.member_names import module_name_problem, shown

__all__ = ["FORMAT_VERSION", "LANGUAGE", "Manifest", "ManifestTask", "read_manifest"]

FORMAT_VERSION: Final = "2"
LANGUAGE: Final = "python"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,99}[A-Za-z0-9])?", re.ASCII)
_VERSION: Final = re.compile(r"\w[\w.+!-]{0,99}", re.ASCII)
_HALF: Final = re.compile("[\ud800-\udfff]")  # half of a character, which UTF-8 has no bytes for
_HEXADECIMAL: Final = re.compile("[0-9a-f]+")
_ANY_TEXT: Final = re.compile(r".*\S.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ManifestTask:
    """A task as the manifest names it.

    Attributes:
        id: its id.
        function: ``module:name``.
        dependencies: ids.
        description: for people; empty where there is none.
        retries: attempts after the first; None: it doesn't say.
        timeout_seconds: per attempt; None: no limit, or it doesn't say.
        says_timeout: whether it says so, null for no limit; False: nothing stands there.
    """

    id: str
    function: str
    dependencies: tuple[str, ...] = ()
    description: str = ""
    retries: int | None = None
    timeout_seconds: float | None = None
    says_timeout: bool = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    Attributes:
        name: of the package, as a distribution is called.
        version: of the package.
        fingerprint: of the archive; see `packaging.fingerprint`.
        targets: platforms, like "linux-x86_64".
        requires_python: a version specifier, like ">=3.11".
        entry_module: the dotted name of the module that registers the tasks when it is imported.
        tasks: the tasks of all its workflows.
        triggers: as they stand there.
        created_at: RFC 3339.
    """

    name: str
    version: str
    fingerprint: str
    targets: tuple[str, ...]
    requires_python: str
    entry_module: str
    tasks: tuple[ManifestTask, ...]
    triggers: tuple[Mapping[str, Any], ...]
    created_at: str

    @property
    def digest(self) -> str | None:
        """The fingerprint as it is spelt here, with its prefix and in small letters; None: a word stands in for it."""
        digits = self.fingerprint.strip().lower().removeprefix(PREFIX)
        return f"{PREFIX}{digits}" if _HEXADECIMAL.fullmatch(digits) else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in the file."""
        return {
            "format_version": FORMAT_VERSION,
            "package": {
                "name": self.name,
                "version": self.version,
                "fingerprint": self.fingerprint,
                "targets": list(self.targets),
            },
            "language": LANGUAGE,
            "python": {"requires_python": self.requires_python, "entry_module": self.entry_module},
            "tasks": [
                {
                    "id": task.id,
                    "function": task.function,
                    "dependencies": list(task.dependencies),
                    "description": task.description,
                    "retries": task.retries or 0,
                    "timeout_seconds": _plain(task.timeout_seconds),
                }
                for task in self.tasks
            ],
            "triggers": [dict(trigger) for trigger in self.triggers],
            "created_at": self.created_at,
        }

    def text(self) -> str:
        """Return the file's text."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        return _HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(seconds: float | None) -> float | None:
    """Return a whole number as one: not every reader of manifests takes ``5.0`` for it."""
    return int(seconds) if seconds is not None and seconds == int(seconds) else seconds


def read_manifest(data: bytes) -> tuple[Manifest, bytes, list[str]]:
    """Read a manifest.

    Args:
        data: the file's bytes, from anybody.

    Returns:
        What it says, with a stand-in for each field that is missing or wrong; the bytes by which it counts for the
        fingerprint; and every problem with it.
    """
    content: Any = {}
    problem = ""
    try:
        content = json.loads(data)
        problem = "" if isinstance(content, dict) else "manifest.json holds no JSON object."
        bare = b"" if problem else counted(content)
    except RecursionError:
        problem = "manifest.json is nested too deeply."
    except ValueError as error:  # no JSON, no UTF-8, or a number of more digits than Python reads
        problem = f"manifest.json is no JSON: {error}."
    if problem:
        return _read({})[0], b"", [problem]
    manifest, problems = _read(content)
    return manifest, bare, problems


def _read(content: dict[str, Any]) -> tuple[Manifest, list[str]]:
    top = _Table(content, "", [])
    top.take(
        "format_version", lambda one: one == FORMAT_VERSION, f'"{FORMAT_VERSION}", which is the one known here', ""
    )
    top.take("language", lambda one: one == LANGUAGE, f'"{LANGUAGE}"', "")
    package = top.table("package")
    python = top.table("python")
    tasks = tuple(_read_task(one) for one in top.tables("tasks"))
    triggers = tuple(one.content for one in top.tables("triggers", required=False))
    manifest = Manifest(
        name=package.take("name", _is_text(_NAME), "a name like 'data-pipeline'", ""),
        version=package.take("version", _is_text(_VERSION), "a version like '1.0.0'", ""),
        fingerprint=package.take("fingerprint", _is_text(_ANY_TEXT), f"a text like '{PREFIX}…'", ""),
        targets=tuple(package.take("targets", _is_texts, "a list of platforms like ['linux-x86_64']", [])),
        requires_python=python.take("requires_python", _is_text(), "a version specifier like '>=3.11'", ""),
        entry_module=_entry_module(python),
        tasks=tasks,
        triggers=triggers,
        created_at=top.take("created_at", _is_time, "a time like '2026-01-15T10:30:00Z'", ""),
    )
    if not tasks and isinstance(content.get("tasks"), list):
        top.problems.append("manifest.json: tasks is empty; a package has at least one.")
    for task_id in sorted({one.id for one in tasks if sum(one.id == two.id for two in tasks) > 1}):
        top.problems.append(f"manifest.json: task {shown(task_id)} stands there twice.")
    return manifest, top.problems


def _entry_module(python: "_Table") -> str:
    name: str = python.take("entry_module", _is_text(), "a dotted name like 'data_pipeline'", "")
    if name and (problem := module_name_problem(name)) is not None:
        python.problems.append(f"manifest.json: {problem}")
    return name


def _read_task(table: "_Table") -> ManifestTask:
    task_id: str = table.take("id", _is_text(), "a text", "")
    table.where = f"task {shown(task_id)}, " if task_id else table.where
    return ManifestTask(
        id=task_id,
        function=table.take("function", _is_text(re.compile(r"[^:]+:[^:]+")), "like 'data_pipeline:extract'", ""),
        dependencies=tuple(table.take("dependencies", _is_texts, "a list of task ids", [], required=False)),
        description=table.take("description", _is_text(), "a text", "", required=False),
        retries=table.take("retries", _is_count, "a whole number from 0", None, required=False),
        timeout_seconds=table.take("timeout_seconds", _is_seconds, "a number of seconds above 0", None, required=False),
        says_timeout="timeout_seconds" in table.content,
    )


@dataclass(slots=True)
class _Table:
    """A JSON object from which fields are taken; what is wrong with one is noted and answered with a stand-in."""

    content: Mapping[str, Any]
    where: str
    problems: list[str]

    def take(self, key: str, holds: Callable[[Any], bool], what: str, stand_in: Any, *, required: bool = True) -> Any:
        value = self.content.get(key)
        if value is None:
            if required:
                self.problems.append(f"manifest.json: {self.where}{key} is missing; it is {what}.")
            return stand_in
        if holds(value):
            return value
        self.problems.append(f"manifest.json: {self.where}{key} is {shown(str(value))}, but has to be {what}.")
        return stand_in

    def table(self, key: str) -> "_Table":
        found = self.take(key, lambda one: isinstance(one, dict), "an object", None)
        where = f"{self.where}{key}."
        return _Table(found or {}, where, [] if found is None else self.problems)

    def tables(self, key: str, *, required: bool = True) -> "list[_Table]":
        found = self.take(key, _is_tables, "a list of objects", [], required=required)
        return [_Table(one, f"{key}[{number}].", self.problems) for number, one in enumerate(found)]


def _is_text(pattern: re.Pattern[str] | None = None) -> Callable[[Any], bool]:
    return lambda one: isinstance(one, str) and (pattern is None or pattern.fullmatch(one) is not None)


def _is_texts(one: Any) -> bool:
    return isinstance(one, list) and all(isinstance(text, str) for text in one)


def _is_tables(one: Any) -> bool:
    return isinstance(one, list) and all(isinstance(table, dict) for table in one)


def _is_count(one: Any) -> bool:
    return isinstance(one, int) and not isinstance(one, bool) and one >= 0


def _is_seconds(one: Any) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool) and one > 0


def _is_time(one: Any) -> bool:
    try:
        return isinstance(one, str) and datetime.fromisoformat(one).tzinfo is not None
    except ValueError:
        return False
