"""Read snapshots: inventories as documents of the engine's JSON, for bug reports and for rendering without an engine."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockcaddy.engine.api import podman
from dockcaddy.engine.builder import InventoryBuilder
from dockcaddy.engine.reach.neighbours import Neighbours, Place, Reach
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.soundness import INSPECT, oddity
from dockcaddy.engine.services import SwarmResponses
from dockcaddy.errors import DockcaddyError
from dockcaddy.model import Inventory
from dockcaddy.settings.reach import is_address, parse_reach

VERSION = 1


class SnapshotError(DockcaddyError):
    """A document that is not a snapshot. The message names the place."""


def from_snapshot(document: object, options: EngineOptions) -> Inventory:
    """The inventory of a snapshot document. Raises SnapshotError."""
    if not isinstance(document, dict):
        raise SnapshotError(f"a snapshot is a JSON object, not {_named(document)}")
    if document.get("version") != VERSION:
        raise SnapshotError(f"version: expected {VERSION}, not {document.get('version')!r}")
    engines = _list(document, "engines", "")
    place = _place(engines)
    near = Neighbours(place.in_container, bool(options.ingress_networks), lambda: place.addresses)
    named = {f"engines[{number}]": engine for number, engine in enumerate(engines)}
    for path in sorted(named, key=lambda path: _order(named[path])):
        near.join(_name(named[path]), _reach(named[path], path))
    builders = [_builder(engine, path, options, near) for path, engine in named.items()]
    return Inventory.of([builder.inventory(0.0) for builder in builders])


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


def _builder(engine: Mapping[str, Any], path: str, options: EngineOptions, near: Neighbours) -> InventoryBuilder:
    builder = InventoryBuilder(_name(engine), options, near)
    containers, networks, services, tasks, configs = (
        _list(engine, key, f"{path}.") for key in ("containers", "networks", "services", "tasks", "configs")
    )
    try:
        if podman.are_podmans(containers):
            containers, networks = podman.containers(containers), networks and podman.networks(networks)
        containers = [_completed(item) for item in containers]
        _add_containers(builder, containers, engine.get("self"))
        # null where listing them is forbidden
        builder.set_networks(None if engine.get("networks", ()) is None else networks)
        node = ((engine.get("info") or {}).get("Swarm") or {}).get("NodeID")
        builder.services.replace_all(SwarmResponses(services, tasks, configs, str(node or "")))
        builder.inventory(0.0)
        return builder
    except KeyError as error:
        raise SnapshotError(f'{path}: not the engine\'s JSON: "{error.args[0]}" is missing') from error
    except (TypeError, AttributeError, ValueError) as error:
        raise SnapshotError(f"{path}: not the engine's JSON: a value has an unexpected type") from error


def _completed(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item with what only its inspect response has, which is left out if it has an unexpected value."""
    inspect = item.get("Inspect")
    return {**item, "Inspect": None} if oddity(inspect, INSPECT, "Id") else podman.completed(item, inspect)


def _place(engines: Iterable[Mapping[str, Any]]) -> Place:
    """Where Caddy runs, as `recording` writes it."""
    said = [each["reach"] for each in engines if isinstance(each.get("reach"), dict)]
    listed = [each["addresses"] for each in said if isinstance(each.get("addresses"), list)]
    known = frozenset(filter(is_address, map(str, (address for each in listed for address in each))))
    return Place(any(each.get("in_container") is True for each in said), known if listed else None)


def _name(engine: Mapping[str, Any]) -> str:
    return str(engine.get("name") or "local")


def _order(engine: Mapping[str, Any]) -> int:
    """The engine's place among the engines, as `recording` writes it; without any, that in the document counts."""
    said = engine.get("reach")
    order = said.get("order") if isinstance(said, dict) else None
    return order if isinstance(order, int) else 0


def _reach(engine: Mapping[str, Any], path: str) -> Reach:
    """How Caddy reaches the engine, as `recording` writes it."""
    said = engine.get("reach") or {}
    try:
        kind, host = parse_reach(said if isinstance(said, str) else str(said.get("rule") or ""))
        if isinstance(said, str):
            return Reach(kind, host)
        is_local = said.get("local", True) is True
        flags = (said.get(key) is True for key in ("rootless", "own_host", "proxied"))
        return Reach(kind, host or str(said.get("host") or ""), is_local, *flags)
    except (ValueError, AttributeError) as error:
        raise SnapshotError(f"{path}.reach: {error}") from error


def _add_containers(builder: InventoryBuilder, containers: Sequence[Mapping[str, Any]], own: object) -> None:
    containers = builder.sound(containers)
    own_item = next((item for item in containers if own and item["Id"] == own), None)
    builder.set_own(own_item, own_item and own_item.get("Inspect"))
    builder.containers.replace_all(containers)
    builder.containers.set_others(containers)
    for item in containers:
        id, inspect = item["Id"], item.get("Inspect")
        if inspect is None:
            builder.containers.mark_unreadable(id)
        else:
            builder.containers.put_inspect(id, inspect)
