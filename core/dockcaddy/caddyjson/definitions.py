"""What other blocks of a Caddyfile may use: the global options, the snippets and the named routes. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from attrs import field, frozen

from dockcaddy.caddyfile import Block, all_blocks
from dockcaddy.fragment import Section


@frozen(eq=False)
class Definitions:
    """The sections that define something, in their order."""

    sections: tuple[Section, ...] = ()
    _texts: dict[frozenset[str], str] = field(factory=dict, init=False)

    @cached_property
    def snippets(self) -> Mapping[str, Block]:
        """The snippets by name."""
        blocks = (each.block for each in self.sections)
        return {block.keys[0][1:-1]: block for block in blocks if block.keys and block.keys[0].startswith("(")}

    @cached_property
    def _named(self) -> Mapping[str, Block]:
        """The snippets and named routes by their keys, `(name)` and `&(name)`."""
        return {each.block.keys[0]: each.block for each in self.sections if each.block.keys}

    def used(self, names: Collection[str]) -> list[Section]:
        """The options, and the definitions with these keys."""
        return [each for each in self.sections if not each.block.keys or each.block.keys[0] in names]

    def text_for(self, names: Iterable[str]) -> str:
        """The text of these."""
        keys = frozenset(names)
        if keys not in self._texts:
            self._texts[keys] = "".join([each.text for each in self.used(keys)])
        return self._texts[keys]

    def blocks(self, names: Iterable[str]) -> Iterator[Block]:
        """The blocks of the definitions with these keys."""
        return (self._named[name] for name in names)

    def used_by(self, blocks: Iterable[Block]) -> frozenset[str]:
        """The keys of the snippets and named routes that blocks use, and those that these use.

        Where what is used depends on what an import is given, it may be each of them.
        """
        found, waiting = set[str](), list(blocks)
        while waiting:
            for line in all_blocks((waiting.pop(),)):
                for key in self._named if _depends_on_import(line) else (used_key(line),):
                    if key in self._named and key not in found:
                        found.add(key)
                        waiting.append(self._named[key])
        return frozenset(found)

    def reads_files(self, blocks: Iterable[Block]) -> bool:
        """Whether there is an import in them of anything but a snippet."""
        imports = (line.keys[1] for line in all_blocks(blocks) if line.keys[:1] == ("import",) and len(line.keys) > 1)
        return any(name not in self.snippets for name in imports)

    @cached_property
    def read_files(self) -> bool:
        """The same for the definitions themselves."""
        return self.reads_files(each.block for each in self.sections)


def _depends_on_import(line: Block) -> bool:
    return any("{block" in key for key in line.keys) or "{" in used_key(line)


def used_key(line: Block) -> str:
    """The key of the snippet that a line imports, or of the named route that it invokes; `""` where it does neither."""
    if len(line.keys) > 1 and line.keys[0] == "import":
        return f"({line.keys[1]})"
    return f"&({line.keys[-1]})" if len(line.keys) > 1 and line.keys[0] == "invoke" else ""
