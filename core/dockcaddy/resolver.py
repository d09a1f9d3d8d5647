"""Answers Caddy's questions for the addresses behind the names in its configuration: a DNS server (RFC 1035) for nobody else."""

import contextlib
import logging
import random
import socket
import threading

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from attrs import define, field

from dockcaddy.errors import OutputError
from dockcaddy.sites import Names

logger = logging.getLogger("dockcaddy")

# an answer with more of them would not fit into the datagram that Go takes
MOST_ADDRESSES = 64
LONGEST_QUESTION = 1232
ANSWERS_KEPT = 4096


@define(eq=False)
class Resolver:
    """Listens at `address` (`HOST:PORT`) from when it is first told a name."""

    address: str
    _names: Names = field(factory=dict)
    _answers: dict[bytes, bytes] = field(factory=dict)
    _socket: socket.socket | None = None

    def tell(self, names: Names) -> None:
        """Know these names and no others. Raises OutputError where it cannot listen."""
        self._names, self._answers = names, {}
        if names and self._socket is None:
            self._socket = self._listening()
            threading.Thread(target=self._answer_all, args=(self._socket,), name="resolver", daemon=True).start()

    def add(self, names: Names) -> None:
        """Know these names besides. Raises OutputError where it cannot listen."""
        self.tell({**self._names, **names})

    def close(self) -> None:
        """Stop answering."""
        if self._socket is not None:
            self._socket.close()

    def _listening(self) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        bare = host.strip("[]")
        made = socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.bind((bare, int(port)))
        except (OSError, ValueError, OverflowError) as error:
            made.close()
            raise OutputError(
                f"cannot listen at {self.address} for Caddy's questions: {error}, give it another address: --resolver"
            ) from error
        return made

    def _answer_all(self, listening: socket.socket) -> None:
        while True:
            try:
                question, sender = listening.recvfrom(LONGEST_QUESTION)
            except OSError:
                return
            answer = self.answer(question)
            with contextlib.suppress(OSError):
                if answer:
                    listening.sendto(answer, sender)

    def answer(self, question: bytes) -> bytes:
        """The answer to a question, both as they go over the wire; nothing to what is no question."""
        # two questions for the same differ in the number that they begin with
        number, asked, kept = question[:2], question[2:], self._answers
        if asked not in kept:
            if len(kept) >= ANSWERS_KEPT:
                kept.clear()
            kept[asked] = self._made(question)[2:]
        return number + kept[asked] if kept[asked] else b""

    def _made(self, question: bytes) -> bytes:
        try:
            asked = dns.message.from_wire(question)
            answer = dns.message.make_response(asked)
        except (dns.exception.DNSException, ValueError):
            return b""
        answer.flags |= dns.flags.AA
        for each in asked.question:
            addresses = self._names.get(each.name.to_text().lower())
            if addresses is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
                continue
            kind, chosen = each.rdtype, _of_family(addresses, each.rdtype)
            if chosen:
                answer.answer.append(dns.rrset.from_text_list(each.name, 0, "IN", kind, chosen))
        return answer.to_wire()


def _of_family(addresses: tuple[str, ...], kind: dns.rdatatype.RdataType) -> list[str]:
    """The addresses that a record of this type can hold, as many as fit; which ones differs from cycle to cycle."""
    is_wanted = {dns.rdatatype.A: lambda each: ":" not in each, dns.rdatatype.AAAA: lambda each: ":" in each}.get(kind)
    fitting = [each for each in addresses if is_wanted is not None and is_wanted(each)]
    return random.sample(fitting, min(len(fitting), MOST_ADDRESSES))
