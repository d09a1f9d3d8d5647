"""The lock as a config of the Swarm, whose labels say who holds it. The Swarm updates only the version that was read."""

import hashlib
import itertools
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from attrs import define, field

from dockcaddy.controller.election import LockUnavailable, Record
from dockcaddy.engine.api.connection import Connection
from dockcaddy.engine.api.failures import failure_of, is_no_manager, status_of
from dockcaddy.engine.watch.events import LOCK_PREFIX
from dockcaddy.errors import EngineUnreachable

_HOLDER, _TERM, _BEAT = "dockcaddy.leader", "dockcaddy.term", "dockcaddy.beat"
# what engines say that are no managers, but for one that is going to be one again
_NO_SWARM, _PASSES = ("not a swarm manager", "not part of a swarm"), "manager is being prepared"
_DATA = b"The labels of this config say which controller of dockcaddy leads.\n"


@define(eq=False)
class SwarmLock:
    """The lock of all controllers with this label prefix and these `groups`. The engine has to be a manager.

    `groups` are other settings that tell controllers of one Swarm apart, such as their network.
    """

    connection: Connection
    prefix: str = "caddy"
    groups: Sequence[str] = ()
    _beats: Any = field(factory=lambda: itertools.count(1))
    _term: int = 0
    # the config as it was read last
    _known: Any = None

    @property
    def name(self) -> str:
        """The config's name."""
        digest = hashlib.sha256("\0".join(self.groups).encode()).hexdigest()[:8]
        return f"{LOCK_PREFIX}{self.prefix}{f'-{digest}' if any(self.groups) else ''}"

    def read(self) -> Record | None:
        """See Lock."""
        found = self._known = self._found()
        if found is None:
            return None
        labels = found["Spec"].get("Labels") or {}
        version = found["Version"]["Index"]
        term = str(labels.get(_TERM) or "")
        beat = (labels.get(_BEAT), version)
        return Record(labels.get(_HOLDER) or "", int(term) if term.isdecimal() else 0, beat, version)

    def take(self, me: str, before: Record | None) -> bool:
        """See Lock."""
        self._term = (before.term if before is not None else 0) + 1
        if before is None:
            return self._called(lambda client: client.create_config(self.name, _DATA, self._labels(me))) is not None
        return self._write(me, before.version)

    def renew(self, me: str) -> bool:
        """See Lock."""
        record = self.read()
        if record is None:
            return self.take(me, None)
        return record.holder == me and record.term == self._term and self._write(me, record.version)

    def release(self, me: str) -> None:
        """See Lock."""
        record = self.read()
        if record is not None and record.holder == me:
            self._write("", record.version)

    def _labels(self, holder: str) -> dict[str, str]:
        return {_HOLDER: holder, _TERM: str(self._term), _BEAT: str(next(self._beats))}

    def _found(self) -> Any:
        found = self._called(lambda client: client.configs(filters={"name": self.name}))
        # the filter matches the beginning of names
        return next((each for each in found or () if each["Spec"]["Name"] == self.name), None)

    def _write(self, holder: str, version: object) -> bool:
        """Replace the labels of this version, which was read last. Returns False if it is no longer there."""
        found = self._known
        if found is None or found["Version"]["Index"] != version:
            return False

        def write(client: Any) -> bool:
            spec = {**found["Spec"], "Labels": self._labels(holder)}
            url = client._url("/configs/{0}/update", found["ID"])
            response = client._post_json(url, data=spec, params={"version": version})
            if response.status_code == HTTPStatus.NOT_FOUND:
                return False
            client._raise_for_status(response)
            return True

        return bool(self._called(write))

    def _called(self, call: Any) -> Any:
        """The result of a call; None if another controller was faster."""
        try:
            return call(self.connection.client())
        except EngineUnreachable as error:
            raise LockUnavailable(str(error)) from error
        except Exception as error:
            words = str(error)
            if "update out of sequence" in words or getattr(error, "status_code", None) == 409:
                return None
            failure = failure_of(error)
            if failure.is_forbidden or _has_no_swarm(error, failure.cause):
                raise LockForbidden(failure.cause) from error
            raise LockUnavailable(f"{self.connection.place}: {failure.cause}") from error


def _has_no_swarm(error: Exception, cause: str) -> bool:
    """Whether the engine is no manager, or has no configs at all, as Podman. Another 503 passes."""
    if status_of(error) != HTTPStatus.SERVICE_UNAVAILABLE:
        return is_no_manager(error)
    said = cause.lower()
    return any(each in said for each in _NO_SWARM) and _PASSES not in said


class LockForbidden(LockUnavailable):
    """The engine allows no configs: it is no manager of a Swarm, or a socket proxy forbids the calls."""
