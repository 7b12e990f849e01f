"""What runs were given, and what they left to their workflow: for a run that goes on with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

from cloaca_nb.history.memory import CHAIN
from cloaca_nb.history.secret_digest import is_of_secret
from cloaca_nb.history.store import Reading

__all__ = ["Given", "given_rows", "own_parameters", "secrets_needed"]

Row: TypeAlias = Mapping[str, Any]
IsStill: TypeAlias = Callable[[Any, str], bool]
# Runs that were recorded by an earlier version don't say what the workflow had beside what they were given.
OF_BEGINNINGS: Final = """
    SELECT run_id, role, key, digest FROM artifacts
    WHERE run_id IN (SELECT unnest($1)) AND role IN ('initial', 'parameter', 'default')
    ORDER BY key, list_position($1, run_id)
"""


class Given(NamedTuple):
    """What a run that goes on with an earlier one is to know of that.

    Attributes:
        own: the parameters that it takes from its workflow.
        secrets: by key whether the workflow has the secret that an earlier run was given; history keeps none.
    """

    own: frozenset[str]
    secrets: Mapping[str, bool]


def given_rows(reading: Reading, run_id: str) -> list[dict[str, Any]]:
    """Return with what a run and those that it went on with began: by key, the latest run first."""
    return reading.rows(OF_BEGINNINGS, [row["run_id"] for row in reading.rows(CHAIN, run_id)])


def own_parameters(rows: Iterable[Row], is_still: IsStill, grounds: Mapping[str, Any]) -> frozenset[str]:
    """Return the parameters that a run which goes on with an earlier one takes from its workflow.

    Those are the ones that the earlier run wasn't given, and those whose value in the workflow is another one now than
    when it began: somebody has edited them since.

    Args:
        rows: of the earlier run, see `given_rows`.
        is_still: whether a value surely has a digest.
        grounds: the workflow's own values now, or what they would be worked out from.
    """

    def is_own(role: str, now: Any, digest: str) -> bool:
        return role == "parameter" or (role == "default" and digest != "" and not is_still(now, digest))

    there = [row for row in rows if row["key"] in grounds]
    return frozenset(row["key"] for row in there if is_own(row["role"], grounds[row["key"]], row["digest"]))


def secrets_needed(
    rows: Iterable[Row], is_still: IsStill, grounds: Mapping[str, Any], secret_digest: Callable[[str], str]
) -> dict[str, str]:
    """Return by key the digests of the secrets that earlier runs were given, unless somebody has edited them since.

    A run that has no use for a secret goes on without it; so the ones that it went on with count as well.

    Args:
        rows: of all those runs, see `given_rows`.
        is_still: whether a value surely has a digest.
        grounds: the workflow's own values now, or what they would be worked out from.
        secret_digest: makes of the digest of a value that of a secret.
    """

    def is_as_it_was(key: str, own: str, later: Sequence[str]) -> bool:
        if not own or key not in grounds:  # it can't be told, or was no parameter
            return True
        return is_still(grounds[key], own) and all(own in {one, one and secret_digest(one)} for one in later)

    found: dict[str, str] = {}
    for key, of_key in groupby(rows, key=lambda row: row["key"]):
        later: list[str] = []
        for _, of_run in groupby(of_key, key=lambda row: row["run_id"]):
            digests = {row["role"]: row["digest"] for row in of_run}
            if "initial" not in digests:
                later.append(digests.get("parameter", ""))
                continue
            if is_of_secret(digests["initial"]) and is_as_it_was(key, digests.get("default", ""), later):
                found[key] = digests["initial"]
            break
    return found
