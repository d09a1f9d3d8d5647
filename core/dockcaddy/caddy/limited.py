"""Adapts with a Caddy of our own within limits: what a text makes it do costs nothing but that process.

It starts when it is first needed, and knows only the variables that it is given.
"""

import threading
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from dockcaddy.caddy.exchange import result_of
from dockcaddy.caddy.limited_process import EndedError, LimitedProcess
from dockcaddy.caddy.words import without_values
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable, TooLargeError
from dockcaddy.settings import limits


@define(eq=False)
class LimitedAdapter:
    """Adapts with the Caddy program at `path`. Safe to use from several threads, which it serves at the same time.

    `memory` bytes are for all texts that are adapted at the same time, `patience` seconds for each of them. Texts may name
    the variables of the `environment`.
    """

    path: Path
    memory: int = limits.ADAPTER_MEMORY
    patience: float = limits.ADAPTER_PATIENCE
    environment: Mapping[str, str] = field(factory=dict)
    _process: LimitedProcess | None = None
    _starting: threading.Lock = field(factory=threading.Lock)
    _retrying: threading.Lock = field(factory=threading.Lock)

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON for the text. Raises CaddyRefusal with Caddy's error text, TooLargeError and CaddyUnreachable.

        Where the process ends while it adapts several texts, each of them gets a process for itself.
        """
        try:
            return self._adapted(self.running(), caddyfile)
        except EndedError as ended:
            if ended.by_itself:
                raise self._too_large() from None
        with self._retrying:
            process = LimitedProcess.started(self.path, self.memory, self.environment)
            try:
                return self._adapted(process, caddyfile)
            except EndedError as ended:
                if ended.by_itself:
                    raise self._too_large() from None
                raise CaddyUnreachable(f"caddy: {self.path} was ended while it adapted") from None
            finally:
                process.end()

    def close(self) -> None:
        """End the process. The next text starts another."""
        with self._starting:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def running(self) -> LimitedProcess:
        """The process that adapts now. Raises CaddyUnreachable."""
        with self._starting:
            if self._process is None or self._process.has_ended:
                self._process = LimitedProcess.started(self.path, self.memory, self.environment)
            return self._process

    def _adapted(self, process: LimitedProcess, caddyfile: str) -> bytes:
        try:
            return result_of(process.said("/adapt", caddyfile.encode(), "text/caddyfile", self.patience))
        except CaddyRefusal as refusal:
            raise CaddyRefusal(without_values(str(refusal), caddyfile)) from None

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            "with all imports written out it is too large to adapt: "
            f"it takes more than {self.memory >> 20} MiB of memory or {self.patience:g} s"
        )
