"""What the blocks of Caddy's own directives take, as far as that is a closed list, Caddy 2.11. Pure.

See https://caddyserver.com/docs/caddyfile/directives. Modules may take more, like the transports of plugins.
"""

from collections.abc import Mapping

_PROXY = """
    to dynamic lb_policy lb_retries lb_try_duration lb_try_interval lb_retry_match health_uri health_upstream health_port
    health_headers health_method health_request_body health_interval health_timeout health_status health_body
    health_follow_redirects health_passes health_fails max_fails fail_duration unhealthy_request_count unhealthy_status
    unhealthy_latency flush_interval request_buffers response_buffers stream_timeout stream_close_delay trusted_proxies
    header_up header_down method rewrite transport handle_response replace_status verbose_logs
"""
_FASTCGI = "root split env index try_files resolve_root_symlink dial_timeout read_timeout write_timeout capture_stderr"
_TLS = """
    protocols ciphers curves client_auth alpn load ca key_type eab issuer get_certificate dns resolvers propagation_delay
    propagation_timeout dns_ttl dns_challenge_override_domain ca_root on_demand reuse_private_keys insecure_secrets_log
    renewal_window_ratio
"""
_ROWS = {
    "reverse_proxy": _PROXY,
    "php_fastcgi": f"{_FASTCGI} {_PROXY}",
    "forward_auth": f"uri copy_headers {_PROXY}",
    "file_server": "fs hide index root browse precompressed status disable_canonical_uris pass_thru etag_file_extensions",
    "encode": "minimum_length match gzip zstd",
    "templates": "mime between root extensions",
    "intercept": "handle_response replace_status",
    "request_body": "max_size set",
    "tls": _TLS,
    "log": "hostnames output sampling core format level include exclude no_hostname",
    "acme_server": "ca lifetime resolvers challenges allow_wildcard_names allow deny sign_with_root",
}
SUBDIRECTIVES: Mapping[str, tuple[str, ...]] = {name: tuple(text.split()) for name, text in _ROWS.items()}
