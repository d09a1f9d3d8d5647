"""The lexer's items, with the three of look-ahead that Go's parser has (parse.go)."""

from attrs import define, field

from dockcaddy.gotemplate.lex import Item, Lexer


@define(eq=False)
class Tokens:
    """Reads items, and takes some of them back."""

    lexer: Lexer
    _items: list[Item] = field(factory=lambda: [Item("eof", 0, "", 1)] * 3)
    _pushed_back: int = 0

    @property
    def line(self) -> int:
        """The line of the item that was read last from the lexer."""
        return self._items[0].line

    def next(self) -> Item:
        """The next item."""
        if self._pushed_back:
            self._pushed_back -= 1
        else:
            self._items[0] = self.lexer.next_item()
        return self._items[self._pushed_back]

    def backup(self, *before: Item) -> None:
        """Push back the last item, and those before it, the earliest first."""
        for place, item in enumerate(reversed(before), 1):
            self._items[place] = item
        self._pushed_back = len(before) + 1 if before else self._pushed_back + 1

    def peek(self) -> Item:
        """The next item, which stays the next."""
        if not self._pushed_back:
            self._pushed_back = 1
            self._items[0] = self.lexer.next_item()
        return self._items[self._pushed_back - 1]

    def next_non_space(self) -> Item:
        """The next item that is no space."""
        while True:
            token = self.next()
            if token.kind != "space":
                return token

    def peek_non_space(self) -> Item:
        """The same, and it stays the next."""
        token = self.next_non_space()
        self.backup()
        return token
