"""Containers and services that are no resources, and why. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from dockcaddy.engine.records.ignored_labels import ignored
from dockcaddy.engine.records.label_keys import under
from dockcaddy.engine.records.resources import EngineOptions, container_name, has_prefix, texts
from dockcaddy.errors import one_line
from dockcaddy.model import Kind, Unserved, WhyUnserved
from dockcaddy.settings import limits

Json = Mapping[str, Any]


def unserved_containers(items: Iterable[Json], options: EngineOptions) -> tuple[Unserved, ...]:
    """Those of a full list of `GET /containers/json`, as many as are shown."""
    found = (unserved_container(item, options, why) for item in items if (why := _why(item, options)) is not None)
    return tuple(islice(found, limits.MAX_UNSERVED))


def unserved_container(item: Json, options: EngineOptions, why: WhyUnserved) -> Unserved:
    """The container of an item of `GET /containers/json`."""
    sites = tuple(_sites(item.get("Labels") or {}, options.label_prefix))
    return Unserved("container", str(item["Id"]), one_line(container_name(item)), why, sites)


def unserved_services(
    items: Iterable[Json], options: EngineOptions, networks: Mapping[str, str]
) -> tuple[Unserved, ...]:
    """Those of a list of `GET /services`. `networks` are names by id."""
    return tuple(islice(_services(items, options, networks), limits.MAX_UNSERVED))


def _services(items: Iterable[Json], options: EngineOptions, networks: Mapping[str, str]) -> Iterator[Unserved]:
    for item in items:
        spec = item.get("Spec") or {}
        kind: Kind = "service"
        id, name = str(item["ID"]), one_line(str(spec.get("Name") or ""))
        if not has_prefix(spec.get("Labels") or {}, options.label_prefix):
            yield Unserved(kind, id, name, _without_labels(spec.get("Labels") or {}, options))
        elif options.excludes_service(item, networks):
            sites = tuple(_sites(spec.get("Labels") or {}, options.label_prefix))
            yield Unserved(kind, id, name, "ExcludedByConstraint", sites)


def _why(item: Json, options: EngineOptions) -> WhyUnserved | None:
    """None of a container that is a resource."""
    labels = item.get("Labels") or {}
    if not has_prefix(labels, options.label_prefix):
        return _without_labels(labels, options)
    if not options.wants(labels):
        return "OneOff"
    if options.excludes(item):
        return "ExcludedByConstraint"
    return None if options.stopped.counts(item) else "Stopped"


def _without_labels(labels: Mapping[str, Any], options: EngineOptions) -> WhyUnserved:
    return "NoLabels" if next(ignored(texts(labels), options.label_prefix), None) is None else "OtherPrefix"


def _sites(labels: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """The addresses of the first few sites. Templates are not rendered, as nothing else of the resource is known."""
    heads = [key for key in under(tuple(labels), prefix) if "." not in key]
    found = (word for key in heads for word in _addresses(one_line(str(labels[key]))))
    return islice(found, limits.MAX_KNOWN_NAMES)


def _addresses(value: str) -> Sequence[str]:
    # what begins with one of these is a snippet or a named route
    return () if "{{" in value or value.startswith(("(", "&(")) else value.replace(",", " ").split()
