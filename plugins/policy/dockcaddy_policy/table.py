"""What labels may produce in Caddy's JSON (https://caddyserver.com/docs/json/): modules, their fields, and checks of values.

All that is not here is refused. A field is a path of keys; a list stands for its items, `*` for any other key, `""` for the
whole object. A field has what may stand there:

- `ANY`, or `anything("...")` for several fields: any value. Its text must not read secret variables or files.
- `SECRET`: any value. Caddy keeps it secret, so that it may come from a variable or a file.
- a check of `values.py`, or several: any value in which they find nothing.
- `Inline(NAMESPACE, KEY)`: a module of the namespace, named by a key of the object. `Named(NAMESPACE)`: modules by name.
- `ROUTES`, `MATCHERS`: routes, or sets of matchers.

`NAMESPACE.*` is every module of a namespace that is not here by its own name.
"""

from dockcaddy_policy.entries import (
    ANY,
    MATCHERS,
    ROUTES,
    SECRET,
    Fields,
    Inline,
    Modules,
    Named,
    alike,
    anything,
    below,
    modules,
)
from dockcaddy_policy.values import (
    ADMIN,
    CERTIFICATE_URL,
    CHOSEN_ROOT,
    CLIENT_AUTHENTICATION,
    DEFAULT_LOG,
    DYNAMIC,
    EXPRESSION,
    FILE_SYSTEM,
    HEALTH_PORT,
    LISTENER,
    LOG,
    NEVER,
    PORT,
    PROGRAMS,
    PROTOCOLS,
    RANGES,
    ROOT,
    SECRETS_LOG,
    SHARED,
    SHARED_LOG,
    SRV,
    STORAGE,
    STRICT_SNI,
    TEMPLATES,
    UNLESS_SET,
    UPSTREAM,
    URL,
    VARIABLES,
    amount,
    seconds,
)

MINUTE, HOUR, DAY = 60, 3600, 86400
_SIZE = amount(4096, 1 << 26)
_EVERYTHING: Fields = {"": ANY}
_HANDLE_RESPONSE = {"handle_response.routes": ROUTES, **anything("handle_response.match handle_response.status_code")}
_DNS_CHALLENGE = {
    "provider": Inline("dns.providers", "name"),
    **anything("ttl propagation_delay propagation_timeout resolvers override_domain"),
}

HANDLERS: Modules = {
    "acme_server": _EVERYTHING,
    "authentication": {"providers": Named("http.authentication.providers")},
    "copy_response": anything("status_code"),
    "copy_response_headers": anything("include exclude"),
    "encode": {"encodings": Named("http.encoders"), **anything("prefer minimum_length match")},
    "error": anything("error status_code"),
    "file_server": {
        "root": (ROOT, CHOSEN_ROOT),
        "fs": FILE_SYSTEM,
        "browse.template_file": TEMPLATES,
        "precompressed": Named("http.precompressed"),
        **anything("browse.reveal_symlinks browse.sort browse.file_limit hide index_names canonical_uris"),
        **anything("status_code pass_thru precompressed_order etag_file_extensions"),
    },
    "headers": anything("request response"),
    "intercept": _HANDLE_RESPONSE,
    "invoke": anything("name"),
    "log_append": anything("key value early"),
    "map": anything("source destinations mappings defaults"),
    "metrics": anything("disable_openmetrics"),
    "push": anything("resources headers"),
    "request_body": anything("max_size read_timeout write_timeout set"),
    "reverse_proxy": {
        "upstreams.dial": UPSTREAM,
        "dynamic_upstreams": Inline("http.reverse_proxy.upstreams", "source"),
        "transport": Inline("http.reverse_proxy.transport", "protocol"),
        "load_balancing.selection_policy": Inline("http.reverse_proxy.selection_policies", "policy"),
        "load_balancing.retry_match": MATCHERS,
        "health_checks.active.upstream": UPSTREAM,
        "health_checks.active.port": HEALTH_PORT,
        "health_checks.active.*": ANY,
        **_HANDLE_RESPONSE,
        **anything("upstreams.max_requests health_checks.passive flush_interval trusted_proxies headers rewrite"),
        **anything("load_balancing.retries load_balancing.try_duration load_balancing.try_interval proxy_status_name"),
        **anything(
            "request_buffers response_buffers stream_timeout stream_buffer_size stream_close_delay verbose_logs"
        ),
    },
    "rewrite": anything("method uri strip_path_prefix strip_path_suffix uri_substring path_regexp query"),
    "static_response": anything("status_code headers body close abort"),
    "subroute": {"routes": ROUTES, "errors.routes": ROUTES},
    "templates": {"": TEMPLATES},
    "timeouts": anything("read_timeout read_min_rate write_timeout write_min_rate max_write_chunk"),
    "tracing": anything("span span_attributes"),
    "vars": {"": VARIABLES, "root": (ROOT, CHOSEN_ROOT), "fs": FILE_SYSTEM, "*": ANY},
}

