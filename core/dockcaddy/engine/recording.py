"""Record one engine's part of a snapshot: its JSON, with inspect responses in the items that need them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dockcaddy.engine.api import podman
from dockcaddy.engine.api.engine_api import EngineApi
from dockcaddy.engine.api.failures import cause_of, is_forbidden
from dockcaddy.engine.problems import EngineProblems
from dockcaddy.engine.reach.own_container import OwnContainer
from dockcaddy.engine.reach.shared_networks import with_owners
from dockcaddy.engine.services import SwarmResponses, may_be_in_swarm
from dockcaddy.settings import limits


def record(
    api: EngineApi, own: OwnContainer, wants: Callable[[Mapping[str, str]], bool], problems: EngineProblems
) -> dict[str, Any]:
    """The engine's part of a snapshot. Parts that cannot be read go to `problems`. Raises what docker's client raises."""
    containers = [dict(item) for item in api.containers()]
    own.take(own.ask())
    ours = [item for item in containers if wants(item.get("Labels") or {}) or own.has_id(item["Id"])]
    _add_inspects_of(api, ours, containers, problems)
    networks = _networks(api, problems)
    swarm = _swarm(api, networks, wants, problems)
    return {
        "name": problems.engine,
        "info": {"Swarm": {"NodeID": swarm.node}} if swarm.node else {},
        "self": own.found["Id"] if own.found else None,
        "containers": containers,
        "services": swarm.services,
        "tasks": swarm.tasks,
        "networks": networks,
        "configs": swarm.configs,
    }


def _add_inspects_of(
    api: EngineApi, ours: Sequence[dict[str, Any]], containers: Sequence[dict[str, Any]], problems: EngineProblems
) -> None:
    """Add the inspect responses of `ours`, and of the containers whose networks they use."""
    asked: set[str] = set()
    while ours:
        add_inspects(api, ours, problems)
        asked.update(item["Id"] for item in ours)
        # with Podman, only the inspect response says whose network a container uses
        known = [podman.completed(item, item.get("Inspect")) for item in containers]
        needed = {item["Id"] for item in with_owners([item for item in known if item["Id"] in asked], known)}
        ours = [item for item in containers if item["Id"] in needed - asked]


def add_inspects(api: EngineApi, items: Iterable[dict[str, Any]], problems: EngineProblems) -> None:
    """Add its inspect response to each item. An inspect that fails leaves out only itself."""
    with ThreadPoolExecutor(limits.MAX_INSPECTS_AT_ONCE) as pool:
        list(pool.map(lambda item: _inspect(api, item, problems), items))


def _inspect(api: EngineApi, item: dict[str, Any], problems: EngineProblems) -> None:
    try:
        item["Inspect"] = api.inspect(item["Id"])
    except Exception as error:
        name = (item.get("Names") or [item["Id"][:12]])[0].lstrip("/")
        problems.report_container(item["Id"], name, f"cannot be inspected: {cause_of(error)}")


def _networks(api: EngineApi, problems: EngineProblems) -> Any:
    try:
        return api.networks()
    except Exception as error:
        if not is_forbidden(error):
            raise
        problems.report("networks", f"{cause_of(error)}; networks are not in the snapshot")
        return None


def _swarm(
    api: EngineApi, networks: Any, wants: Callable[[Mapping[str, str]], bool], problems: EngineProblems
) -> SwarmResponses:
    if networks and not may_be_in_swarm(networks):
        return SwarmResponses([], [], [])
    answers, forbidden = api.swarm()
    problems.report_forbidden(forbidden)
    if answers is None:
        return SwarmResponses([], [], [])
    # only ours: the environment of other services is not for a snapshot
    services = [item for item in answers.services if wants((item.get("Spec") or {}).get("Labels") or {})]
    ids = {item["ID"] for item in services}
    tasks = [task for task in answers.tasks if task.get("ServiceID") in ids]
    return SwarmResponses(services, tasks, list(answers.configs), answers.node)
