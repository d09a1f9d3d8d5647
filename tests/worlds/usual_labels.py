"""Six labels, as an application has them."""


def usual_labels(host: str) -> dict[str, str]:
    """A site at this host: compression, two headers, and a proxy to port 8000."""
    return {
        "caddy": host,
        "caddy.encode": "zstd gzip",
        "caddy.header.X-Container": "{{containerName}}",
        "caddy.header.Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "caddy.reverse_proxy": "{{upstreams 8000}}",
        "caddy.reverse_proxy.lb_policy": "least_conn",
    }
