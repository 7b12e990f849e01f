"""The modules that a task's code reaches: local ones by their source and what they import, others by their version."""

from collections.abc import Iterable, Iterator
from importlib.util import resolve_name

from cloaca_nb.declare.code_text import digest_text
from cloaca_nb.declare.installed import version_of
from cloaca_nb.declare.local_module import Found, local_module
from cloaca_nb.declare.origin import Origin, origin_of

__all__ = ["Modules"]


class Modules:
    """What modules come to; made for one run, since their files may change after it."""

    def __init__(self) -> None:
        self._origins: dict[str, Origin] = {}
        self._single: dict[str, tuple[tuple[Found, ...], list[str]]] = {}

    def is_live_only(self, name: str) -> bool:
        """Say whether a module has no file to tell its code by: a notebook, a script, a namespace made by hand."""
        return name in ("", "__main__") or self._origin(name).kind == "unknown"

    def names(self, imports: Iterable[tuple[str, int, tuple[str, ...]]], package: str) -> Iterator[str]:
        """Yield the modules that import statements may mean; see `CodeReads.imports`."""
        for module, level, taken in imports:
            base = resolve_name("." * level + module, package) if level and package else module
            yield base
            if self._origin(base).kind not in ("standard", "distribution"):
                yield from (f"{base}.{one}" for one in taken)

    def found(self, name: str) -> list[Found]:
        """Return what a module comes to: itself, and the modules that it imports if it is a local one."""
        waiting, seen = [name], set()
        parts: list[Found] = []
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            if one not in self._single:
                self._single[one] = self._look_at(one)
            found, imports = self._single[one]
            parts += found
            waiting += imports
        return parts

    def _origin(self, name: str) -> Origin:
        if name not in self._origins:
            self._origins[name] = origin_of(name)
        return self._origins[name]

    def _look_at(self, name: str) -> tuple[tuple[Found, ...], list[str]]:
        origin = self._origin(name)
        if origin.kind == "distribution":
            return (_distribution(name, origin),), []
        if origin.kind != "local":
            return (), []
        parents = [name.rpartition(".")[0]] if "." in name else []
        module = local_module(name, origin)
        imports = [one for one in module.imports if self._origin(one).kind in ("local", "distribution")]
        return module.found, [*parents, *imports]


def _distribution(module: str, origin: Origin) -> Found:
    known = version_of(module, origin.file) if origin.file else None
    if known is None:
        top = module.partition(".")[0]
        return (
            f"distribution of {top}",
            (digest_text(top), "", "", False),
            (f"the version of module {top} isn't known",),
        )
    name, version = known
    return f"distribution {name}", (digest_text(version), "", version, False), ()
