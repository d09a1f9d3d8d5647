"""Which parts of a Compose file are mappings and lists. Docker Compose checks more, and its own loader does not need this. Pure."""

from collections.abc import Mapping
from typing import Any

from dockcaddy.errors import SettingsError

_MAPPING, _LIST, _TEXT = "a mapping", "a list", "a text"
_KINDS: Mapping[str, type] = {_MAPPING: dict, _LIST: list, _TEXT: str}
# what the keys of a service may be, where what is read of them depends on it
_OF_A_SERVICE = {
    "labels": (_MAPPING, _LIST),
    "environment": (_MAPPING, _LIST),
    "networks": (_MAPPING, _LIST),
    "extends": (_TEXT, _MAPPING),
    "deploy": (_MAPPING,),
    "healthcheck": (_MAPPING,),
    "build": (_TEXT, _MAPPING),
    "ports": (_LIST,),
    "volumes": (_LIST,),
    "configs": (_LIST,),
    "expose": (_LIST, _TEXT),
    "env_file": (_TEXT, _LIST, _MAPPING),
    "profiles": (_LIST, _TEXT),
    "command": (_TEXT, _LIST),
    "entrypoint": (_TEXT, _LIST),
}
# lists of texts
_TEXTS = frozenset(("labels", "environment", "networks", "profiles", "expose"))
_SECTIONS = ("services", "networks", "volumes", "configs", "secrets")


def check_shapes(model: Any) -> None:
    """Raises SettingsError for the first part that is neither None nor what it has to be."""
    _check("the file", model, _MAPPING)
    for section in _SECTIONS:
        _check(section, (model or {}).get(section), _MAPPING)
        for name, each in ((model or {}).get(section) or {}).items():
            _check(f"{section}.{name}", each, _MAPPING)
            if section == "services":
                _check_service(f"services.{name}", each or {})


def _check_service(place: str, service: Mapping[str, Any]) -> None:
    for key, kinds in _OF_A_SERVICE.items():
        value = service.get(key)
        _check(f"{place}.{key}", value, *kinds)
        if key in _TEXTS and isinstance(value, list):
            for each in value:
                _check(f"an item of {place}.{key}", each, _TEXT)
    for key, kinds in (("labels", (_MAPPING, _LIST)),):
        _check(f"{place}.deploy.{key}", (service.get("deploy") or {}).get(key), *kinds)


def _check(place: str, value: Any, *kinds: str) -> None:
    if value is not None and not any(isinstance(value, _KINDS[kind]) for kind in kinds):
        raise SettingsError(f"not a Compose file: {place} has to be {' or '.join(kinds)}")
