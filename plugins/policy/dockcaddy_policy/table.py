"""What labels may produce in Caddy's JSON (https://caddyserver.com/docs/json/): modules, their fields, and checks of values.

All that is not here is refused. A field is a path of keys; a list stands for its items, `*` for any other key, `""` for the
whole object. A field has what may stand there:

- `ANY`, or `anything("...")` for several fields: any value. Its text must not read secret variables or files.
- `SECRET`: any value. Caddy keeps it secret, so that it may come from a variable or a file.
- a check of `values.py`, or several: any value in which they find nothing.
- `Inline(NAMESPACE, KEY)`: a module of the namespace, or several, named by a key of the object. `Named(NAMESPACE)`: modules by
  name, or a list of such.

`NAMESPACE.*` is every module of a namespace that is not here by its own name.
"""

from dockcaddy_policy import values
from dockcaddy_policy.entries import ANY, SECRET, Fields, Inline, Modules, Named, alike, anything, below, modules

MINUTE, HOUR, DAY = 60, 3600, 86400
ROUTES, MATCHERS = Inline("http.routes"), Named("http.matchers")
_SIZE = values.amount(4096, 1 << 26)
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
        "root": values.ROOT,
        "fs": values.FILE_SYSTEM,
        "browse.template_file": values.TEMPLATES,
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
        "upstreams.dial": values.UPSTREAM,
        "dynamic_upstreams": Inline("http.reverse_proxy.upstreams", "source"),
        "transport": Inline("http.reverse_proxy.transport", "protocol"),
        "load_balancing.selection_policy": Inline("http.reverse_proxy.selection_policies", "policy"),
        "load_balancing.retry_match": MATCHERS,
        "health_checks.active.upstream": values.UPSTREAM,
        "health_checks.active.port": values.HEALTH_PORT,
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
    "templates": {"": values.TEMPLATES},
    "timeouts": anything("read_timeout read_min_rate write_timeout write_min_rate max_write_chunk"),
    "tracing": anything("span span_attributes"),
    "vars": {"": values.VARIABLES, "root": values.ROOT, "fs": values.FILE_SYSTEM, "*": ANY},
}

MATCHER_MODULES: Modules = {
    "expression": {"": values.EXPRESSION, **anything("expr name")},
    "file": {"root": values.ROOT, "fs": values.FILE_SYSTEM, **anything("try_files try_policy split_path")},
    "not": {"": MATCHERS},
    **alike("client_ip header header_regexp host method path path_regexp protocol query remote_ip", _EVERYTHING),
    **alike("tls url_pattern vars vars_regexp", _EVERYTHING),
}

PROXIES: Modules = {
    "upstreams.a": {"": values.DYNAMIC},
    "upstreams.multi": {"sources": Inline("http.reverse_proxy.upstreams", "source")},
    "upstreams.srv": {"": values.SRV},
    "transport.http": {
        "forward_proxy_url": values.URL,
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
        "root": values.ROOT,
        **anything("split_path resolve_root_symlink env dial_timeout read_timeout write_timeout capture_stderr"),
    },
    "selection_policies.cookie": {"secret": SECRET, **anything("name max_age fallback")},
    "selection_policies.*": anything("weights choose key field fallback"),
}

