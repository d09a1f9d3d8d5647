"""Caddy's handlers: which of them answer, and which directives of a Caddyfile become one."""

from collections.abc import Mapping

# handlers after which no other one sees the request
ANSWERING = frozenset(
    ("static_response", "reverse_proxy", "file_server", "error", "metrics", "acme_server", "copy_response")
)
# the directives that become a handler, the usual one first
DIRECTIVES: Mapping[str, tuple[str, ...]] = {
    "authentication": ("basic_auth", "basicauth"),
    "static_response": ("respond", "redir", "abort"),
    "error": ("error",),
    "reverse_proxy": ("reverse_proxy", "php_fastcgi", "forward_auth"),
    "file_server": ("file_server", "php_fastcgi"),
    "rewrite": ("rewrite", "handle_path", "uri", "try_files", "method", "php_fastcgi"),
    "vars": ("root", "fs", "vars"),
    "headers": ("request_header",),
    "subroute": ("handle", "handle_path", "route", "handle_errors"),
}
