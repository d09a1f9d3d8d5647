"""What labels lead to in a real Caddy's JSON, and may not: however it is written, and whoever wrote which part of it."""

import json
from collections.abc import Mapping

import pytest
from attrs import evolve
from dockcaddy import Mount, Proxy, testing
from dockcaddy_policy import PolicySettings
from judging import Court
from policies import site
from policy_cases import ALLOWED, EVERYBODY, FURTHER, NATURAL, SHORT

TRANSPORT = {"caddy__reverse_proxy": "a:80", "caddy__reverse_proxy__transport": "http"}

REFUSED = [
    ("expressions", {"caddy": "example.org", "caddy.@a.expression": "`ph(req, 'env.TOKEN') == 'x'`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression `vars_regexp('a', '{}' + 'env.T}', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression `vars_regexp('a', '{}}en' + 'v.T}', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`ph//x\n(req, 'env.TOKEN') == 'x'`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`r'\\' + ph(req,'env.TOKEN') + r'\\' != ''`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": r"`vars_regexp('x', '\x7benv.TOKEN\x7d', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": r"`vars_regexp('x', '\173env.TOKEN\175', '.*')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "expression vars_regexp('x', {header.P}, '.*') && true"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{header.P}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{method}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_regexp('n', {http.request.method}, '(.*)')`"}),
    ("expressions", {"caddy": "*.example.org", "caddy.@a": "`vars_regexp('n', {host}, '(.*)')`"}),
    ("expressions", {"caddy": ":8080", "caddy.@a": "`vars_regexp('n', {http.request.hostport}, '(.*)')`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': [{http.request.tls.server_name}]})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`header({'X': ['}{en' + 'v.TOKEN}']})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a.not": "expression `vars_regexp({header.P}, 'x')`"}),
    ("expressions", site(caddy__reverse_proxy="a:80", caddy__reverse_proxy__lb_retry_match="`vars({ {header.P}: 'x'})`")),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_regexp_request_string_string(req, ['{#env.T}'.replace('#', ''), 'x'])`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`vars_matcher_request_map(.req, {'{#env.T}'.replace('#', ''): 'x'})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file_request_map( req, {'root': '/data'})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a.not.vars_regexp('x', {header\\.P}, '\\.*')": ""}),
    ("expressions", site(caddy__reverse_proxy="a:80", **{"caddy.reverse_proxy.lb_retry_match.file({'root': '/data'})": ""})),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file({'root': '/data', 'try_files': ['/*']})`"}),
    ("expressions", {"caddy": "example.org", "caddy.@a": "`file({'root': {vars.x}})`"}),
    ("urls", site(caddy__tls__issuer="acme http://172.18.0.9/dir")),
    ("urls", site(caddy__tls__ca="HTTP://ca.internal/dir")),
    ("urls", {"caddy.acme_ca": "http://ca.internal/dir"}),
    ("urls", {"caddy.acme_ca": "{$NO_CA:http://ca.internal/dir}"}),
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
    ("upstreams", site(caddy__handle__php_fastcgi="localhost:2019")),
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
    ("upstreams", site(caddy__log__output="net TCP/localhost:2019")),
    ("urls", site(caddy__tls__ca="http://localhost:2019/config/")),
    ("urls", site(caddy__tls__get_certificate="http HTTP://localhost:2019?x")),
    ("urls", {"caddy.acme_ca": "{$NO_CA:http://localhost:2019/stop}"}),
    ("urls", {"caddy.on_demand_tls.ask": "http://u@localhost:2019/"}),
    ("urls", {"caddy.cert_issuer": "acme", "caddy.cert_issuer.dir": "http://localhost:2019/"}),
    ("listeners", {"caddy": "HTTP://example.org:2019", "caddy.respond": "x"}),
    ("listeners", site(caddy__bind="127.0.0.1")),
    ("listeners", site(caddy__bind="fd/3")),
    ("listeners", site(caddy__tls__issuer="acme", caddy__tls__issuer__alt_http_port="2019")),
    ("listeners", {"caddy.cert_issuer": "acme", "caddy.cert_issuer.alt_tlsalpn_port": "2019"}),
    ("listeners", site(caddy__bind="UNIX//var/run/docker.sock")),
    ("listeners", site(caddy__bind="unix//var/run/../home/op/api.sock")),
    ("listeners", site(caddy__bind="tcp/127.0.0.1:2019")),
    ("log-files", site(caddy__log__output="file /var/log/../lib/x")),
    ("log-files", site(caddy__log__output="file /etc/cron.d/x")),
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
    ("roots", site(caddy__file_server__root="/data browse")),
    ("roots", site(caddy__file_server__status="200 root /data")),
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
    ("chosen-roots", site(caddy__root="* `/da{x y}ta`")),
    ("storage", {"caddy.storage": "file_system", "caddy.storage.root": "."}),
    ("storage", {"caddy.storage": "file_system /"}),
    ("storage", {"caddy.storage": "file_system /var/lib/docker/volumes/evil/_data"}),
    ("templates", site(caddy__file_server__browse="/srv/evil.html")),
    ("templates", site(caddy__file_server__status="200 browse /srv/evil.html")),
    ("global-options", {"caddy.auto_https": "disable_redirects off"}),
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
    ("global-options", {"caddy.log.output": "net evil.example:514"}),
    ("global-options", {"caddy.renewal_window_ratio": "0.9999"}),
    ("global-options", {"caddy.pki.ca": "local", "caddy.pki.ca.root.cert": "/srv/evil.crt"}),
    ("global-options", {"caddy.log.core": "mock"}),
    ("global-options", site(caddy__log__core="mock")),
    ("global-options", site(caddy__log="default", caddy__log__output="stderr")),
    ("global-options", {"caddy": "https://", "caddy.tls.client_auth.mode": "require"}),
    ("global-options", {"caddy.log.output": "discard"}),
    *(("global-options", {"caddy.servers.timeouts.read_header": short}) for short in SHORT),
    ("global-options", {"caddy.servers.timeouts.idle": "1ns"}),
    *(("global-options", {"caddy.grace_period": short}) for short in ("1ns", "-1s")),
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
    *(
        ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.allow": ranges})
        for ranges in EVERYBODY
    ),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.timeout": "1ns"}),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.timeout": "5s fallback_policy require"}),
    ("global-options", {"caddy.servers.listener_wrappers.proxy_protocol.allow": "10.0.0.0/8", "caddy.servers.listener_wrappers.proxy_protocol.timeout": "5s deny 0.0.0.0/0"}),
    *(("global-options", {"caddy.servers.protocols": each}) for each in ("h1", "h1 h2c")),
    ("global-options", {"caddy.servers.strict_sni_host": "insecure_off"}),
    ("global-options", {"caddy.servers.expected_underscore_headers": "Content_Type"}),
    ("global-options", {"caddy.servers.expected_dot_headers": "Content.Type"}),
    ("global-options", {"caddy.servers.log_credentials": ""}),
    ("global-options", {"caddy.metrics.observe_catchall_hosts": ""}),
    (
        "global-options",
        {"caddy.servers.keepalive_count": "1 timeouts", "caddy.servers.keepalive_count.read_header": "1ns"},
    ),
    ("global-options", {"caddy.servers.timeouts.idle": "1m read_header 1m read_header 1ns"}),
    *(
        ("global-options", {"caddy.servers.max_header_size": each})
        for each in ("0.001kB", ".5kb", "1,0", "9223372036854774784", "9.3EB", "1KIB")
    ),
    ("listeners", {"caddy.http_port": "+2019"}),
    ("listeners", {"caddy.http_port": "2019"}),
    ("listeners", {"caddy.default_bind": "127.0.0.9"}),
    ("upstreams", site(caddy__forward_auth="localhost:2019", caddy__forward_auth__uri="/x")),
    ("upstreams", site(caddy__reverse_proxy="localhost:80", caddy__reverse_proxy__to="LOCALHOST:2019")),
    ("urls", site(**TRANSPORT, caddy__reverse_proxy__transport__network_proxy="url HTTP://localhost:2019")),
    ("urls", site(**TRANSPORT, caddy__reverse_proxy__transport__forward_proxy_url="{header.P}")),
    ("chosen-roots", {"caddy": "example.org", "caddy.fs": "{header.X}"}),
    # wherever routes are nested, and however an address is spelled
    ("templates",{"caddy":"a.test","caddy.handle_errors.templates":""}),
    ("templates",{"caddy":"a.test","caddy.handle_errors":"404","caddy.handle_errors.handle.templates":""}),
    ("roots",{"caddy":"a.test","caddy.handle_errors.root":"* /data","caddy.handle_errors.file_server":""}),
    ("roots",{"caddy":"a.test","caddy.intercept.handle_response.file_server.root":"/data"}),
    ("templates",{"caddy":"a.test","caddy.intercept.handle_response.templates":""}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.handle_response.reverse_proxy":"localhost:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.forward_auth":"a:80","caddy.forward_auth.uri":"/x","caddy.forward_auth.handle_response.reverse_proxy":"127.0.0.1:2019"}),
    ("roots",{"caddy":"a.test","caddy.@f.file.root":"/data","caddy.respond":"@f x"}),
    ("roots",{"caddy":"a.test","caddy.@f.not.file.root":"/data","caddy.respond":"@f x"}),
    ("roots",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.lb_retry_match.file.root":"/data"}),
    ("templates",{"caddy_0":"&(n)","caddy_0.templates":"","caddy_1":"a.test","caddy_1.invoke":"n"}),
    ("upstreams",{"caddy_0":"&(n)","caddy_0.reverse_proxy":"[::1]:2019","caddy_1":"a.test","caddy_1.invoke":"n"}),
    ("roots",{"caddy":"a.test","caddy.php_fastcgi":"a:9000","caddy.php_fastcgi.root":"/data"}),
    ("upstreams",{"caddy":"a.test","caddy.php_fastcgi":"unix//var/run/docker.sock"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"h2c://127.0.0.1:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"tcp6/[::1]:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"unix+h2c//run/docker.sock"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"http://localhost:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"0:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"[::ffff:127.0.0.1]:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"0x7f.1:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"2130706433:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"{http.request.header.X}"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy":"x:{http.request.port}"}),
    ("upstreams",{"caddy":"a.test","caddy.map":"{host} {up}","caddy.map.default":"localhost:2019","caddy.reverse_proxy":"{up}"}),
    ("upstreams",{"caddy":"a.test","caddy.vars.up":"localhost:2019","caddy.reverse_proxy":"{vars.up}"}),
    ("upstreams",{"caddy":"a.test","caddy.log.output":"net localhost:2019"}),
    ("upstreams",{"caddy":"a.test","caddy.reverse_proxy.dynamic":"a {header.X} 80"}),
    ("environment",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.header_up":"X {env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.rewrite":"/x?{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.request_body.set":"{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.try_files":"{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.tracing.span":"{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.log.format":"append","caddy.log.format.fields.x":"{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.transport":"fastcgi","caddy.reverse_proxy.transport.env":"X {env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.health_uri":"/","caddy.reverse_proxy.health_headers.X":"{env.TOKEN}"}),
    ("environment",{"caddy":"a.test","caddy.reverse_proxy":"a:80","caddy.reverse_proxy.transport":"http","caddy.reverse_proxy.transport.tls_server_name":"{env.TOKEN}"}),
    ("files",{"caddy":"a.test","caddy.error":"{file./etc/passwd} 500"}),
    ("files",{"caddy":"a.test","caddy.header":">X {file./etc/passwd}"}),
    ("chosen-roots",{"caddy":"a.test","caddy.root":"* /srv/{http.request.uri.path.0}"}),
    ("listeners",{"caddy":"a.test","caddy.bind":"unix//run/docker.sock"}),
    ("listeners",{"caddy":"http://a.test:2019","caddy.respond":"x"}),
    ("listeners",{"caddy":"a.test","caddy.bind":"udp/0.0.0.0"}),
    ("listeners",{"caddy":"a.test","caddy.bind":"[::]"}),
    ("log-files",{"caddy":"a.test","caddy.log.output":"file /var/log/../../data/x.log"}),
    ("log-files",{"caddy_0.log.output":"file /srv/www/x.log"}),
    ("urls",{"caddy":"a.test","caddy.tls.ca":"https://127.0.0.1:2019/x"}),
    # Caddy could not write the app's JSON, and would forget what all other labels say in it
    ("global-options", {"caddy.pki.ca": "x", "caddy.pki.ca.renewal_window_ratio": "nan"}),
]  # fmt: skip

# the environment of the court's Caddy has these variables: what they hold decides, whatever they are called
CHOSEN = [
    {"caddy": "a.test", "caddy.respond": "{e{$U}nv.TOKEN}"},
    {"caddy": "a.test", "caddy.respond": "{fi{$U}le./etc/passwd}"},
    {"caddy": "a.test", "caddy.{$U:templates}": ""},
    {"caddy": "a.test", "caddy.{$U}": "templates"},
    {"caddy": "a.test", "caddy.handle.{$U:root}": "/data"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{$U:2019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:20{$U}19"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:20{env.U}19"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{env.N}{$U:019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$U:localhost:2019}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$HOST}:2019"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{env.CADDY_ADMIN}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "un{$U}ix//var/run/docker.sock"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{header.Up}:{$PORT}"},
    {"caddy": "a.test:20{$U}19", "caddy.respond": "x"},
    {"caddy": "a.test:{$U:2019}", "caddy.respond": "x"},
    {"caddy.acme_ca": "https://{$U:localhost:2019}/stop"},
    {"caddy": "a.test", "caddy.root": "* {$WEB_ROOT:/data}"},
    {"caddy": "a.test", "caddy.root": "* /{$NAME}"},
    {"caddy": "a.test", "caddy.root": "* {env.CADDY_ROOT}"},
    {"caddy": "a.test", "caddy.root": "* /da{$U}ta"},
    {"caddy": "a.test", "caddy.root": "* /{env.NAME}/caddy"},
    {"caddy": "a.test", "caddy.file_server.root": "{env.HOME}"},
    {"caddy": "a.test", "caddy.log.output": "file /var/log/{$U:..}/lib/x.log"},
    {"caddy.servers.timeouts.read_header": "{$U:1ns}"},
    {"caddy.servers.protocols": "{$U:h1}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:201{$N}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:{$U:201}{$N}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost:20{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$U:localhost:}20{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "localhost{$U::2}0{$M}/"},
    {"caddy": "a.test", "caddy.reverse_proxy.dynamic": "a localhost {$U:20}{$M}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "x:80", "caddy.reverse_proxy.health_port": "20{$M}"},
    {"caddy": "a.test", "caddy.tls.get_certificate": "http http://localhost:20{$M}/config/"},
    {"caddy": "http://a.test:20{$M}", "caddy.respond": "x"},
    {"caddy": "a.test", "caddy.reverse_proxy": "{$CADDY_ADMIN}"},
    {"caddy": "a.test", "caddy.reverse_proxy": "unix//var/run/{$ENGINE}.sock"},
    {"caddy": "a.test", "caddy.root": "* {$XDG_DATA_HOME}"},
    {"caddy": "a.test", "caddy.vars": "root {$HOME}"},
    {"caddy": "a.test", "caddy.vars.root": "{$HOME}"},
    {"caddy": "a.test", "caddy.log.output": "file {$HOME}/x.log"},
    {"caddy": "a.test", "caddy.log.output": "file /{$NAME}/x.log"},
    {"caddy.http_port": "20{$M}"},
]  # fmt: skip

# the rule, a snippet, the labels that import it
IN_USE = [
    ("environment", {"caddy.respond": "{{\"{{args[0]}.TOKEN}\"}}"}, {"caddy.import": "s env"}),
    ("environment", {"caddy.respond": "{{\"{{args[0]}{args[1]}\"}}"}, {"caddy.import": "s env. TOKEN}"}),
    ("environment", {"caddy.log_append": "x {}{args[0]}"}, {"caddy.import": "s env.TOKEN}"}),
    ("environment", {"caddy.log_append": "x {\\}e{args[0]}"}, {"caddy.import": "s nv.TOKEN}"}),
    ("files", {"caddy.respond": "{args[0]}./etc/passwd}"}, {"caddy.import": "s {file"}),
    ("roots", {"caddy.{block}": ""}, {"caddy.import": "s", "caddy.import.root": "* /data"}),
    ("roots", {"caddy.file_server.{block}": ""}, {"caddy.import": "s", "caddy.import.root": "/data"}),
    ("roots", {"caddy.root": "* {args[0]}{args[1]}"}, {"caddy.import": "s /da ta"}),
    ("roots", {"caddy.root": "* /srv/{args[0]}"}, {"caddy.import": "s ../data"}),
    ("roots", {"caddy.status": "200 root /data"}, {"caddy.file_server.import": "s"}),
    ("roots", {"caddy.root": "/data"}, {"caddy.vars.import": "s"}),
    ("chosen-roots", {"caddy.root": "{args[0]}"}, {"caddy.import": "s {header.X}"}),
    ("expressions", {"caddy.@a": "expression {args[0]}", "caddy.respond": "@a x"}, {"caddy.import": "s `ph(req,'env.TOKEN')`"}),
    ("expressions", {"caddy.@a": "`header({'X': [{args[0]}]})`", "caddy.respond": "@a x"}, {"caddy.import": "s {header.P}"}),
    ("upstreams", {"caddy.reverse_proxy": "{args[0]}{args[1]}"}, {"caddy.import": "s localhost :2019"}),
    ("upstreams", {"caddy.reverse_proxy": "localhost:20{args[0]}"}, {"caddy.import": "s 19"}),
    ("upstreams", {"caddy.reverse_proxy": "{args[0]}//var/run/docker.sock"}, {"caddy.import": "s unix"}),
    ("upstreams", {"caddy.reverse_proxy": "{args[0]}"}, {"caddy.import": "s {path}:80"}),
    ("upstreams", {"caddy.a": "localhost 2019"}, {"caddy.reverse_proxy.dynamic": "multi", "caddy.reverse_proxy.dynamic.import": "s"}),
    ("upstreams", {"caddy.srv": "_x._tcp.evil.test"}, {"caddy.reverse_proxy.dynamic": "multi", "caddy.reverse_proxy.dynamic.import": "s"}),
    ("urls", {"caddy.tls.get_certificate": "http http://{args[0]}{args[1]}/config"}, {"caddy.import": "s localhost: 2019"}),
    ("urls", {"caddy.tls.get_certificate": "http http://{args[0]}19/config"}, {"caddy.import": "s localhost:20"}),
    ("listeners", {"caddy.bind": "{args[0]}"}, {"caddy.import": "s 127.0.0.1"}),
    ("log-files", {"caddy.log.output": "file /var/log/{args[0]}{args[1]}/x.log"}, {"caddy.import": "s . ."}),
    ("log-files", {"caddy.log.output": "file /{args[0]}/caddy/x.log"}, {"caddy.import": "s data"}),
    ("templates", {"caddy.browse": "/srv/evil.html"}, {"caddy.file_server.import": "s"}),
    ("global-options", {"caddy.core": "mock"}, {"caddy.log.import": "s"}),
]  # fmt: skip

# Caddy refuses these by itself; with plugins that it does not have here, the table would have to allow them
BY_CADDY = [
    ("global-options", {"caddy.servers.max_header_size": "1 kb b"}),
    ("admin", {"caddy": "{$U}", "caddy.admin": "0.0.0.0:2019"}),
    ("upstreams", {"caddy.layer4.:5432.route.proxy": "localhost:2019"}),
    ("listeners", {"caddy": "http://example.org:2000-2020", "caddy.respond": "x"}),
    ("listeners", {"caddy.layer4.:2019.route.proxy": "db:5432"}),
    ("listeners", {"caddy.layer4": ":2000-2020", "caddy.layer4.route.proxy": "db:5432"}),
    ("programs", site(caddy__exec="cat /data/caddy/secret")),
    ("global-options", {"caddy.servers.trusted_proxies": "combine", "caddy.servers.trusted_proxies.static": "::0/0"}),
    ("global-options", {"caddy.servers.packet_conn_wrappers.x": ""}),
    ("global-options", {"caddy.servers.timeouts.write_max_chunk": "0.001 MB"}),
    ("global-options", {"caddy.servers.enable_full_duplex": "log_credentials"}),
    ("programs", {"caddy.frankenphp.worker": "/srv/worker.php"}),
    ("programs", {"caddy.supervisor.touch /tmp/evil": ""}),
]  # fmt: skip


def in_use(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels, and a response for the requests of their matcher: Caddy leaves out matchers that nothing uses."""
    names = {key.split(".")[1] for key in labels if key.startswith("caddy.@")}
    return {**labels, **{f"caddy.respond_{at}": f"{name} x" for at, name in enumerate(sorted(names))}}


@pytest.mark.parametrize(("rule", "labels"), REFUSED, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(REFUSED)])
def test_what_could_reach_the_proxys_own_is_refused(court: Court, rule: str, labels: dict[str, str]) -> None:
    judged = court.labels(in_use(labels))
    assert judged.rule == rule
    assert judged.configuration is not None and "web-1" not in judged.owners


@pytest.mark.parametrize("labels", CHOSEN, ids=[str(at) for at, _ in enumerate(CHOSEN)])
def test_what_a_variable_holds_is_judged(court: Court, labels: dict[str, str]) -> None:
    judged = court.labels(labels)
    assert judged.rule not in ("", "caddy") and "web-1" not in judged.owners


@pytest.mark.parametrize(("rule", "snippet", "importing"), IN_USE, ids=[str(at) for at, _ in enumerate(IN_USE)])
def test_what_a_snippet_becomes_is_judged_where_it_is_imported(
    court: Court, rule: str, snippet: dict[str, str], importing: dict[str, str]
) -> None:
    definer = testing.container("definer", labels={"caddy": "(s)", **snippet}, created=2)
    importer = testing.container("importer", labels={"caddy": "a.test", **importing}, created=3)
    assert court.judge(definer).rule == ""
    judged = court.judge(definer, importer)
    assert (judged.rule, judged.owners) == (rule, {"definer", "good"}), judged.problems


@pytest.mark.parametrize(("rule", "labels"), BY_CADDY, ids=[str(at) for at, _ in enumerate(BY_CADDY)])
def test_what_caddy_refuses_by_itself_is_not_served(court: Court, rule: str, labels: dict[str, str]) -> None:
    judged = court.labels(labels)
    assert judged.rule == "caddy" and "web-1" not in judged.owners


@pytest.mark.parametrize("labels", FURTHER, ids=[str(at) for at, _ in enumerate(FURTHER)])
def test_what_harms_nobody_is_served(court: Court, labels: dict[str, str]) -> None:
    assert court.labels(labels).rule == ""


@pytest.mark.parametrize("labels", [*ALLOWED, *NATURAL], ids=[str(at) for at, _ in enumerate([*ALLOWED, *NATURAL])])
def test_what_people_use_is_let_through(court: Court, labels: dict[str, str]) -> None:
    assert court.labels(labels).rule in ("", "caddy")


def test_what_a_container_has_mounted_it_may_have_served(court: Court) -> None:
    mounts = (Mount("volume", "/var/lib/docker/volumes/site/_data", "/usr/share/nginx/html", "site"),)
    labels = site(caddy__root='* {{mountSource "/usr/share/nginx/html/public"}}')
    assert court.labels(labels, mounts=mounts).rule == ""
    assert court.labels(site(caddy__root="* /var/lib/docker/volumes/site/_data/public")).rule == "roots"


@pytest.mark.parametrize(
    ("caddys", "rule"),
    [
        ((), "roots"),
        ((Mount("bind", "/var/log/web", "/var/log/web"),), ""),
        ((Mount("bind", "/x", "/var/log"),), "roots"),
    ],
)
def test_where_caddy_has_files_of_its_own_the_hosts_are_only_what_it_has_mounted(
    court: Court, caddys: tuple[Mount, ...], rule: str
) -> None:
    mounts = (Mount("bind", "/var/log/web", "/logs"),)
    labels = site(caddy__root='* {{mountSource "/logs"}}')
    assert court.labels(labels, mounts=mounts).rule == ""
    assert court.labels(labels, mounts=mounts, caddy=testing.container("caddy", mounts=caddys)).rule == rule


@pytest.mark.parametrize("source", ["/data", "/proc", "/etc", "/"])
def test_mounting_the_proxys_own_does_not_make_it_served(court: Court, source: str) -> None:
    mounts = (Mount("bind", source, "/host"),)
    assert court.labels(site(caddy__root='* {{mountSource "/host"}}'), mounts=mounts).rule == "roots"


def test_an_upstream_of_its_own_may_have_any_port(court: Court) -> None:
    assert court.labels(site(caddy__reverse_proxy="{{upstreams 2019}}")).rule == ""
    assert court.labels(site(caddy__reverse_proxy="172.18.0.3:2019")).rule == "upstreams"


@pytest.mark.parametrize("folder", ["/data", "/config/caddy", "/etc/caddy"])
def test_the_usual_folders_of_caddy_are_not_served_whatever_this_run_uses(court: Court, folder: str) -> None:
    other = evolve(court, proxy=Proxy())
    assert other.labels(site(caddy__root=f"* {folder}", caddy__file_server="")).rule == "roots"


@pytest.mark.parametrize("port", [2375, 2376])
def test_the_usual_ports_of_engines_are_no_upstreams_whatever_this_run_uses(court: Court, port: int) -> None:
    assert evolve(court, proxy=Proxy()).labels(site(caddy__reverse_proxy=f"localhost:{port}")).rule == "upstreams"


@pytest.mark.parametrize(
    "allow",
    [
        "roots",
        "roots@container:web-*",
        "container:web-1",
        "roots@project:shop",
        "network:front",
        "roots@prefix:caddy.ro",
    ],
)
def test_a_setting_lets_through_whom_it_names(court: Court, allow: str) -> None:
    labels = site(caddy__root="* /data") | {"com.docker.compose.project": "shop"}
    assert court.labels(labels, PolicySettings(allow=(allow,))).rule == ""


@pytest.mark.parametrize("allow", ["files", "roots@container:db", "project:other", "roots@prefix:caddy_9"])
def test_a_setting_lets_through_nobody_else(court: Court, allow: str) -> None:
    assert court.labels(site(caddy__root="* /data"), PolicySettings(allow=(allow,))).rule == "roots"


def test_full_trust_lets_everything_through(court: Court) -> None:
    settings = PolicySettings(trust="all")
    for _, labels in REFUSED[::9]:
        assert court.labels(in_use(labels), settings).rule in ("", "caddy"), labels


def test_the_refusal_names_the_label_and_the_way_around(court: Court) -> None:
    (problem,) = court.labels(site(caddy__root="* /data")).problems
    assert str(problem) == (
        "container web-1: label caddy.root: policy: labels may not use /data; "
        'to allow it: [policy] allow = ["roots@container:web-1"]'
    )


def test_what_the_operator_wrote_is_not_judged(court: Court) -> None:
    base = "ops.test {\n\troot * /data\n}\n(own) {\n\troot * /data\n\tfile_server\n}\n"
    assert court.labels(site(caddy__respond="x"), base=base).rule == ""
    # what is in the operator's snippet alone is the operator's, but who imports it serves it
    assert court.labels(site(caddy__import="own"), base=base).rule == "roots"
    assert court.labels({"caddy": "other.test", "caddy.root": "* /data"}, base=base).rule == "roots"


def test_the_labels_of_caddys_own_container_are_not_judged(court: Court) -> None:
    caddy = testing.container("caddy", labels={"caddy": "m.test", "caddy.reverse_proxy": "localhost:2019"}, created=3)
    assert court.judge(caddy).rule == "upstreams"
    assert court.judge(caddy, caddy=caddy).rule == ""
    other = testing.container("web-1", labels={"caddy": "x.test", "caddy.reverse_proxy": "localhost:2019"}, created=4)
    assert court.judge(caddy, other, caddy=caddy).owners == {"caddy", "good"}


def test_a_snippet_that_the_operator_imports_is_judged_as_that_of_its_definer(court: Court) -> None:
    evil = testing.container("evil", labels={"caddy": "(common)", "caddy.templates": ""}, created=2)
    caddy = testing.container("caddy", labels={"caddy": "ops.test", "caddy.import": "common"}, created=3)
    judged = court.judge(evil, caddy, caddy=caddy)
    assert judged.rule == "templates" and judged.problems[0].resource == "container evil"
    assert "evil" not in judged.owners
    base = court.labels({"caddy": "(common)", "caddy.templates": ""}, base="ops.test {\n\timport common\n}\n")
    assert base.configuration is None or "web-1" not in base.owners


def test_of_several_resources_of_a_site_the_one_at_fault_is_left_out(court: Court) -> None:
    one = testing.container(
        "one", labels={"caddy": "a.test", "caddy.handle_path": "/a/*", "caddy.handle_path.respond": "a"}
    )
    labels = {"caddy": "a.test", "caddy.handle_path": "/b/*", "caddy.handle_path.root": "* /data"}
    two = testing.container("two", labels=labels, created=5)
    judged = court.judge(one, two)
    assert (judged.rule, judged.owners) == ("roots", {"one", "good"})


def test_a_module_that_is_not_in_the_table_is_refused_unless_the_operator_lists_it() -> None:
    config = {"apps": {"http": {"servers": {"srv0": {"routes": [{"handle": [{"handler": "webhook"}]}]}}}}}
    court = Court(lambda text: json.dumps(config if "web-1" in text else {}).encode())
    labels = {"caddy": "web-1.test", "caddy.webhook": "x"}
    judged = court.labels(labels)
    assert judged.rule == "modules"
    assert str(judged.problems[0]) == (
        "container web-1: label caddy.webhook: policy: http.handlers.webhook is not among what labels may use; "
        'to allow it: [policy] modules = ["http.handlers.webhook"]'
    )
    for listed in ("http.handlers.webhook", "http.handlers.*"):
        assert court.labels(labels, PolicySettings(modules=(listed,))).rule == ""


def test_judging_costs_no_call_of_caddy_where_nothing_is_found(court: Court) -> None:
    sites = [testing.container(f"c{at}", labels={"caddy": f"s{at}.test", "caddy.respond": "x"}) for at in range(50)]
    evil = [
        testing.container(f"e{at}", labels={"caddy": f"e{at}.test", "caddy.root": "* /data"}, created=9)
        for at in range(50)
    ]
    before = court.adapts
    assert court.judge(*sites).rule == ""
    calm = court.adapts - before
    judged = court.judge(*sites, *evil)
    assert len([each for each in judged.problems if "policy: " in each.message]) == 50
    # some sites at a time, the evil ones too, and the rest once more without them: none is adapted for being found
    assert calm <= 5 and court.adapts - before - calm <= 8