SERVER: Fields = {
    "listen": values.LISTENER,
    "listener_wrappers": Inline("caddy.listeners", "wrapper"),
    "packet_conn_wrappers": values.NEVER,
    # shorter ones interrupt requests of other sites
    "read_timeout": values.seconds(2),
    "read_header_timeout": values.seconds(1),
    "read_idle_timeout": values.seconds(2),
    "write_timeout": values.seconds(5),
    "write_idle_timeout": values.seconds(2),
    "idle_timeout": values.seconds(1),
    "read_min_rate": values.NEVER,
    "write_min_rate": values.NEVER,
    "max_write_chunk": _SIZE,
    "max_header_bytes": _SIZE,
    # these change which header fields reach other sites
    "expected_underscore_headers": values.NEVER,
    "expected_dot_headers": values.NEVER,
    "automatic_https.disable": values.UNLESS_SET,
    "automatic_https.disable_certificates": values.UNLESS_SET,
    "automatic_https.disable_redirects": values.SHARED,
    "automatic_https.ignore_loaded_certificates": values.SHARED,
    "strict_sni_host": values.STRICT_SNI,
    "trusted_proxies": Inline("http.ip_sources", "source"),
    "protocols": values.PROTOCOLS,
    "logs.should_log_credentials": values.NEVER,
    "tls_connection_policies": values.CLIENT_AUTHENTICATION,
    "tls_connection_policies.match": Named("tls.handshake_match"),
    "tls_connection_policies.client_authentication.ca": Inline("tls.ca_pool.source", "provider"),
    "tls_connection_policies.client_authentication.verifiers": Inline("tls.client_auth.verifier", "verifier"),
    "tls_connection_policies.client_authentication.*": ANY,
    "tls_connection_policies.insecure_secrets_log": values.SECRETS_LOG,
    **below("tls_connection_policies", anything("certificate_selection cipher_suites curves alpn protocol_min")),
    **below("tls_connection_policies", anything("protocol_max drop default_sni fallback_sni")),
    **below("logs", anything("default_logger_name logger_names skip_hosts skip_unmapped_hosts trace")),
    **below("automatic_https", anything("skip skip_certificates prefer_wildcard")),
    **anything("keepalive_interval keepalive_idle keepalive_count enable_full_duplex client_ip_headers"),
    **anything("trusted_proxies_strict trusted_proxies_unix listen_protocols allow_0rtt metrics"),
}

APPS: Modules = {
    "http": {
        "http_port": (values.PORT, values.SHARED),
        "https_port": (values.PORT, values.SHARED),
        # a shorter one interrupts responses of other sites
        "grace_period": values.seconds(1),
        "shutdown_delay": values.NEVER,
        # keeps a metric for every host name that a visitor makes up
        "metrics.observe_catchall_hosts": values.UNLESS_SET,
        **anything("metrics.per_host metrics.otlp"),
        **below("servers.*", SERVER),
    },
    "tls": {
        # with a longer one certificates expire: those of Caddy's own CA are valid for half a day
        "automation.renew_interval": values.seconds(MINUTE, 4 * HOUR),
        "automation.ocsp_interval": values.seconds(MINUTE, DAY),
        "automation.storage_clean_interval": values.seconds(MINUTE),
        "automation.on_demand.ask": values.URL,
        "automation.on_demand.permission": Inline("tls.permission", "module"),
        "automation.policies.issuers": Inline("tls.issuance", "module"),
        "automation.policies.get_certificate": Inline("tls.get_certificate", "via"),
        "automation.policies.storage": Inline("caddy.storage", "module"),
        "automation.policies.renewal_window_ratio": values.amount(0.05, 0.9),
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
            "root": values.NEVER,
            "intermediate": values.NEVER,
            "intermediate_lifetime": values.seconds(DAY),
            "maintenance_interval": values.seconds(MINUTE, DAY),
            "renewal_window_ratio": values.amount(0.05, 0.9),
            "storage": Inline("caddy.storage", "module"),
            **anything("name root_common_name intermediate_common_name install_trust"),
        },
    ),
    **alike("events frankenphp supervisor", {"": values.PROGRAMS}),
    # Caddy has these with plugins only
    "layer4": {
        "servers.*.listen": values.LISTENER,
        "servers.*.routes.match": ANY,
        "servers.*.routes.handle": Inline("layer4.handlers", "handler"),
        "servers.*.matching_timeout": ANY,
    },
    "dynamic_dns": {"dns_provider": Inline("dns.providers", "name"), "*": ANY},
    **alike("cache crowdsec security", {"": SECRET}),
}

