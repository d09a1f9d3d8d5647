"""The files that `dockcaddy init` writes: settings with all options in comments, and a Compose file for the engine. Pure."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import attrs

from dockcaddy.hookspecs import SettingsSection
from dockcaddy.settings.table import OPTIONS, Option

Kind = Literal["docker", "swarm", "podman"]
KINDS: tuple[Kind, ...] = ("docker", "swarm", "podman")
DOCKER_SOCKET = "/var/run/docker.sock"
# of one run, not of the settings
_APART = ("dry_run",)
_HEAD = """\
# Settings of dockcaddy. Each line is an option with its default: remove the # to change it.
# Flags and environment variables (DOCKCADDY_...) come before this file.
"""
_COMPOSE = """\
# {start}
services:
  dockcaddy:
    # of {build} -t dockcaddy . in the folder of dockcaddy's source
    image: ${{DOCKCADDY_IMAGE:-dockcaddy}}
    networks: [caddy]
    ports:
{ports}
    volumes:
      - {socket}:/var/run/docker.sock
      - ./dockcaddy.toml:/etc/dockcaddy/dockcaddy.toml:ro
      # certificates, and the last configuration that worked
      - data:/data
    # connections that are being opened while Caddy takes another configuration are not reset
    sysctls: {{net.ipv4.tcp_migrate_req: "1"}}
{deployed}
  # an example: https://whoami.localhost
  whoami:
    image: traefik/whoami
    networks: [caddy]
{labels}

networks:
  caddy:
    name: caddy
{network}
volumes:
  data:
"""
_LABELS = """\
labels:
  caddy: whoami.localhost
  caddy.reverse_proxy: "{{upstreams 80}}"
"""
START = {
    "docker": "docker compose up -d",
    "podman": "podman compose up -d; rootless, ports below 1024 need: sysctl -w net.ipv4.ip_unprivileged_port_start=80",
    "swarm": "docker stack deploy --compose-file compose.yaml web",
}
_PORTS = '- "80:80"\n- "443:443"\n- "443:443/udp"\n'
_HOST_PORTS = """\
# mode host: Caddy sees the addresses of its clients
- {target: 80, published: 80, mode: host}
- {target: 443, published: 443, mode: host}
- {target: 443, published: 443, protocol: udp, mode: host}
"""
_ON_MANAGERS = (
    "deploy:\n  # only managers list services and tasks\n  placement: {constraints: [node.role == manager]}\n"
)
# SELinux keeps containers from the engine's socket
_UNLABELLED = "security_opt: [label=disable]\n"


def compose_text(kind: Kind, socket: str = DOCKER_SOCKET) -> str:
    """A Compose file with dockcaddy and an example, for an engine of this kind at this socket."""
    is_swarm = kind == "swarm"
    deployed = _ON_MANAGERS if is_swarm else _UNLABELLED if kind == "podman" else "restart: unless-stopped\n"
    # a Swarm's are those of the service
    labels = f"deploy:\n{_indented(_LABELS, 2)}" if is_swarm else _LABELS
    return _COMPOSE.format(
        start=START[kind],
        build="podman build" if kind == "podman" else "docker build",
        socket=socket,
        ports=_indented(_HOST_PORTS if is_swarm else _PORTS, 6).rstrip("\n"),
        deployed=_indented(deployed, 4),
        labels=_indented(labels, 4).rstrip("\n"),
        network="    driver: overlay\n    attachable: true\n" if is_swarm else "",
    )


def _indented(text: str, columns: int) -> str:
    return textwrap.indent(text, " " * columns)


def settings_text(sections: Sequence[SettingsSection]) -> str:
    """A `dockcaddy.toml` in which everything is a comment: the core's options in groups, then those of plugins."""
    parts = [_HEAD]
    options = [each for each in OPTIONS if each.name not in _APART]
    for group in dict.fromkeys(each.group for each in options if not each.section):
        parts.append(f"\n# --- {group} ---\n")
        parts += (_line(each) for each in options if each.group == group and not each.section)
    for name in dict.fromkeys(each.section for each in options if each.section):
        parts.append(f"\n[{name}]\n")
        parts += (_line(each) for each in options if each.section == name)
    for section in sections:
        parts.append(f"\n[{section.name}]\n")
        parts += _section_lines(section)
    return "".join(parts)


def _line(option: Option) -> str:
    return _commented(option.name, option.default, option.kind, option.help, option.choices)


def _commented(name: str, default: Any, kind: str, help: str, choices: Sequence[str] = ()) -> str:
    among = f" ({', '.join(filter(None, choices))})" if choices and not all(each in help for each in choices) else ""
    words = textwrap.fill(f"{help}{among}", 110, initial_indent="# ", subsequent_indent="# ")
    return f"\n{words}\n#{name} = {_value(default, kind)}\n"


def _value(default: Any, kind: str) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if kind == "duration":
        return f'"{default:g}s"' if default >= 1 or not default else f'"{default * 1000:g}ms"'
    if isinstance(default, tuple):
        return json.dumps(list(default))
    return json.dumps(default)


def _section_lines(section: SettingsSection) -> Iterator[str]:
    for each in attrs.fields(attrs.resolve_types(section.schema)):
        default = each.default.factory() if isinstance(each.default, attrs.Factory) else each.default  # type: ignore[arg-type]
        if each.init and (isinstance(default, bool | int | float | str | tuple)):
            kind = "duration" if each.type is float else ""
            yield _commented(each.name, default, kind, each.metadata.get("help", ""))
