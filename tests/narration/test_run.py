"""`dockcaddy run` with a real Caddy: what its log says from the start to the end."""

from collections.abc import Callable

import dockcaddy
import pytest
from proxy import Proxy
from stand_in_engine import StandInEngine

pytestmark = pytest.mark.process

Start = Callable[..., Proxy]
Eventually = Callable[..., None]


def test_run_tells_its_whole_life(engine: StandInEngine, start_proxy: Start, eventually: Eventually) -> None:
    engine.add("other", {"com.example": "x"})
    proxy = start_proxy()
    eventually(lambda: proxy.said("waiting for a container with caddy labels, for example:"))
    # a warning about the ports of another Caddy on this machine may come before it
    first = next(line for line in proxy.lines if " info: " in line)
    assert f"info: dockcaddy {dockcaddy.__version__} with caddy v2" in first
    assert proxy.said(f"admin API at {proxy.admin}") == 1
    assert proxy.said("0 containers with caddy labels, 1 without") == 1
    assert proxy.said("sites listen on ports 80 (http) and 443 (https)") == 1
    engine.add(
        "web", {"caddy": f"http://web.test:{proxy.port}", "caddy.reverse_proxy": f"{{{{upstreams {engine.port}}}}}"}
    )
    address = f"{engine.containers['web'].address}:{engine.port}"
    eventually(lambda: proxy.said(f"info: live: http://web.test:{proxy.port} -> web {address} ("))
    engine.crash("web")
    eventually(lambda: proxy.said(f"info: changed: http://web.test:{proxy.port} loses web {address} ("))
    # between two lives, the site answers with status 503
    engine.start("web")
    eventually(lambda: proxy.said(f"info: changed: http://web.test:{proxy.port} gains web {address} ("))
    assert not proxy.said("gone: ") and not proxy.said("without an upstream")
    assert proxy.end() == 0
    assert "ending: caddy ends too" in proxy.log
    # what Caddy says at each reload, and our own looks at it, are no news
    assert proxy.said("server is listening only on the HTTP port") <= 1
    assert proxy.said("GET /config/admin") <= 1


def test_beside_a_caddy_of_somebody_elses_its_admin_url_is_told(
    start_proxy: Start, eventually: Eventually, free_port: Callable[[], int]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    proxy = start_proxy("--caddy-admin", url)
    assert f"configures the caddy at {url}" in proxy.lines[0]
    assert proxy.end() == 0
    assert "ending: caddy keeps 0 sites" in proxy.log
