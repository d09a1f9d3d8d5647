"""The short forms of Compose files as the long ones, which Docker Compose prints. Pure."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# keys that are `KEY: VALUE` or `- KEY=VALUE`
_PAIRS = ("labels", "environment")
_PORT = re.compile(
    r"(?:(?:(?P<ip>\[[^]]+\]|[\d.]+):)?(?P<published>[\d-]*):)?(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?"
)
_WINDOWS = re.compile(r"^([A-Za-z]:[\\/][^:]*)")


def as_mapping(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service, with labels, environment and networks as mappings, so that they can be merged."""
    made = {key: _pairs(each) if key in _PAIRS else each for key, each in service.items()}
    if isinstance(made.get("networks"), list):
        made["networks"] = dict.fromkeys(made["networks"])
    if isinstance(made.get("deploy"), dict):
        made["deploy"] = {key: _pairs(each) if key == "labels" else each for key, each in made["deploy"].items()}
    for key in ("env_file", "profiles", "expose"):
        if isinstance(made.get(key), str):
            made[key] = [made[key]]
    return made


def _pairs(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    pairs = (str(each).partition("=") for each in value)
    return {key: text if separator else None for key, separator, text in pairs}


def long_form(service: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """A service with its ports, mounts and environment in full. Variables without a value are those of the shell."""
    made = dict(service)
    given = dict(_environment_files(service.get("env_file") or (), folder))
    own = {
        key: variables.get(key) if value is None else value for key, value in (service.get("environment") or {}).items()
    }
    made["environment"] = {**given, **own}
    made["ports"] = [port for each in service.get("ports") or () for port in _ports(each)]
    made["volumes"] = [_mount(each, folder) for each in service.get("volumes") or ()]
    if not made.get("networks") and not made.get("network_mode"):
        made["networks"] = {"default": None}
    return made


def _environment_files(items: Sequence[Any], folder: Path) -> Iterator[tuple[str, str]]:
    for item in items:
        path = folder / str(item.get("path") if isinstance(item, dict) else item)
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines():
                key, separator, value = line.strip().removeprefix("export ").partition("=")
                if separator and not key.startswith("#"):
                    yield key.strip(), value.strip().strip("\"'")


def _ports(item: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, dict):
        yield {**item, "target": int(item["target"]) if str(item.get("target", "")).isdecimal() else 0}
        return
    found = _PORT.fullmatch(str(item).strip())
    if found is None:
        return
    targets, published = _range(found["target"]), _range(found["published"] or "")
    for place, target in enumerate(targets):
        host = published[place] if len(published) == len(targets) else 0
        yield {
            "target": target,
            "published": str(host or ""),
            "protocol": found["protocol"] or "tcp",
            "host_ip": (found["ip"] or "").strip("[]"),
        }


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1)) if first.isdecimal() and (last or "0").isdecimal() else []


def _mount(item: Any, folder: Path) -> dict[str, Any]:
    if isinstance(item, dict):
        source = item.get("source")
        return {**item, "source": _absolute(str(source), folder)} if item.get("type") == "bind" and source else item
    text = str(item)
    drive = _WINDOWS.match(text)
    source, *rest = [drive[1], *text[drive.end() :].lstrip(":").split(":")] if drive else text.split(":")
    if not rest:
        return {"type": "volume", "source": "", "target": source}
    is_path = bool(drive) or source.startswith((".", "/", "~"))
    return {
        "type": "bind" if is_path else "volume",
        "source": _absolute(source, folder) if is_path else source,
        "target": rest[0],
        "read_only": "ro" in ",".join(rest[1:]).split(","),
    }


def _absolute(source: str, folder: Path) -> str:
    # with links as they are, as Compose does
    return os.path.abspath(folder / Path(source).expanduser())  # noqa: PTH100
