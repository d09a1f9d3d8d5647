"""What a step keeps by key, and where members are."""

import pytest
from dockcaddy.incremental import keep, places
from hypothesis import given
from hypothesis import strategies as st


def test_nothing_is_kept_where_nothing_was_found() -> None:
    kept = {"a": (1,), "b": (2,)}
    keep(kept, "a", ())
    keep(kept, "b", (3,))
    keep(kept, "c", ())
    assert kept == {"b": (3,)}


@given(st.sets(st.integers(), max_size=60), st.data())
def test_places_are_those_of_the_tuple(numbers: set[int], data: st.DataObject) -> None:
    members = tuple(data.draw(st.permutations(sorted(numbers))))
    some = data.draw(st.sets(st.sampled_from(members))) if members else set()
    assert places(some, members) == {each: members.index(each) for each in some}


@pytest.mark.parametrize("count", [1, 100])
def test_what_is_not_there_has_no_place(count: int) -> None:
    with pytest.raises((LookupError, ValueError)):
        places(range(count), ())
