"""Incremental assembly gives what assembling from nothing gives, and touches only what changed."""

import pytest
from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block
from dockcaddy.fragment import Fragment
from dockcaddy.merge.assembly import Assembler
from hypothesis import given, settings
from hypothesis import strategies as st

SITES = st.sampled_from([(), ("a.test",), ("b.test", "c.test"), ("(snippet)",), ("c.test",)])
LINES = st.sampled_from(
    [("respond", "x"), ("reverse_proxy", "10.0.0.1"), ("reverse_proxy", "10.0.0.2"), ("@m", "path", "/")]
)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    children = draw(st.lists(LINES, max_size=3))
    return Block(draw(SITES), tuple(Block(keys) for keys in children))


fragments = st.dictionaries(st.sampled_from("pqrs"), st.lists(blocks(), max_size=3), max_size=4)


def fragment(key: str, content: list[Block]) -> Fragment:
    return Fragment(key, f"container {key}", 0, tuple(content))


@settings(max_examples=200)
@given(st.lists(fragments, min_size=1, max_size=5))
def test_step_by_step_equals_from_nothing(states: list[dict[str, list[Block]]]) -> None:
    kept = Assembler()
    for state in states:
        current = [fragment(key, content) for key, content in sorted(state.items())]
        assert kept.assemble(current).text == Assembler().assemble(current).text


def test_fragments_that_leave_leave_no_trace_and_come_back() -> None:
    good = fragment("a", [Block(("a.test",), (Block(("respond", "a")),))])
    bad = fragment("b", [Block(("a.test",), (Block(("respond", "b")),))])
    assembler = Assembler()
    both = assembler.assemble([good, bad]).text
    assert assembler.assemble([good]).text == Assembler().assemble([good]).text
    assert assembler.assemble([good, bad]).text == both


def test_only_the_changed_site_is_merged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    current = [fragment(f"f{i}", [Block((f"{i}.test",), (Block(("respond", str(i))),))]) for i in range(50)]
    assembler = Assembler()
    assembler.assemble(current)
    merges: list[object] = []
    original = caddyfile.merge
    monkeypatch.setattr(caddyfile, "merge", lambda blocks: merges.append(blocks) or original(blocks))
    current[7] = fragment("f7", [Block(("7.test",), (Block(("respond", "changed")),))])
    assert "respond changed" in assembler.assemble(current).text
    assert len(merges) == 1


def test_the_same_fragments_give_the_same_assembly() -> None:
    good = fragment("a", [Block(("a.test",), (Block(("respond", "a")),))])
    assembler = Assembler()
    assembly = assembler.assemble([good])
    assert assembler.assemble([good]) is assembly
    assert assembler.assemble([fragment("a", list(good.blocks))]) is not assembly
    assert assembler.assemble([]) is not assembly


@pytest.mark.parametrize("blocks", [[], [Block(())]])
def test_nothing_gives_a_comment(blocks: list[Block]) -> None:
    assert Assembler().assemble([fragment("a", blocks)]).text == "# Empty caddyfile"
