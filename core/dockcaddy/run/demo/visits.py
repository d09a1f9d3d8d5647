"""Requests to the demo's sites, straight to the port, whatever the machine says of names and proxies."""

import http.client
from collections import Counter

REQUESTS = 6
PATIENCE = 10.0
ROUNDS = 50


def answers(site: str, port: int, replicas: int) -> str:
    """Who answers how many of some requests: `hello-1 3, hello-2 3`.

    For a moment after a reload Caddy's old configuration still accepts connections: such a round is not shown.
    """
    said: Counter[str] = Counter()
    for _ in range(ROUNDS):
        said = Counter(_answer(site, port) for _ in range(REQUESTS))
        if list(said.values()) == [REQUESTS // replicas] * replicas:
            break
    return ", ".join(f"{who} {count}" for who, count in sorted(said.items()))


def _answer(site: str, port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/", headers={"Host": f"{site}:{port}"})
        answer = connection.getresponse()
        return answer.read().decode().strip().removeprefix("hello from ") or f"status {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
