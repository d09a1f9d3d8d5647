"""Handlers of replicas, which become one handler. Pure."""

from typing import Any

from dockcaddy.caddyjson.document import Json

# what a replica cannot add to a handler without taking the requests of others
OWN_RESPONSES = {
    "reverse_proxy": frozenset(("handle_response", "rewrite", "dynamic_upstreams", "root", "split_path")),
    "file_server": frozenset(("root", "fs", "status_code", "pass_thru")),
}


def is_joined(whole: Json, part: Json) -> bool:
    """Whether a handler is another one, or that with what a replica may add: upstreams and options."""
    name = part["handler"]
    if whole["handler"] != name:
        return False
    if name in OWN_RESPONSES:
        added = (whole.keys() - part.keys()) | (_transport(whole).keys() - _transport(part).keys())
        return _holds(whole, part) and added.isdisjoint(OWN_RESPONSES[name])
    return whole == part


def _transport(handler: Json) -> Json:
    found: Json = handler.get("transport") or {}
    return found


def _holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(each in whole for each in part)
    return bool(whole == part)
