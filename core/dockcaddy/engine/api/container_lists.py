"""Lists of containers, decoded only where they differ from the list before."""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from attrs import define, field

from dockcaddy.engine.records.resources import shared

Json = Mapping[str, Any]

# how an item begins after another one. A quote within a text is escaped, so no text contains it
_BEGIN = b',{"Id":'
# the words for how long a container is up or has ended; its health comes after them, in parentheses
_SINCE = re.compile(rb'"Status":\s*"(?:Up|Exited \(\d+\)|Restarting \(\d+\)) [^"(\\]*')


@define(eq=False)
class ContainerLists:
    """Decodes full lists. Knows the items of the last one by their digests."""

    _items: dict[bytes, Json] = field(factory=dict)

    def items(self, body: bytes) -> list[Json]:
        """The items of a list. One that was in the list before is the same object again, whatever it says since when.

        Raises ValueError for what is no list, or one of another form.
        """
        head, *texts = (b"," + body[1:-1]).split(_BEGIN)
        if head or body[:1] + body[-1:] != b"[]":
            raise ValueError("not a list of containers")
        before, items, known = self._items, [], {}
        # where each part is a document, these are the items
        for text in texts:
            digest = blake2b(_SINCE.sub(b"", text), digest_size=16).digest()
            item = before.get(digest)
            if item is None:
                item = shared(json.loads(_BEGIN[1:] + text))
            items.append(item)
            known[digest] = item
        self._items = known
        return items
