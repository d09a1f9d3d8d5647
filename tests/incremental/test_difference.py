"""How tuples differ, and what is made of each member from one tuple to the next."""

from collections.abc import Sequence
from random import Random

import pytest
from dockcaddy.incremental import Chosen, Difference, Each
from hypothesis import given
from hypothesis import strategies as st


class Member:
    """Something that is equal to itself only."""


POOL = tuple(Member() for _ in range(40))
MEMBERS = st.lists(st.sampled_from(POOL), unique=True).map(tuple)
REPEATED = st.lists(st.sampled_from(POOL[:6]), max_size=20).map(tuple)


@given(MEMBERS, MEMBERS)
def test_what_is_gone_and_new_is_what_only_one_of_both_has(before: tuple[Member, ...], now: tuple[Member, ...]) -> None:
    found = Difference.of(before, now)
    assert found.gone == tuple(each for each in before if each not in now)
    assert found.new == tuple(each for each in now if each not in before)
    assert bool(found) is (before != now)


@given(st.lists(REPEATED | MEMBERS))
def test_something_is_made_of_each_member_in_their_order(given: Sequence[tuple[Member, ...]]) -> None:
    each = Each[Member, int](id)
    chosen = Chosen[Member](lambda member: member in POOL[::3])
    for members in given:
        assert each.of(members) == tuple(map(id, members))
        assert chosen.of(members) == tuple(member for member in members if member in POOL[::3])


def changed(members: tuple[Member, ...], random: Random) -> tuple[Member, ...]:
    made = list(members)
    for _ in range(random.randrange(4)):
        at = random.randrange(len(made))
        made[at : at + random.randrange(3)] = [Member() for _ in range(random.randrange(3))]
    return tuple(made)


@pytest.mark.parametrize("seed", range(20))
def test_of_many_members_a_few_changes_are_found_where_they_are(seed: int) -> None:
    random = Random(seed)
    before = tuple(Member() for _ in range(1000))
    made: list[Member] = []

    def make(member: Member) -> Member:
        made.append(member)
        return member

    each = Each(make)
    each.of(before)
    for _ in range(20):
        now = changed(before, random)
        found = Difference.of(before, now)
        assert sum(len(hunk.old) + len(hunk.new) for hunk in found.hunks) < 60
        made.clear()
        assert each.of(now) == now
        assert made == [member for member in now if member not in before]
        before = now


def test_the_same_members_give_the_very_same_tuples() -> None:
    each = Each[Member, int](id)
    chosen, every = Chosen[Member](lambda member: member is POOL[3]), Chosen[Member](lambda member: True)
    made, few = each.of(POOL), chosen.of(POOL)
    assert every.of(POOL) is POOL
    again = (*POOL[:3], *POOL[3:])
    assert again is not POOL
    assert each.of(again) is made and chosen.of(again) is few and every.of(again) is POOL
    # what is not chosen makes no difference
    assert chosen.of(POOL[2:]) is few


def test_what_cannot_be_made_is_made_the_next_time() -> None:
    fails = [True]

    def make(member: Member) -> int:
        if fails[0] and member is POOL[5]:
            raise ValueError
        return id(member)

    each = Each(make)
    each.of(POOL[:5])
    with pytest.raises(ValueError):
        each.of(POOL[:7])
    fails[0] = False
    assert each.of(POOL[:7]) == tuple(map(id, POOL[:7]))
