"""The inventory as a document of the engine's own JSON: for bug reports, for rendering without an engine."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dockcaddy.engine.ingress import IngressNetworks, ingress_networks
from dockcaddy.engine.records import EngineOptions, container, has_prefix, service
from dockcaddy.engine.strangers import warnings
from dockcaddy.engine.unreachable import advice
from dockcaddy.errors import DockcaddyError
from dockcaddy.model import EngineInventory, Inventory, Problem, Resource, SwarmConfig

VERSION = 1


class SnapshotError(DockcaddyError):
    """A document that is not a snapshot; the message names the place."""


def from_snapshot(document: object, options: EngineOptions) -> Inventory:
    """The inventory of a snapshot document. Raises SnapshotError."""
    if not isinstance(document, dict):
        raise SnapshotError(f"a snapshot is a JSON object, not {_named(document)}")
    if document.get("version") != VERSION:
        raise SnapshotError(f"version: expected {VERSION}, not {document.get('version')!r}")
    engines = _list(document, "engines", "")
    return Inventory(tuple(_engine(engine, f"engines[{place}]", options) for place, engine in enumerate(engines)))


def _named(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _list(holder: Mapping[str, Any], key: str, path: str) -> list[Any]:
    found = holder.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SnapshotError(f"{path}{key}: expected a list of objects, not {_named(found)}")
    return found


def _engine(engine: Mapping[str, Any], path: str, options: EngineOptions) -> EngineInventory:
    name = str(engine.get("name") or "local")
    containers = _list(engine, "containers", f"{path}.")
    networks = _list(engine, "networks", f"{path}.")
    own = next((item for item in containers if engine.get("self") and item.get("Id") == engine["self"]), None)
    resources: list[Resource] = []
    try:
        ingress = ingress_networks(networks, options.ingress_networks, own)
        for item in containers:
            if _counts(item, options):
                resources.append(container(item, item.get("Inspect"), ingress, name))
        resources += _services(engine, path, networks, ingress, name, options)
        overlooked = warnings(_strangers(containers, options), options.label_prefix)
    except KeyError as error:
        raise SnapshotError(f'{path}: not the engine\'s JSON: "{error.args[0]}" is missing') from error
    except (TypeError, AttributeError, ValueError) as error:
        raise SnapshotError(f"{path}: not the engine's JSON: something in it is of another type") from error
    configs, problems = _configs(_list(engine, "configs", f"{path}."), options.label_prefix)
    caddy = container(own, own.get("Inspect"), ingress, name) if own is not None else None
    problems = (*problems, *overlooked)
    return EngineInventory(name, tuple(resources), configs, caddy, problems, advice=advice(ingress, name))


def _strangers(items: Iterable[Mapping[str, Any]], options: EngineOptions) -> Iterator[Mapping[str, Any]]:
    for item in items:
        if item.get("State") in ("running", None) and not has_prefix(item.get("Labels") or {}, options.label_prefix):
            yield item


def _counts(item: Mapping[str, Any], options: EngineOptions) -> bool:
    if not options.wants(item.get("Labels") or {}):
        return False
    return options.scan_stopped_containers or item.get("State") in ("running", "paused", "restarting", None)


def _services(
    engine: Mapping[str, Any],
    path: str,
    networks: Sequence[Mapping[str, Any]],
    ingress: IngressNetworks,
    name: str,
    options: EngineOptions,
) -> list[Resource]:
    names = {network["Id"]: network["Name"] for network in networks}
    by_service: dict[str, list[Any]] = {}
    for task in _list(engine, "tasks", f"{path}."):
        by_service.setdefault(task.get("ServiceID", ""), []).append(task)
    services = [
        item
        for item in _list(engine, "services", f"{path}.")
        if has_prefix((item.get("Spec") or {}).get("Labels") or {}, options.label_prefix)
    ]
    return [service(item, by_service.get(item["ID"], []), names, {}, ingress, name, options) for item in services]


def _configs(items: Sequence[Mapping[str, Any]], prefix: str) -> tuple[tuple[SwarmConfig, ...], tuple[Problem, ...]]:
    configs, problems = [], []
    for item in items:
        spec = item.get("Spec") or {}
        if prefix not in (spec.get("Labels") or {}):
            continue
        name = str(spec.get("Name") or item.get("ID"))
        try:
            text = base64.b64decode(spec.get("Data") or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            problems.append(Problem(f"config {name}", "", f"its data is not UTF-8 text: {error}"))
            continue
        configs.append(SwarmConfig(str(item.get("ID")), name, text))
    return tuple(configs), tuple(problems)