CERTIFICATES: Modules = {
    "issuance.acme": {
        "ca": values.CERTIFICATE_URL,
        "test_ca": values.CERTIFICATE_URL,
        "account_key": SECRET,
        "external_account": SECRET,
        "certificate_lifetime": values.seconds(HOUR),
        "acme_timeout": values.seconds(1),
        "challenges.http.alternate_port": values.PORT,
        "challenges.tls-alpn.alternate_port": values.PORT,
        "network_proxy": Inline("caddy.network_proxy", "from"),
        **below("challenges.dns", _DNS_CHALLENGE),
        **below("challenges", anything("http.disabled tls-alpn.disabled bind_host distributed")),
        **anything("email profile trusted_roots_pem_files preferred_chains"),
    },
    "issuance.internal": {"lifetime": values.seconds(HOUR), **anything("ca sign_with_root")},
    "issuance.zerossl": {
        "api_key": SECRET,
        "alternate_http_port": values.PORT,
        **below("cname_validation", _DNS_CHALLENGE),
        **anything("validity_days listen_host"),
    },
    "get_certificate.http": {"url": values.URL},
    "get_certificate.tailscale": {},
    "permission.http": {"endpoint": values.URL},
    "ech.publishers.dns": {"provider": Inline("dns.providers", "name")},
    "client_auth.verifier.leaf": {"leaf_certs_loaders": Inline("tls.leaf_cert_loader", "loader")},
    "leaf_cert_loader.*": _EVERYTHING,
    "handshake_match.*": _EVERYTHING,
    "ca_pool.source.file": anything("pem_files"),
    "ca_pool.source.inline": anything("trusted_ca_certs"),
    "ca_pool.source.system": {},
    "ca_pool.source.storage": {"storage": Inline("caddy.storage", "module"), "pem_keys": ANY},
    "ca_pool.source.http": {"endpoints": values.URL, "tls": ANY},
    "ca_pool.source.combined": {"sources": Inline("tls.ca_pool.source", "provider")},
    **alike("ca_pool.source.pki_root ca_pool.source.pki_intermediate", anything("authority")),
}

CADDY: Modules = {
    "listeners.tls": {},
    "listeners.proxy_protocol": {
        "timeout": values.seconds(1),
        "allow": values.RANGES,
        "deny": values.NEVER,
        "fallback_policy": values.NEVER,
    },
    "listeners.*": {"": values.NEVER},
    "storage.file_system": {"": values.STORAGE},
    "storage.*": {"": SECRET},
    "network_proxy.url": {"url": values.URL},
    "network_proxy.none": {},
    "logging.writers.file": _EVERYTHING,
    "logging.writers.net": {"address": values.UPSTREAM, **anything("dial_timeout soft_start")},
    **alike("logging.writers.stderr logging.writers.stdout logging.writers.discard", {}),
    "logging.encoders.*": _EVERYTHING,
    # Caddy would exit at the first line of the log
    "logging.cores.mock": {"": values.NEVER},
}

FURTHER: Modules = {
    "http.routes": {"match": MATCHERS, "handle": Inline("http.handlers", "handler"), **anything("group terminal")},
    "http.authentication.providers.http_basic": {
        "accounts.password": SECRET,
        **anything("accounts.username hash realm hash_cache"),
    },
    **alike("http.encoders.* http.precompressed.*", _EVERYTHING),
    "http.ip_sources.*": {"": values.RANGES},
    # Caddy has these with plugins only
    "dns.providers.*": {"": SECRET},
    **alike("http.handlers.exec http.handlers.cgi http.handlers.php", {"": values.PROGRAMS}),
    **alike("http.handlers.rate_limit http.handlers.crowdsec http.handlers.appsec http.handlers.cache", _EVERYTHING),
    **alike("http.handlers.authenticator http.authentication.providers.authorizer", {"": SECRET}),
    "layer4.handlers.proxy": {
        "upstreams.dial": values.UPSTREAM,
        "upstreams.*": ANY,
        **anything("load_balancing proxy_protocol"),
    },
    "layer4.handlers.subroute": {"routes.match": ANY, "routes.handle": Inline("layer4.handlers", "handler")},
    **alike("layer4.handlers.tls layer4.handlers.echo layer4.handlers.throttle", _EVERYTHING),
}

CONFIG: Fields = {
    "admin": values.ADMIN,
    "apps": Named(""),
    "storage": Inline("caddy.storage", "module"),
    "logging.logs": values.DEFAULT_LOG,
    "logging.logs.*": (values.LOG, values.SHARED_LOG),
    "logging.logs.*.writer": Inline("caddy.logging.writers", "output"),
    "logging.logs.*.encoder": Inline("caddy.logging.encoders", "format"),
    "logging.logs.*.core": Inline("caddy.logging.cores", "module"),
    **below("logging.logs.*", anything("level sampling with_caller with_caller_skip with_stacktrace include exclude")),
}

TABLE: Modules = {
    "config": CONFIG,
    **modules("http.handlers", HANDLERS),
    **modules("http.matchers", MATCHER_MODULES),
    **modules("http.reverse_proxy", PROXIES),
    **modules("tls", CERTIFICATES),
    **modules("caddy", CADDY),
    **APPS,
    **FURTHER,
}
