"""Random lives of containers and services: when they come, end, come back and go."""

from collections.abc import Mapping
from random import Random

from attrs import define, field

from simulated.faults import fault
from simulated.steps import Script, Step

SITES = tuple(f"s{number}.test" for number in range(8))
REPLICAS = 3
HOUR = 3600.0
# how long a seed's script is
HOURS = 2.0
# by kind, what the labels are; `{}` is the site, `%` the container's name
LABELS: Mapping[str, Mapping[str, str]] = {
    "good": {"caddy": "http://{}", "caddy.reverse_proxy": "{{upstreams 8080}}"},
    "gated": {"caddy": "http://{}", "caddy.reverse_proxy": "{{upstreams 8080}}", "caddy_health_gate": "true"},
    "text": {"caddy": "http://{}", "caddy.respond": "%"},
    "bad": {"caddy": "http://{}", "caddy.bad": "%"},
    "badload": {"caddy": "http://{}", "caddy.badload": "/no/%"},
    "crash": {"caddy": "http://{}", "caddy.crash": "%"},
    "broken": {"caddy": "http://{}", "caddy.respond": "{{nonsense}}"},
    "stranger": {"com.example": "%"},
}
# of whose sites requests are to be answered by containers
PROXIED = ("good", "gated")
_KINDS = ("good",) * 12 + ("gated",) * 3 + ("text", "bad", "badload", "crash", "broken", "stranger")
# mean seconds between two steps, and how often there are such times
_PACES = ((600.0, 8), (60.0, 4), (5.0, 3), (0.3, 2), (0.02, 1))


def labels_of(kind: str, site: str, name: str) -> dict[str, str]:
    """The labels of a container of a kind."""
    return {key: value.replace("{}", site).replace("%", name) for key, value in LABELS[kind].items()}


@define(eq=False)
class Lives:
    """Makes up what happens. It knows roughly who is there, so that most of it makes sense."""

    random: Random
    hours: float
    faulty: float
    names: dict[str, str] = field(factory=dict)
    services: dict[str, int] = field(factory=dict)
    is_swarm: bool = False
    haste: float = 1.0
    _pace: float = 20.0
    _until: float = 0.0

    def steps(self) -> list[Step]:
        """What happens within the hours."""
        made: list[Step] = []
        now = 0.0
        for name in SITES[:4]:
            made.append(self._up(name, "good"))
        while now < self.hours * HOUR:
            if now >= self._until:
                self._change_pace(now)
            pause = round(self.random.expovariate(1 / self._pace), 3)
            now += pause
            steps = [fault(self.random)] if self.random.random() < self.faulty else self._life()
            made += [Step(pause, steps[0].what, steps[0].args), *steps[1:]]
        return made

    def _change_pace(self, now: float) -> None:
        (pace,) = self.random.choices([pace for pace, _ in _PACES], [often for _, often in _PACES])
        self._pace = max(pace / self.haste, 0.02)
        # about as many steps each time
        self._until = now + min(self.random.uniform(3, 15) * self._pace, 1800.0)

    def _up(self, site: str, kind: str) -> Step:
        name = f"{site.partition('.')[0]}-{self.random.randrange(REPLICAS)}" + ("" if kind == "good" else f"-{kind}")
        self.names[name] = kind
        return Step(0.0, "up", (name, site, kind))

    def _life(self) -> list[Step]:
        if self.is_swarm and self.random.random() < 0.2:
            return [self._service()]
        if not self.names or (self.random.random() < 0.4 and len(self.names) < 24):
            return self._newcomers()
        name = self.random.choice(sorted(self.names))
        match self.random.choices(
            ("stop", "remove", "crash", "start", "restart", "recreate", "pause", "health", "rename", "flap"),
            (2, 4, 3, 4, 3, 2, 1, 4, 1, 1),
        )[0]:
            case "stop":
                return [Step(0.0, "stop", (name, self._grace()))]
            case "remove":
                del self.names[name]
                return [Step(0.0, "remove", (name, self._grace()))]
            case "crash":
                return self._crashed(name)
            case "restart":
                return [Step(0.0, "stop", (name, 0.1)), Step(self._soon(), "start", (name,))]
            case "recreate":
                return self._recreated(name)
            case "health":
                return [Step(0.0, "health", (name, self.random.choice(("healthy", "healthy", "unhealthy"))))]
            case "rename":
                new = f"{name}x"
                self.names[new] = self.names.pop(name)
                return [Step(0.0, "rename", (name, new))]
            case "flap":
                steps = [[Step(self._soon(), "crash", (name, "restarting")), Step(self._soon(), "start", (name,))]] * 5
                return [step for each in steps for step in each]
            case what:
                return [Step(0.0, what, (name,))]

    def _newcomers(self) -> list[Step]:
        """One, or a whole `compose up` at once."""
        number = 1 if self.random.random() < 0.9 else self.random.randrange(2, 12)
        return [self._up(self.random.choice(SITES), self.random.choice(_KINDS)) for _ in range(number)]

    def _crashed(self, name: str) -> list[Step]:
        """Its restart policy, where it has one, brings it back soon or after a long pause."""
        ended = Step(0.0, "crash", (name, self.random.choice(("exited", "restarting"))))
        if ended.args[1] == "exited" or self.random.random() < 0.3:
            return [ended]
        return [ended, Step(round(self.random.uniform(0.1, 3.0), 3), "start", (name,))]

    def _recreated(self, name: str) -> list[Step]:
        """As `compose up` does it with a new image: the same name, and often the same address."""
        kind, site = self.names[name], f"{name.partition('-')[0]}.test"
        other = self.random.choice(sorted(self.names))
        return [
            Step(0.0, "remove", (name, 0.05)),
            Step(0.1, "start", (other,)),
            Step(self._soon(), "up", (name, site, kind)),
        ]

    def _service(self) -> Step:
        name = self.random.choice(("api", "web"))
        if self.random.random() < 0.25:
            return Step(0.0, "service_down", (name,))
        if self.random.random() < 0.5:
            return Step(0.0, "scale", (name, self.random.randrange(5)))
        return Step(0.0, "service", (name, f"{name}.test", self.random.randrange(4)))

    def _grace(self) -> float:
        return self.random.choice((0.01, 0.1, 1.0, 5.0))

    def _soon(self) -> float:
        return round(self.random.uniform(0.05, 1.5), 3)


def script_of(seed: int, hours: float = HOURS, *, is_busy: bool = False) -> Script:
    """The script of a seed; where it `is_busy` more goes wrong in less time."""
    random = Random(seed)
    is_child, is_swarm = random.random() < 0.5, random.random() < 0.2
    faulty = 0.25 if is_busy else random.choice((0.0, 0.05, 0.2))
    lives = Lives(random, hours, faulty, is_swarm=is_swarm, haste=20.0 if is_busy else 1.0)
    return Script(seed, tuple(lives.steps()), is_child, is_swarm)
