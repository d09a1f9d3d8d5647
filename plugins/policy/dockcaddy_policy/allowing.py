"""Who may do what the rules refuse, and how the refusal says so."""

from fnmatch import fnmatchcase

from dockcaddy import Context, Resource

_PROJECT_LABELS = ("com.docker.compose.project", "com.docker.stack.namespace")
# rules for options that are common in the labels of Caddy's own container: their messages mention --caddy-container
_COMMON_IN_CADDYS_CONTAINER = ("admin", "upstreams", "templates", "global-options", "shared-options")


def is_exempt(context: Context) -> bool:
    """Whether the resource is the container that Caddy runs in, or otherwise belongs to the operator."""
    caddy, resource = context.engine.caddy, context.resource
    return resource.id in context.engine.operators or (caddy is not None and caddy.id == resource.id)


def refusal(rule: str, reason: str, resource: Resource, remedy: str = "") -> str:
    """The message of a refusal."""
    is_caddys = rule in _COMMON_IN_CADDYS_CONTAINER
    named = f"if Caddy runs in this container: --caddy-container {resource.name}; " if is_caddys else ""
    allowed = remedy or f'allow = ["{rule}@container:{resource.name}"]'
    return f"policy: {reason}; {named}to allow it: [policy] {allowed}"


def is_allowed(rule: str, label: str, resource: Resource, allow: tuple[str, ...]) -> bool:
    """Whether an exception of the settings is for this rule, resource and label."""
    for entry in allow:
        named, at, scope = entry.rpartition("@")
        if not at and ":" not in scope:
            named, scope = scope, ""
        if named in ("", rule) and (not scope or _is_within(scope, label, resource)):
            return True
    return False


def _is_within(scope: str, label: str, resource: Resource) -> bool:
    kind, _, pattern = scope.partition(":")
    names = {
        "container": [resource.name],
        "project": [resource.labels[each] for each in _PROJECT_LABELS if each in resource.labels],
        "network": [attachment.network for attachment in resource.attachments],
    }
    return any(fnmatchcase(name, pattern) for name in names[kind]) if kind in names else label.startswith(pattern)
