"""Which hosts a pattern is for, as Caddy's host matcher reads it. Pure."""


def is_host_of(host: str, pattern: str) -> bool:
    """Whether the pattern is for the host: a star stands for one label (https://caddyserver.com/docs/caddyfile/matchers#host)."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(w in ("*", label) for label, w in zip(labels, wanted, strict=True))
