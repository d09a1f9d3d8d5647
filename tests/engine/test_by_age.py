"""Containers by age: each that comes, goes or is inspected takes its place among the others."""

from dockcaddy.engine.known_container import ByAge, Known
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.integers(0, 3)
FRACTIONS = st.sampled_from(("", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"))
STEPS = st.lists(st.tuples(st.sampled_from(("come", "go", "inspect", "list", "ask")), SECONDS, FRACTIONS), max_size=30)


@given(STEPS)
def test_the_order_is_that_of_sorting_all_of_them(steps: list[tuple[str, int, str]]) -> None:
    by_age, there = ByAge(), list[Known]()
    for rank, (step, second, fraction) in enumerate(steps):
        chosen = there[second % len(there)] if there else None
        match step:
            case "come":
                there.append(Known({"Created": second}, rank))
                by_age.put(there[-1])
            case "list":
                for known in there:
                    known.rank = rank * 100 - known.rank
                by_age.forget()
            case "ask":
                by_age.of(there)
            case "inspect" if chosen is not None:
                chosen.inspect = {"Created": fraction}
                by_age.drop(chosen)
                by_age.put(chosen)
            case "go" if chosen is not None:
                there.remove(chosen)
                by_age.drop(chosen)
    fresh = ByAge()
    for known in there:
        fresh.put(known)
    assert list(by_age.of(there)) == list(fresh.of(reversed(there)))
