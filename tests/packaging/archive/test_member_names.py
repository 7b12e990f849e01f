"""What member names come to."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.packaging.archive.member_names import OF_OTHER_VERSIONS, collisions, name_problem, shadowing, tidy

# Which modules the standard library of which Python has: a line of versions, and below it what only they have.
STANDARD_LIBRARY = (Path(__file__).parent / "standard_library.txt").read_text().splitlines()
NAMES = st.text(st.sampled_from("ab./\\:\u00e9\u0301\u00c9\0\u202e \n"), max_size=20)


@given(NAMES)
def test_a_name_without_problem_stays_in_its_folder(name: str) -> None:
    if name_problem(name) is None:
        parts = tidy(name).split("/")
        assert ".." not in parts
        assert not name.startswith("/")
        assert tidy(tidy(name)) == tidy(name)


@given(st.sets(st.sampled_from(["a", "A", "b", "a/b", "A/b", "a/B", "b/c", "\u00e9", "e\u0301"])))
def test_names_collide_if_they_are_one_where_case_does_not_count(names: set[str]) -> None:
    folded = [name.casefold().replace("e\u0301", "\u00e9") for name in names]
    folders = {one.rpartition("/")[0] for one in folded} - {""}
    spelt = {name.rpartition("/")[0] for name in names} - {""}
    collide = len(set(folded)) < len(names) or folders & set(folded) or len(folders) < len(spelt)
    assert bool(list(collisions(names))) == bool(collide)


def modules_by_versions() -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    versions: tuple[str, ...] = ()
    for line in STANDARD_LIBRARY:
        if line.startswith(" "):
            found[versions] += line.split()
        else:
            versions = tuple(line.split())
            found[versions] = []
    return found


MODULES = modules_by_versions()
EVERY_VERSION = max(MODULES, key=len)


@pytest.mark.parametrize("version", EVERY_VERSION)
def test_a_module_of_the_standard_library_is_hidden_by_no_package_whatever_python_looks(version: str) -> None:
    modules = [one for versions, names in MODULES.items() if version in versions for one in names]
    assert len(list(shadowing(f"vendor/{one}.py" for one in modules))) == len(modules)
    # What not every version has would be unknown to one of them, were it not listed.
    assert set(modules) <= {*MODULES[EVERY_VERSION], *OF_OTHER_VERSIONS}


def test_what_is_listed_is_of_some_versions_only() -> None:
    some = {one for versions, names in MODULES.items() if versions != EVERY_VERSION for one in names}
    assert set(OF_OTHER_VERSIONS) == some
