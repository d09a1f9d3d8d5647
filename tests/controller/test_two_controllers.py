"""Two controllers of the same servers: one leads, the other one watches and takes over."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

from proxy import Proxy
from servers import StockCaddy
from stand_in_engine import StandInEngine

Eventually = Callable[..., None]
Servers = Callable[..., list[StockCaddy]]
Start = Callable[..., Proxy]


def site(name: str) -> dict[str, str]:
    return {"caddy": f"http://{name}.test:18999", "caddy.respond": f"{name}"}


def test_the_other_controller_takes_over_when_the_leader_is_killed(
    engine: StandInEngine, start_proxy: Start, servers: Servers, eventually: Eventually, tmp_path: Path
) -> None:
    both = servers(2)
    options = [option for each in both for option in ("--caddy-admin", each.url)]
    engine.add("a", site("a"))
    leader = start_proxy("--mode", "controller", *options)
    eventually(lambda: all(each.has("a.test") for each in both))
    assert leader.said("it leads") == 1
    other = start_proxy("--mode", "controller", *options, "--state-directory", str(tmp_path / "other"))
    eventually(lambda: other.said("leads, this one watches") == 1)
    loads = [each.said.count('"load complete"') for each in both]
    time.sleep(3)
    # nobody fights, and the signs of life reload nothing
    assert [each.said.count('"load complete"') for each in both] == loads
    leader.process.send_signal(signal.SIGKILL)
    leader.process.wait()
    began = time.monotonic()
    engine.add("b", site("b"))
    eventually(lambda: all(each.has("a.test", "b.test") for each in both))
    assert time.monotonic() - began < 10
    assert other.said("it leads") == 1
