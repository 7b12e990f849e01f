"""Which parameters a run was given, and which it left to its workflow."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

__all__ = ["OF_PARAMETERS", "own_parameters"]

# Runs that were recorded by an earlier version don't say what the workflow had beside what they were given.
OF_PARAMETERS: Final = "SELECT role, key, digest FROM artifacts WHERE run_id = $1 AND role IN ('parameter', 'default')"


def own_parameters(
    rows: Iterable[Mapping[str, Any]], is_still: Callable[[Any, str], bool], parameters: Mapping[str, Any]
) -> frozenset[str]:
    """Return the parameters that a run which goes on with an earlier one takes from its workflow.

    Those are the ones that the earlier run wasn't given, and those whose value in the workflow is another one now than
    when it began: somebody has edited them since.

    Args:
        rows: of the earlier run, see `OF_PARAMETERS`.
        is_still: whether a value surely has a digest.
        parameters: the workflow's own values now.
    """

    def is_own(role: str, now: Any, digest: str) -> bool:
        return role == "parameter" or (digest != "" and not is_still(now, digest))

    there = [row for row in rows if row["key"] in parameters]
    return frozenset(row["key"] for row in there if is_own(row["role"], parameters[row["key"]], row["digest"]))
