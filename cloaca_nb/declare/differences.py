"""What is different between the parts of two fingerprints, as sentences for the person who edited something."""

from collections.abc import Mapping
from typing import Final

from cloaca_nb.declare.known_code import Part

__all__ = ["BODY", "differences"]

BODY: Final = "task body"
_KINDS: Final = (
    "constant",
    "distribution",
    "helper",
    "class",
    "module",
    "settings of",
    "set",
    "name",
    "random generator",
)
_CALLED: Final = {
    "constant": "a constant",
    "helper": "a function",
    "class": "a class",
    "random generator": "a generator of random numbers",
}


def differences(now: Mapping[str, Part], before: Mapping[str, Part]) -> list[str]:
    """Say in words what is different, the task's own body first.

    Args:
        now: the parts of a fingerprint by name.
        before: those of an earlier one.
    """
    names = [name for name in dict.fromkeys((*now, *before)) if _digest(now, name) != _digest(before, name)]
    replaced = _replaced(names, now, before)
    names = [name for name in names if _subject(name) not in replaced]
    telling = [name for name in names if not (name.startswith("name ") and not (name in now and name in before))]
    chosen = sorted(telling or ([] if replaced else names), key=lambda name: (name != BODY, name))
    said = {name: _sentence(name, now.get(name), before.get(name)) for name in chosen}
    body = [said.pop(BODY)] if BODY in said else []
    return [*body, *replaced.values(), *said.values()]


def _digest(parts: Mapping[str, Part], name: str) -> str | None:
    return parts[name].digest if name in parts else None


def _kind(name: str) -> str:
    return next((kind for kind in _KINDS if name.startswith(f"{kind} ")), "")


def _subject(name: str) -> str:
    return name.removeprefix(f"{_kind(name)} ")


def _replaced(names: list[str], now: Mapping[str, Part], before: Mapping[str, Part]) -> dict[str, str]:
    """Return a sentence for each name that means another kind of thing than before, or wasn't defined."""
    found = {}
    for subject in sorted({_subject(name) for name in names}):
        new, old = _meaning(subject, now, before), _meaning(subject, before, now)
        if new and old:
            found[subject] = f"{subject} is {new} now, was {old}"
    return found


def _meaning(subject: str, parts: Mapping[str, Part], others: Mapping[str, Part]) -> str:
    """Return what a name means in only one of two fingerprints."""
    if (name := f"name {subject}") in parts and parts[name].shown == "undefined" and _digest(others, name) is None:
        return "not defined"
    for kind, called in _CALLED.items():
        if (name := f"{kind} {subject}") in parts and name not in others:
            return parts[name].shown or called
    return ""


def _sentence(name: str, now: Part | None, before: Part | None) -> str:
    kind, subject = _kind(name), _subject(name)
    if kind == "set":
        shown = f" to {now.shown}" if now and now.shown else ""
        return (
            f"{subject} was set{shown} after its module was loaded" if now else f"{subject} is as in its module again"
        )
    if now is None:
        return f"{name} is no longer used"
    where = f" ({now.where})" if now.where and name != BODY else ""
    if before is None:
        return f"{name}{where or (f' {now.shown}' if kind == 'distribution' else '')} is used now"
    return _changed(name, where, now.shown, before.shown)


def _changed(name: str, where: str, now: str, before: str) -> str:
    kind, subject = _kind(name), _subject(name)
    if now and before and now != before:
        is_version = kind == "distribution" or name == "Python"
        return f"{subject} {before} → {now}" if is_version else f"{subject} is {now} now, was {before}"
    if kind == "random generator":
        return f"{name} starts from another state"
    if kind == "name":
        return f"{subject} is another {now or 'thing'} now"
    return f"{name}{where} was changed"