MATCHER_MODULES: Modules = {
    "expression": {"": EXPRESSION, **anything("expr name")},
    "file": {"root": (ROOT, CHOSEN_ROOT), "fs": FILE_SYSTEM, **anything("try_files try_policy split_path")},
    "not": {"": MATCHERS},
    **alike("client_ip header header_regexp host method path path_regexp protocol query remote_ip", _EVERYTHING),
    **alike("tls url_pattern vars vars_regexp", _EVERYTHING),
}

PROXIES: Modules = {
    "upstreams.a": {"": DYNAMIC},
    "upstreams.multi": {"sources": Inline("http.reverse_proxy.upstreams", "source")},
    "upstreams.srv": {"": SRV},
    "transport.http": {
        "forward_proxy_url": URL,
        "network_proxy": Inline("caddy.network_proxy", "from"),
        "tls.ca": Inline("tls.ca_pool.source", "provider"),
        **below("tls", anything("root_ca_pool root_ca_pem_files client_certificate_file client_certificate_key_file")),
        **below("tls", anything("client_certificate_automate insecure_skip_verify handshake_timeout server_name")),
        **below("tls", anything("renegotiation except_ports curves")),
        **anything("resolver keep_alive compression max_conns_per_host proxy_protocol dial_timeout versions"),
        **anything("dial_fallback_delay response_header_timeout expect_continue_timeout max_response_header_size"),
        **anything("write_buffer_size read_buffer_size read_timeout write_timeout local_address"),
    },
    "transport.fastcgi": {
        "root": (ROOT, CHOSEN_ROOT),
        **anything("split_path resolve_root_symlink env dial_timeout read_timeout write_timeout capture_stderr"),
    },
    "selection_policies.cookie": {"secret": SECRET, **anything("name max_age fallback")},
    "selection_policies.*": anything("weights choose key field fallback"),
}

SERVER: Fields = {
    "listen": LISTENER,
    "listener_wrappers": Inline("caddy.listeners", "wrapper"),
    "packet_conn_wrappers": NEVER,
    # shorter ones interrupt requests of other sites
    "read_timeout": seconds(2),
    "read_header_timeout": seconds(1),
    "read_idle_timeout": seconds(2),
    "write_timeout": seconds(5),
    "write_idle_timeout": seconds(2),
    "idle_timeout": seconds(1),
    "read_min_rate": NEVER,
    "write_min_rate": NEVER,
    "max_write_chunk": _SIZE,
    "max_header_bytes": _SIZE,
    # these change which header fields reach other sites
    "expected_underscore_headers": NEVER,
    "expected_dot_headers": NEVER,
    "automatic_https.disable": UNLESS_SET,
    "automatic_https.disable_certificates": UNLESS_SET,
    "automatic_https.disable_redirects": SHARED,
    "automatic_https.ignore_loaded_certificates": SHARED,
    "strict_sni_host": STRICT_SNI,
    "trusted_proxies": Inline("http.ip_sources", "source"),
    "protocols": PROTOCOLS,
    "logs.should_log_credentials": NEVER,
    "tls_connection_policies": CLIENT_AUTHENTICATION,
    "tls_connection_policies.match": Named("tls.handshake_match"),
    "tls_connection_policies.client_authentication.ca": Inline("tls.ca_pool.source", "provider"),
    "tls_connection_policies.client_authentication.verifiers": Inline("tls.client_auth.verifier", "verifier"),
    "tls_connection_policies.client_authentication.*": ANY,
    "tls_connection_policies.insecure_secrets_log": SECRETS_LOG,
    **below("tls_connection_policies", anything("certificate_selection cipher_suites curves alpn protocol_min")),
    **below("tls_connection_policies", anything("protocol_max drop default_sni fallback_sni")),
    **below("logs", anything("default_logger_name logger_names skip_hosts skip_unmapped_hosts trace")),
    **below("automatic_https", anything("skip skip_certificates prefer_wildcard")),
    **anything("keepalive_interval keepalive_idle keepalive_count enable_full_duplex client_ip_headers"),
    **anything("trusted_proxies_strict trusted_proxies_unix listen_protocols allow_0rtt metrics"),
}

