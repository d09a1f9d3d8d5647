"""The engine is away when the program starts: what is said, and that its services are served once it is there."""

from collections.abc import Callable

from town import Town

Eventually = Callable[..., None]


def test_nothing_is_said_to_stay_or_to_be_watched_where_nothing_is(
    engine, start_proxy: Callable, eventually: Eventually
) -> None:
    engine.stop_answering()
    proxy = start_proxy(wait=False)
    eventually(lambda: proxy.said("nothing is configured until it does"))
    assert proxy.said("does not answer: No such file or directory: start Docker") == 1
    assert not proxy.said("watching") and not proxy.said("the last configuration stays")
    engine.start_answering()
    town = Town(engine, proxy)
    town.add("a")
    eventually(lambda: town.right("a") and proxy.said("answers again"))
    eventually(lambda: proxy.said("watching"))
    engine.stop_answering()
    eventually(lambda: proxy.said("the last configuration stays"))
    assert town.right("a")


def test_a_services_tasks_are_served_from_the_start_and_after_a_poll(
    engine, start_proxy: Callable, eventually: Eventually
) -> None:
    engine.swarm.role = "manager"
    site = {"caddy.reverse_proxy": f"{{{{upstreams {engine.port}}}}}"}
    proxy = start_proxy("--polling-interval", "100ms", "--ingress-networks", "front", wait=False)
    engine.swarm.add("svc", {"caddy": f"http://svc.test:{proxy.port}", **site}, "127.99.1.1")
    eventually(lambda: proxy.body("svc.test") == "127.99.1.1")
    engine.swarm.add("late", {"caddy": f"http://late.test:{proxy.port}", **site}, "127.99.1.2")
    eventually(lambda: proxy.body("late.test") == "127.99.1.2")
    # a manager that does not answer takes no site away
    engine.faults["services"] = "error"
    refused = engine.refused["services"]
    eventually(lambda: engine.refused["services"] > refused + 2)
    assert proxy.body("svc.test") == "127.99.1.1" and proxy.said("services cannot be listed")
