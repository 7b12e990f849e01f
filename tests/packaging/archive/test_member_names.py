"""What member names come to."""

from hypothesis import given, strategies as st

from cloaca_nb.packaging.archive.member_names import collisions, name_problem, tidy

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
