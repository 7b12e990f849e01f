"""What must be installed for an import to work: distribution names and the versions of this environment."""

import importlib.metadata
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

__all__ = ["Installed", "accepts", "required_here", "requirement", "requirement_of_hint"]

# Found without looking: an editable install names no modules, and the other engine need not be installed here.
OURS: Final = {"cloaca_nb": "cloaca-nb", "cloaca": "cloaca"}


class Installed:
    """The distributions of an environment.

    Args:
        provides: distribution names by top-level module.
        version: the version of a distribution; PackageNotFoundError if it isn't installed.
        files: the files of a distribution, with forward slashes.
    """

    def __init__(
        self,
        provides: Callable[[], Mapping[str, Sequence[str]]] = importlib.metadata.packages_distributions,
        version: Callable[[str], str] = importlib.metadata.version,
        files: Callable[[str], Sequence[str]] = lambda name: list(map(str, importlib.metadata.files(name) or ())),
    ) -> None:
        self._provides = cache(provides)
        self._version = version
        self._files = files

    def providing(self, module: str) -> list[str]:
        """Return the distributions that a dotted module comes from; several only share a namespace package."""
        names = sorted(set(self._provides().get(module.partition(".")[0], ())))
        if len(names) < 2:  # noqa: PLR2004 - one distribution leaves nothing to tell apart
            return names
        return [name for name in names if self._holds(name, module)] or names

    def has(self, module: str) -> bool:
        """Say whether a dotted module is here: of a namespace package that very part."""
        top, dot, _ = module.partition(".")
        names = self._provides().get(top, ())
        return top in {*sys.stdlib_module_names, *OURS} or any(not dot or self._holds(one, module) for one in names)

    def _holds(self, name: str, module: str) -> bool:
        path = module.replace(".", "/")
        return any(one.startswith((f"{path}/", f"{path}.")) for one in self._files(name))

    def requirement(self, name: str) -> str:
        """Return ``name>=version``, as it is installed; the bare name if it isn't."""
        try:
            public = self._version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return name
        return f"{name}>={public}"


def requirement(module: str, installed: Installed) -> list[str] | None:
    """Return the requirements for importing `module`: none for the standard library, None if nothing provides it.

    Args:
        module: a dotted name.
        installed: what there is.
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return []
    if top in OURS:
        return [installed.requirement(OURS[top])]
    found = [installed.requirement(name) for name in installed.providing(module)]
    return found or None


def requirement_of_hint(argument: str, installed: Installed) -> str | None:
    """Return the requirement that an argument of ``!pip install`` names; None for options, paths and addresses."""
    match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)(\[[\w,.-]*\])?((?:[<>=!~]=?|===).*)?", argument)
    if match is None or match[3]:
        return argument if match else None
    return installed.requirement(match[1]).replace(match[1], match[1] + (match[2] or ""), 1)


def accepts(specifier: str, version: str) -> bool:
    """Say whether a version specifier, like ``>=3.11``, admits a version.

    Raises:
        ValueError: if it is none.
    """
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - no kernel needs it before it packs or loads

    return SpecifierSet(specifier).contains(version, prereleases=True)


def required_here(distribution: importlib.metadata.Distribution) -> list[str]:
    """Return the names of the distributions that one requires on this platform, extras aside."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - see above

    found = map(Requirement, distribution.requires or ())
    return [one.name for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]
