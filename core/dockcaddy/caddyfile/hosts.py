"""Which hosts a pattern is for, as Caddy's host matcher reads it. Pure."""


def is_host_of(host: str, pattern: str) -> bool:
    """Whether the pattern is for the host: a star stands for one label (https://caddyserver.com/docs/caddyfile/matchers#host)."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(w in ("*", label) for label, w in zip(labels, wanted, strict=True))


def plain_host(text: str) -> str:
    """A host as Caddy writes it, whatever its case, brackets and port: IDNA's ASCII where it has other characters.

    The dot at its end stays: Caddy takes that for another name. `""` for what can be no host.
    """
    host = text.strip("[]") if text.startswith("[") else text.partition(":")[0] if text.count(":") < 2 else text
    host = host.lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
