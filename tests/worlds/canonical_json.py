"""Caddy's JSON without what has no meaning to Caddy, so that two configurations of one meaning are equal."""

import json
from collections.abc import Iterable
from typing import Any

from dockcaddy.caddyfile import is_host_of


def canonical(config: bytes) -> str:
    """The configuration as text.

    - The names of groups only say which routes belong together.
    - The hosts that a policy for certificates is for, and those without redirects, have no order.
    - A policy that sets nothing, or what Caddy does by default, only keeps its hosts from less specific policies.
    """
    decoded = _renamed(json.loads(config) or {}, {}, "group")
    apps = decoded.get("apps") or {}
    for server in ((apps.get("http") or {}).get("servers") or {}).values():
        automatic = server.get("automatic_https") or {}
        if "skip" in automatic:
            automatic["skip"] = sorted(automatic["skip"])
    automation = (apps.get("tls") or {}).pop("automation", {})
    policies = _policies(automation.pop("policies", ()))
    if policies or automation:
        apps["tls"]["automation"] = {**automation, "policies": policies}
    elif "tls" in apps and not apps["tls"]:
        del apps["tls"]
    return json.dumps(decoded, sort_keys=True, indent=1)


def _renamed(node: Any, names: dict[str, str], kind: str) -> Any:
    """The part with groups numbered as they come; those of named routes are others."""
    if isinstance(node, list):
        return [_renamed(each, names, kind) for each in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in sorted(node.items()):
        if key == "named_routes":
            made[key] = _renamed(value, {}, "named group")
        elif key == "group" and isinstance(value, str) and value.startswith("group"):
            made[key] = names.setdefault(value, f"{kind} {len(names)}")
        else:
            made[key] = _renamed(value, names, kind)
    return made


def _policies(policies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept, default = [], set[str]()
    for each in policies:
        ours = {host for host in each.get("subjects", ()) if _is_default(each, host)}
        default |= ours
        if "subjects" not in each:
            kept.append(each)
        elif not ours.issuperset(each["subjects"]):
            kept.append({**each, "subjects": sorted(set(each["subjects"]) - ours)})
    needed = sorted(host for host in default if any(_applies(each, host) for each in kept))
    return sorted(kept, key=json.dumps) + ([{"subjects": needed}] if needed else [])


def _is_default(policy: dict[str, Any], host: str) -> bool:
    """Whether Caddy would treat the host like this without a policy."""
    return not policy.keys() - {"subjects"} or (
        not policy.keys() - {"subjects", "issuers"}
        and policy["issuers"] == [{"module": "internal"}]
        and f".{host}".endswith((".localhost", ".local", ".internal", ".home.arpa"))
    )


def _applies(policy: dict[str, Any], host: str) -> bool:
    return "subjects" not in policy or any("*" in each and is_host_of(host, each) for each in policy["subjects"])