APPS: Modules = {
    "http": {
        "http_port": (PORT, SHARED),
        "https_port": (PORT, SHARED),
        # a shorter one interrupts responses of other sites
        "grace_period": seconds(1),
        "shutdown_delay": NEVER,
        # keeps a metric for every host name that a visitor makes up
        "metrics.observe_catchall_hosts": UNLESS_SET,
        **anything("metrics.per_host metrics.otlp"),
        **below("servers.*", SERVER),
    },
    "tls": {
        # with a longer one certificates expire: those of Caddy's own CA are valid for half a day
        "automation.renew_interval": seconds(MINUTE, 4 * HOUR),
        "automation.ocsp_interval": seconds(MINUTE, DAY),
        "automation.storage_clean_interval": seconds(MINUTE),
        "automation.on_demand.ask": URL,
        "automation.on_demand.permission": Inline("tls.permission", "module"),
        "automation.policies.issuers": Inline("tls.issuance", "module"),
        "automation.policies.get_certificate": Inline("tls.get_certificate", "via"),
        "automation.policies.storage": Inline("caddy.storage", "module"),
        "automation.policies.renewal_window_ratio": amount(0.05, 0.9),
        "encrypted_client_hello.publication.publishers": Named("tls.ech.publishers"),
        "dns": Inline("dns.providers", "name"),
        **below("automation.policies", anything("subjects must_staple key_type on_demand reuse_private_keys")),
        **below("automation.policies", anything("disable_ocsp_stapling ocsp_overrides")),
        **below("encrypted_client_hello", anything("configs publication.configs publication.domains")),
        **anything("certificates.automate certificates.load_files certificates.load_folders resolvers"),
        **anything("disable_ocsp_stapling disable_storage_check disable_storage_clean"),
    },
    "pki": below(
        "certificate_authorities.*",
        {
            "root": NEVER,
            "intermediate": NEVER,
            "intermediate_lifetime": seconds(DAY),
            "maintenance_interval": seconds(MINUTE, DAY),
            "renewal_window_ratio": amount(0.05, 0.9),
            "storage": Inline("caddy.storage", "module"),
            **anything("name root_common_name intermediate_common_name install_trust"),
        },
    ),
    **alike("events frankenphp supervisor", {"": PROGRAMS}),
    # Caddy has these with plugins only
    "layer4": {
        "servers.*.listen": LISTENER,
        "servers.*.routes.match": ANY,
        "servers.*.routes.handle": Inline("layer4.handlers", "handler"),
        "servers.*.matching_timeout": ANY,
    },
    "dynamic_dns": {"dns_provider": Inline("dns.providers", "name"), "*": ANY},
    **alike("cache crowdsec security", {"": SECRET}),
}

