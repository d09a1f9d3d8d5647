"""What the resolver answers, over the wire."""

import dns.message
import dns.query
import dns.rcode
import pytest
from dockcaddy.resolver import MOST_ADDRESSES, Resolver
from hypothesis import given
from hypothesis import strategies as st

NAMES = {"a.upstreams.internal.": ("10.0.0.2", "10.0.0.3", "fd00::5"), "none.upstreams.internal.": ()}


def asked(resolver: Resolver, name: str, kind: str = "A") -> dns.message.Message:
    return dns.message.from_wire(resolver.answer(dns.message.make_query(name, kind).to_wire()))


def found(answer: dns.message.Message) -> set[str]:
    return {record.to_text() for rrset in answer.answer for record in rrset}


@pytest.fixture
def resolver() -> Resolver:
    return Resolver("127.0.0.1:0", dict(NAMES))


@pytest.mark.parametrize(
    ("kind", "addresses"), [("A", {"10.0.0.2", "10.0.0.3"}), ("AAAA", {"fd00::5"}), ("TXT", set())]
)
def test_a_name_has_its_addresses_by_their_family(resolver: Resolver, kind: str, addresses: set[str]) -> None:
    assert found(asked(resolver, "A.upstreams.internal.", kind)) == addresses


def test_a_name_without_addresses_is_known_all_the_same(resolver: Resolver) -> None:
    answer = asked(resolver, "none.upstreams.internal.")
    assert (answer.rcode(), found(answer)) == (dns.rcode.NOERROR, set())


def test_another_name_is_unknown(resolver: Resolver) -> None:
    assert asked(resolver, "example.org.").rcode() == dns.rcode.NXDOMAIN


def test_no_address_is_kept_by_whoever_asks(resolver: Resolver) -> None:
    assert asked(resolver, "a.upstreams.internal.").answer[0].ttl == 0


def test_of_very_many_addresses_as_many_are_told_as_fit() -> None:
    every = {f"10.0.{n // 250}.{n % 250}" for n in range(100)}
    resolver = Resolver("127.0.0.1:0", {"a.upstreams.internal.": tuple(sorted(every))})
    answer = resolver.answer(dns.message.make_query("a.upstreams.internal.", "A").to_wire())
    assert len(answer) <= 1232
    assert len(found(dns.message.from_wire(answer)) & every) == MOST_ADDRESSES


def test_each_question_gets_the_answer_with_its_own_number(resolver: Resolver) -> None:
    questions = [dns.message.make_query("a.upstreams.internal.", "A", id=number) for number in (1, 2, 1)]
    answers = [dns.message.from_wire(resolver.answer(each.to_wire())) for each in questions]
    assert [each.id for each in answers] == [1, 2, 1] and len({each.to_text()[6:] for each in answers}) == 1


@given(st.binary(max_size=200))
def test_whatever_comes_it_goes_on(question: bytes) -> None:
    assert isinstance(Resolver("127.0.0.1:0", dict(NAMES)).answer(question), bytes)


def test_it_listens_from_the_first_name_on_and_knows_what_it_was_told_last(free_port) -> None:
    port = free_port()
    resolver = Resolver(f"127.0.0.1:{port}")
    resolver.tell({})
    resolver.tell(NAMES)
    resolver.add({"b.upstreams.internal.": ("10.0.0.9",)})
    query = dns.message.make_query("b.upstreams.internal.", "A")
    assert found(dns.query.udp(query, "127.0.0.1", 5, port)) == {"10.0.0.9"}
    resolver.tell(NAMES)
    assert dns.query.udp(query, "127.0.0.1", 5, port).rcode() == dns.rcode.NXDOMAIN
    resolver.close()
