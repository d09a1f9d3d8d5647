"""The directives, options and modules that Caddy has built in, and the packages that bring more."""

import subprocess
from pathlib import Path

from dockcaddy.settings import limits

# directives, global options and modules of plugins, with the package that brings them
_PACKAGES = {
    "appsec": "github.com/hslatman/caddy-crowdsec-bouncer",
    "authenticate": "github.com/greenpau/caddy-security",
    "authorize": "github.com/greenpau/caddy-security",
    "security": "github.com/greenpau/caddy-security",
    "cache": "github.com/caddyserver/cache-handler",
    "cgi": "github.com/aksdb/caddy-cgi/v2",
    "coraza_waf": "github.com/corazawaf/coraza-caddy/v2",
    "crowdsec": "github.com/hslatman/caddy-crowdsec-bouncer",
    "defender": "github.com/jasonlovesdoggo/caddy-defender",
    "dynamic_dns": "github.com/mholt/caddy-dynamicdns",
    "exec": "github.com/abiosoft/caddy-exec",
    "forward_proxy": "github.com/caddyserver/forwardproxy",
    "jwtauth": "github.com/ggicci/caddy-jwt",
    "layer4": "github.com/mholt/caddy-l4",
    "mercure": "github.com/dunglas/mercure/caddy",
    "php_server": "github.com/dunglas/frankenphp/caddy",
    "rate_limit": "github.com/mholt/caddy-ratelimit",
    "realip": "github.com/captncraig/caddy-realip",
    "replace": "github.com/caddyserver/replace-response",
    "replace_response": "github.com/caddyserver/replace-response",
    "tailscale": "github.com/tailscale/caddy-tailscale",
    "vulcain": "github.com/dunglas/vulcain/caddy",
    "webdav": "github.com/mholt/caddy-webdav",
    "caddy.logging.encoders.transform": "github.com/caddyserver/transform-encoder",
    "caddy.storage.consul": "github.com/pteich/caddy-tlsconsul",
    "caddy.storage.redis": "github.com/pberkel/caddy-storage-redis",
    "http.encoders.br": "github.com/ueffel/caddy-brotli",
    "http.ip_sources.cloudflare": "github.com/WeidiDeng/caddy-cloudflare-ip",
    "http.matchers.ipfilter_geolocation": "github.com/jpillora/ipfilter-caddy",
    "http.matchers.maxmind_geolocation": "github.com/porech/caddy-maxmind-geolocation",
}
_DNS = "dns.providers."
# their names are those of the directives
_HANDLERS = "http.handlers."
# how messages call the modules of a namespace
_NOUNS = {
    "caddy.listeners": "listener wrapper",
    "caddy.logging.encoders": "log format",
    "caddy.logging.writers": "log output",
    "caddy.storage": "storage",
    "dns.providers": "DNS provider",
    "http.encoders": "encoding",
    "http.ip_sources": "source of addresses",
    "http.matchers": "matcher",
    "http.reverse_proxy.selection_policies": "load balancing policy",
    "http.reverse_proxy.transport": "transport",
    "http.reverse_proxy.upstreams": "source of dynamic upstreams",
    "tls.ca_pool.source": "trust pool",
    "tls.get_certificate": "certificate manager",
    "tls.issuance": "issuer",
    "tls.permission": "permission",
}


def package_of(name: str) -> str:
    """The package that brings a directive, an option or a module (`dns.providers.hetzner`), `""` if it is unknown."""
    provider = name.removeprefix(_DNS)
    if provider != name:
        return f"github.com/caddy-dns/{provider}"
    return _PACKAGES.get(name.removeprefix(_HANDLERS), "")


def noun_for(module: str) -> str:
    """How messages name a module: `DNS provider cloudflare`."""
    namespace, _, name = module.rpartition(".")
    return f"{_NOUNS.get(namespace, f'module {namespace}')} {name}".strip()


def modules_of(program: Path) -> frozenset[str]:
    """The modules of a Caddy program, from `caddy list-modules`; empty if the program cannot be run."""
    try:
        done = subprocess.run(
            [str(program), "list-modules"], capture_output=True, timeout=limits.CADDY_MODULES_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    words = (line.split() for line in done.stdout.decode(errors="replace").splitlines())
    return frozenset(each[0] for each in words if len(each) == 1 and "." in each[0])