CERTIFICATES: Modules = {
    "issuance.acme": {
        "ca": CERTIFICATE_URL,
        "test_ca": CERTIFICATE_URL,
        "account_key": SECRET,
        "external_account": SECRET,
        "certificate_lifetime": seconds(HOUR),
        "acme_timeout": seconds(1),
        "challenges.http.alternate_port": PORT,
        "challenges.tls-alpn.alternate_port": PORT,
        "network_proxy": Inline("caddy.network_proxy", "from"),
        **below("challenges.dns", _DNS_CHALLENGE),
        **below("challenges", anything("http.disabled tls-alpn.disabled bind_host distributed")),
        **anything("email profile trusted_roots_pem_files preferred_chains"),
    },
    "issuance.internal": {"lifetime": seconds(HOUR), **anything("ca sign_with_root")},
    "issuance.zerossl": {
        "api_key": SECRET,
        "alternate_http_port": PORT,
        **below("cname_validation", _DNS_CHALLENGE),
        **anything("validity_days listen_host"),
    },
    "get_certificate.http": {"url": URL},
    "get_certificate.tailscale": {},
    "permission.http": {"endpoint": URL},
    "ech.publishers.dns": {"provider": Inline("dns.providers", "name")},
    "client_auth.verifier.leaf": {"leaf_certs_loaders": Inline("tls.leaf_cert_loader", "loader")},
    "leaf_cert_loader.*": _EVERYTHING,
    "handshake_match.*": _EVERYTHING,
    "ca_pool.source.file": anything("pem_files"),
    "ca_pool.source.inline": anything("trusted_ca_certs"),
    "ca_pool.source.system": {},
    "ca_pool.source.storage": {"storage": Inline("caddy.storage", "module"), "pem_keys": ANY},
    "ca_pool.source.http": {"endpoints": URL, "tls": ANY},
    "ca_pool.source.combined": {"sources": Inline("tls.ca_pool.source", "provider")},
    **alike("ca_pool.source.pki_root ca_pool.source.pki_intermediate", anything("authority")),
}

CADDY: Modules = {
    "listeners.tls": {},
    "listeners.proxy_protocol": {
        "timeout": seconds(1),
        "allow": RANGES,
        "deny": NEVER,
        "fallback_policy": NEVER,
    },
    "listeners.*": {"": NEVER},
    "storage.file_system": {"": STORAGE},
    "storage.*": {"": SECRET},
    "network_proxy.url": {"url": URL},
    "network_proxy.none": {},
    "logging.writers.file": _EVERYTHING,
    "logging.writers.net": {"address": UPSTREAM, **anything("dial_timeout soft_start")},
    **alike("logging.writers.stderr logging.writers.stdout logging.writers.discard", {}),
    "logging.encoders.*": _EVERYTHING,
    # Caddy would exit at the first line of the log
    "logging.cores.mock": {"": NEVER},
}

FURTHER: Modules = {
    "http.authentication.providers.http_basic": {
        "accounts.password": SECRET,
        **anything("accounts.username hash realm hash_cache"),
    },
    **alike("http.encoders.* http.precompressed.*", _EVERYTHING),
    "http.ip_sources.*": {"": RANGES},
    # Caddy has these with plugins only
    "dns.providers.*": {"": SECRET},
    **alike("http.handlers.exec http.handlers.cgi http.handlers.php", {"": PROGRAMS}),
    **alike("http.handlers.rate_limit http.handlers.crowdsec http.handlers.appsec http.handlers.cache", _EVERYTHING),
    **alike("http.handlers.authenticator http.authentication.providers.authorizer", {"": SECRET}),
    "layer4.handlers.proxy": {
        "upstreams.dial": UPSTREAM,
        "upstreams.*": ANY,
        **anything("load_balancing proxy_protocol"),
    },
    "layer4.handlers.subroute": {"routes.match": ANY, "routes.handle": Inline("layer4.handlers", "handler")},
    **alike("layer4.handlers.tls layer4.handlers.echo layer4.handlers.throttle", _EVERYTHING),
}

CONFIG: Fields = {
    "admin": ADMIN,
    "apps": Named(""),
    "storage": Inline("caddy.storage", "module"),
    "logging.logs": DEFAULT_LOG,
    "logging.logs.*": (LOG, SHARED_LOG),
    "logging.logs.*.writer": Inline("caddy.logging.writers", "output"),
    "logging.logs.*.encoder": Inline("caddy.logging.encoders", "format"),
    "logging.logs.*.core": Inline("caddy.logging.cores", "module"),
    **below("logging.logs.*", anything("level sampling with_caller with_caller_skip with_stacktrace include exclude")),
}

TABLE: Modules = {
    **modules("http.handlers", HANDLERS),
    **modules("http.matchers", MATCHER_MODULES),
    **modules("http.reverse_proxy", PROXIES),
    **modules("tls", CERTIFICATES),
    **modules("caddy", CADDY),
    **APPS,
    **FURTHER,
}
