"""Caddy's own directives and global options, with the properties of each. Pure.

See https://caddyserver.com/docs/caddyfile/directives and https://caddyserver.com/docs/caddyfile/options, Caddy 2.11.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen


@frozen
class Directive:
    """One directive.

    - `matcher`: whether its first argument may be a matcher; with "several" only if another argument follows.
    - `terminal`: no other directive sees the requests that it matches.
    - `fixed_response`: it is terminal, and its response is written in the Caddyfile.
    - `rewrites`: later directives see another request.
    - `authenticates`: it decides which clients reach later directives.
    - `upstreams`: it sends requests to upstreams.
    - `nests`: its block has directives in it.
    - `ordered`: it has a place in Caddy's order of directives.
    """

    name: str
    matcher: Literal["optional", "several", "never"] = "optional"
    terminal: bool = False
    fixed_response: bool = False
    rewrites: bool = False
    authenticates: bool = False
    upstreams: bool = False
    nests: bool = False
    ordered: bool = True


# the ordered ones are in Caddy's directive order, https://caddyserver.com/docs/caddyfile/directives#directive-order
_ROWS = (
    Directive("tracing"),
    Directive("map"),
    Directive("vars"),
    Directive("fs"),
    Directive("root", matcher="several"),
    Directive("log_append"),
    Directive("log_skip"),
    Directive("skip_log"),
    Directive("log_name"),
    Directive("header"),
    Directive("copy_response_headers"),
    Directive("request_body"),
    Directive("redir", terminal=True, fixed_response=True),
    Directive("method", rewrites=True),
    Directive("rewrite", matcher="several", rewrites=True),
    Directive("uri", rewrites=True),
    Directive("try_files", matcher="never", rewrites=True),
    Directive("basic_auth", authenticates=True),
    Directive("basicauth", authenticates=True),
    Directive("forward_auth", authenticates=True, upstreams=True),
    Directive("request_header"),
    Directive("encode"),
    Directive("push"),
    Directive("intercept", nests=True),
    Directive("templates"),
    Directive("invoke", terminal=True),
    Directive("handle", nests=True),
    Directive("handle_path", nests=True),
    Directive("route", nests=True),
    Directive("abort", terminal=True, fixed_response=True),
    Directive("error", terminal=True, fixed_response=True),
    Directive("copy_response", terminal=True),
    Directive("respond", terminal=True, fixed_response=True),
    Directive("metrics", terminal=True),
    Directive("reverse_proxy", terminal=True, upstreams=True),
    Directive("php_fastcgi", terminal=True, upstreams=True),
    Directive("file_server", terminal=True),
    Directive("acme_server", terminal=True),
    Directive("bind", matcher="never", ordered=False),
    Directive("tls", matcher="never", ordered=False),
    Directive("log", matcher="never", ordered=False),
    Directive("import", matcher="never", ordered=False),
    Directive("handle_errors", matcher="never", nests=True, ordered=False),
)
DIRECTIVES: Mapping[str, Directive] = {each.name: each for each in _ROWS}

_OPTIONS = """
    acme_ca acme_ca_root acme_dns acme_eab admin auto_https cert_issuer cert_lifetime debug default_bind default_sni
    dns ech email events fallback_sni filesystem grace_period http_port https_port key_type local_certs log metrics
    ocsp_interval ocsp_stapling on_demand_tls order persist_config pki preferred_chains renew_interval
    renewal_window_ratio servers shutdown_delay skip_install_trust storage storage_check storage_clean_interval
    tls_resolvers
"""
GLOBAL_OPTIONS = frozenset(_OPTIONS.split())

# directives without a place in the order (those of Caddy's plugins: authorize, rate_limit) come before this one
FIRST_HANDLER = "invoke"
DIRECTIVE_NAMES = frozenset(DIRECTIVES)
# directives that are not global options as well
SITE_DIRECTIVES = DIRECTIVE_NAMES - GLOBAL_OPTIONS - {"import"}
# directives that send requests to upstreams and return their responses
PROXIES = frozenset(each.name for each in _ROWS if each.upstreams and each.terminal)
# directives that name upstreams: `forward_auth` asks one, and goes on
UPSTREAM_DIRECTIVES = frozenset(each.name for each in _ROWS if each.upstreams)
TERMINAL = frozenset(each.name for each in _ROWS if each.terminal)
FIXED_RESPONSES = frozenset(each.name for each in _ROWS if each.fixed_response)
REWRITING = frozenset(each.name for each in _ROWS if each.rewrites)
# directives that route requests to the directives in their block
SUBROUTES = frozenset(("handle", "handle_path", "route"))
# blocks with directives in them: of directives, and of an option of proxies and `intercept`
DIRECTIVE_BLOCKS = frozenset(("handle_response", *(each.name for each in _ROWS if each.nests)))
