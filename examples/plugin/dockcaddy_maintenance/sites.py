"""The output `sites`: the addresses of all sites in a file, for a monitoring system to read."""

import json
from collections.abc import Iterator
from typing import Any

from dockcaddy import Configuration, FileOutput, OutputContext, target_file


def sites_output(context: OutputContext) -> "SitesOutput":
    """The output for `--output sites=PATH`. Raises OutputError if PATH cannot be a file."""
    return SitesOutput(target_file(context, "sites"))


class SitesOutput(FileOutput):
    """A file with the hosts of all sites, one a line, sorted."""

    def content(self, configuration: Configuration) -> bytes:
        """The file's content. Raises CaddyRefusal if no Caddy has adapted the configuration."""
        hosts = sorted(set(_hosts(json.loads(configuration.json))))
        return "".join(f"{host}\n" for host in hosts).encode()


def _hosts(config: Any) -> Iterator[str]:
    """The hosts in the matchers of the routes of all servers."""
    for server in config.get("apps", {}).get("http", {}).get("servers", {}).values():
        for route in server.get("routes", ()):
            for matcher in route.get("match", ()):
                yield from matcher.get("host", ())
