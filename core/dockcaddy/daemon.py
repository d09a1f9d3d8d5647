"""`dockcaddy run`, put together: engines, a Caddy, the pipeline, the outputs and the loop around them."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define

from dockcaddy.caddy import AdminClient, CaddyProcess, CommandAdapter, find_caddy
from dockcaddy.controller import Controller, WatchedEngine
from dockcaddy.delivery import Delivery
from dockcaddy.errors import CaddyUnreachable, SettingsError
from dockcaddy.hookspecs import Adapter, Output, OutputContext
from dockcaddy.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.quarantine import Quarantine
from dockcaddy.registry import Registry
from dockcaddy.settings import Settings

logger = logging.getLogger("dockcaddy")


@define
class BaseFile:
    """The operator's Caddyfile on disk, read anew when it changed; what was read last stays where it cannot be read."""

    path: str
    _seen: tuple[int, int] | None = None
    _last: BaseCaddyfile | None = None
    _failure: str = ""

    def __call__(self) -> BaseCaddyfile | None:
        """The file's text now."""
        try:
            status = os.stat(self.path)
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._last = BaseCaddyfile(self.path, Path(self.path).read_text(encoding="utf-8"))
                self._seen = seen
            self._failure = ""
        except (OSError, UnicodeDecodeError) as error:
            if not self._failure:
                logger.error("caddyfile %s: cannot be read, what was read last stays: %s", self.path, error)
            self._failure = str(error)
        return self._last


@define
class FirstAdapter:
    """Asks the first adapter that answers: the running Caddy, else the program on disk."""

    adapters: tuple[Adapter, ...]

    def adapt(self, caddyfile: str) -> bytes:
        """Caddy's JSON of the text. Raises CaddyRefusal, or CaddyUnreachable where none answers."""
        failure: CaddyUnreachable | None = None
        for adapter in self.adapters:
            try:
                return adapter.adapt(caddyfile)
            except CaddyUnreachable as error:
                failure = failure or error
        raise failure or CaddyUnreachable("no caddy to adapt with, install one: pip install 'dockcaddy[caddy]'")


def pipeline_for(settings: Settings, registry: Registry, sections: Mapping[type, Any]) -> Pipeline:
    """The pipeline that the settings describe."""
    return Pipeline(
        registry,
        sections,
        label_prefix=settings.label_prefix,
        route_order=settings.route_order,
        suffix_names=settings.suffix_names,
    )
