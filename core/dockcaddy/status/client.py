"""The status of the dockcaddy that runs here, asked at its socket."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from dockcaddy.errors import DockcaddyError
from dockcaddy.files import UnixConnection

# a daemon that is busy answers within this time, in seconds
PATIENCE = 10.0


class NotRunning(DockcaddyError):
    """No dockcaddy answers at the socket."""


@define
class StatusClient:
    """Asks at the unix socket at `path`. What has not changed is not sent again. `patience` is in seconds."""

    path: Path
    patience: float = PATIENCE
    _kept: dict[str, tuple[str, Mapping[str, Any]]] = field(factory=dict)

    def document(self, name: str) -> Mapping[str, Any]:
        """The document `/api/v1/NAME`. Raises NotRunning."""
        tag, kept = self._kept.get(name, ("", {}))
        connection = UnixConnection(self.path, self.patience)
        try:
            connection.request("GET", f"/api/v1/{name}", headers={"If-None-Match": tag} if tag else {})
            response = connection.getresponse()
            body = response.read()
            if response.status == 304:
                return kept
            if response.status != 200:
                raise NotRunning(f"the status at {self.path} answered with status {response.status}")
            made: Mapping[str, Any] = json.loads(body)
        except PermissionError as error:
            raise NotRunning(f"the status at {self.path} is for the user that dockcaddy runs as") from error
        except TimeoutError as error:
            reason = f"does not answer within {self.patience:g} s: it is stopped or hangs, so restart it"
            raise NotRunning(f"the dockcaddy at {self.path} {reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NotRunning(
                f"no dockcaddy answers at {self.path}: {reason}: start it, or name its --state-directory"
            ) from error
        finally:
            connection.close()
        self._kept[name] = response.headers.get("ETag") or "", made
        return made
