"""Caddyfiles at random: sites, options and snippets as people combine them, and as nobody would."""

from collections.abc import Sequence
from random import Random

HOSTS = (
    *("a.example.com", "b.example.com", "c.example.com", "long.name.b.example.com", "example.com", "www.example.com"),
    *(
        "a.test",
        "whoami",
        "x.localhost",
        "y.localhost",
        "z.local",
        "n.internal",
        "h.home.arpa",
        "h.ts.net",
        "UPPER.example.com",
    ),
    *(
        "10.0.0.1",
        "_under.example.com",
        "{$HOST:env.example.com}",
        "*.example.com",
        "*.b.example.com",
        "*.test",
        "*.localhost",
    ),
)
HANDLERS = (
    *(
        "respond ok",
        "reverse_proxy 10.0.0.2:80",
        "reverse_proxy /api/* 10.0.0.3:80 10.0.0.4:80",
        "encode gzip",
        "abort",
    ),
    *(
        "header X-A b",
        "root * /srv",
        "root /a* /srv/a",
        "file_server",
        "rewrite /old* /new",
        "rewrite /b /c",
        "uri strip_prefix /x",
    ),
    *(
        "handle_path /p/* {\nrespond p\n}",
        "handle {\nroot * /a\nroot /b /c\nfile_server\n}",
        "route {\nrewrite * /x\nrespond y\n}",
    ),
    *("@get method GET\nrespond @get get", "@h host a.example.com\nrespond @h inner", "try_files {path} /index.html"),
    *(
        "php_fastcgi 10.0.0.5:9000",
        "vars key 1",
        "map {host} {place} {\ndefault x\n}",
        "metrics /metrics",
        "redir /r https://a.test{uri}",
    ),
    "forward_auth 10.0.0.6:9091 {\nuri /verify\ncopy_headers Remote-User\n}",
    "handle /q* {\nhandle /q/1 {\nrespond 1\n}\nhandle {\nrespond 2\n}\n}",
    "reverse_proxy 10.0.0.7:80 {\n@bad status 500\nhandle_response @bad {\nrewrite * /e\nrespond {rp.status_code}\n}\n}",
    "basic_auth {\nbob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n}",
)
OTHERS = (
    *(
        "tls internal",
        "tls internal",
        "tls internal",
        "tls me@example.com",
        "tls /c.pem /k.pem",
        "tls {\nprotocols tls1.3\n}",
        "tls {\non_demand\n}",
        "tls force_automate",
    ),
    *(
        "tls {\nclient_auth {\nmode require\n}\n}",
        "tls {\nissuer acme {\ndir https://ca.test/d\n}\n}",
        "tls internal {\non_demand\n}",
    ),
    *(
        "bind 127.0.0.1",
        "bind 127.0.0.1 127.0.0.2",
        "log",
        "log {\noutput file /l.log\n}",
        "log named {\noutput stdout\n}",
        "log_skip /x",
    ),
    *(
        "handle_errors {\nrespond e\n}",
        "handle_errors 404 {\nrewrite * /404\nfile_server\n}",
        "acme_server",
        "invoke named",
    ),
    *(
        "import plain",
        "import secure",
        "import logged",
        "import nested",
        "import with b.test",
        "handle {\nimport plain\n}",
    ),
)
SNIPPETS = (
    *("(plain) {\nencode gzip\nheader X-S s\n}", "(secure) {\ntls internal\nheader X-T t\n}", "(logged) {\nlog\n}"),
    *("(nested) {\nimport plain\nhandle /n* {\nimport plain\n}\n}", "(with) {\nredir /w https://{args[0]}\n}"),
    "&(named) {\nheader X-N n\nrewrite * /named\nrespond named\n}",
)
OPTIONS = (
    *(
        "email me@example.com",
        "local_certs",
        "auto_https off",
        "auto_https disable_redirects",
        "auto_https disable_certs",
        "debug",
    ),
    *(
        "http_port 8080",
        "https_port 8443",
        "default_sni a.example.com",
        "fallback_sni b.example.com",
        "default_bind 127.0.0.3",
    ),
    *(
        "default_bind 127.0.0.3 ::1",
        "skip_install_trust",
        "key_type p256",
        "acme_ca https://ca.test/d",
        "grace_period 3s",
        "admin off",
    ),
    *(
        "servers {\nprotocols h1\n}",
        "servers :443 {\nname secure\nstrict_sni_host on\n}",
        "log {\noutput stdout\n}",
        "order header after respond",
    ),
    *(
        "on_demand_tls {\nask http://a.test\n}",
        "cert_issuer internal",
        "storage file_system /s",
        "metrics",
        "ocsp_stapling off",
    ),
)


def generated(random: Random, sites: int) -> str:
    """A Caddyfile with so many sites, which Caddy may refuse."""
    wild = random.random() < 0.3
    others = random.choice((0.0, 0.0, 0.1, 0.5))
    hosts = [host for host in HOSTS if wild or "*" not in host]
    made = [_site(random, number, hosts, others) for number in range(sites)]
    options = random.sample(OPTIONS, random.choice((0, 0, 0, 1, 1, 2)))
    head = ["{\n" + "\n".join(options) + "\n}"] if options else []
    return "\n".join((*head, *SNIPPETS, *made)) + "\n"


def _site(random: Random, number: int, hosts: Sequence[str], others: float) -> str:
    lines = random.sample(HANDLERS, random.randrange(4))
    if random.random() < others:
        lines += random.sample(OTHERS, 1)
    addresses = {_address(random, _host(random, number, hosts)) for _ in range(random.choice((1, 1, 1, 1, 1, 2, 3)))}
    return ", ".join(sorted(addresses)) + " {\n" + "\n".join(lines) + "\n}"


def _host(random: Random, number: int, hosts: Sequence[str]) -> str:
    host = random.choice(hosts)
    if "{" in host and random.random() < 0.9:
        host = "e.example.com"
    # most hosts are named once: Caddy refuses sites with the same address
    if random.random() < 0.03 or "*" in host:
        return host if random.random() < 0.3 else f"*.{number}.example.com"
    return f"{number}.{host}" if random.random() < 0.5 else f"{number}-{host}"


def _address(random: Random, host: str) -> str:
    scheme = random.choice(("", "", "", "", "http://", "http://", "https://"))
    port = random.choice(("",) * 9 + (":81" if scheme == "http://" else ":9443",))
    if random.random() < 0.01:
        return f"{scheme}{port}" if scheme or port else ":9000"
    return scheme + host + port + random.choice(("",) * 20 + ("/path", "/path/*"))
