"""One engine's part of a snapshot: its own JSON, the inspect answers beside the items that need them."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dockcaddy.engine.failures import cause_of, is_forbidden
from dockcaddy.engine.own_container import OwnContainer
from dockcaddy.engine.questions import Questions
from dockcaddy.engine.troubles import Troubles

AT_ONCE = 8


def record(
    questions: Questions, own: OwnContainer, wants: Callable[[Mapping[str, str]], bool], troubles: Troubles
) -> dict[str, Any]:
    """What an engine has; what cannot be had of it is told to `troubles`. Raises what docker's client raises."""
    containers = questions.all_containers()
    own.take(own.ask())
    needed = [item for item in containers if wants(item.get("Labels") or {}) or own.has_id(item["Id"])]
    add_inspects(questions, needed, troubles)
    networks = _networks(questions, troubles)
    services, tasks, configs = _swarm(questions, networks, wants, troubles)
    return {
        "name": troubles.engine,
        "info": {},
        "self": own.found["Id"] if own.found else None,
        "containers": containers,
        "services": services,
        "tasks": tasks,
        "networks": networks,
        "configs": configs,
    }


def add_inspects(questions: Questions, items: Iterable[dict[str, Any]], troubles: Troubles) -> None:
    """Put each item's inspect answer into it; one that cannot be had costs only itself."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda item: _inspect(questions, item, troubles), items))


def _inspect(questions: Questions, item: dict[str, Any], troubles: Troubles) -> None:
    try:
        item["Inspect"] = questions.inspect(item["Id"])
    except Exception as error:
        name = (item.get("Names") or [item["Id"][:12]])[0].lstrip("/")
        troubles.tell_of_container(item["Id"], name, f"cannot be inspected: {cause_of(error)}")


def _networks(questions: Questions, troubles: Troubles) -> Any:
    try:
        return questions.networks()
    except Exception as error:
        if not is_forbidden(error):
            raise
        troubles.tell("networks", f"{cause_of(error)}; networks are not in the snapshot")
        return []


def _swarm(
    questions: Questions, networks: Any, wants: Callable[[Mapping[str, str]], bool], troubles: Troubles
) -> tuple[list[Any], list[Any], list[Any]]:
    if networks and not any(network.get("Scope") == "swarm" for network in networks):
        return [], [], []
    answers, forbidden = questions.swarm()
    troubles.tell_forbidden(forbidden)
    # what is not ours has an environment, too
    services = [item for item in answers.services if wants((item.get("Spec") or {}).get("Labels") or {})]
    ids = {item["ID"] for item in services}
    return services, [task for task in answers.tasks if task.get("ServiceID") in ids], list(answers.configs)
