"""Random faults: of the engine, of Caddy, of the machine, of the program itself."""

from random import Random

from simulated.steps import Step

CALLS = ("list", "look", "inspect", "networks", "all", "info", "services", "tasks")


def fault(random: Random) -> Step:
    """Something goes wrong."""
    seconds = round(random.choice((0.1, 1.0, 5.0, 20.0)) * random.uniform(0.5, 1.5), 3)
    by = round(random.choice((0.05, 0.4, 2.0)) * random.uniform(0.5, 1.5), 3)
    call = random.choice(CALLS)
    steps: tuple[tuple[int, str, tuple[object, ...]], ...] = (
        (3, "lose_events", (seconds,)),
        (3, "double_events", (seconds,)),
        (3, "delay_events", (seconds, by)),
        (3, "reorder_events", (seconds,)),
        (4, "cut_streams", ()),
        (2, "refuse_streams", (seconds,)),
        (2, "lag_lists", (seconds, by)),
        (3, "slow_calls", (call, seconds, round(by * 4, 3))),
        (3, "fail_calls", (call, seconds)),
        (3, "truncate_calls", (call, seconds)),
        (3, "hang_calls", (call, seconds)),
        (2, "stop_engine", (seconds,)),
        (3, "crash_caddy", (random.random() < 0.5, by)),
        (2, "hang_caddy", (seconds,)),
        (2, "slow_caddy", (seconds, by)),
        (2, "change_caddy", (random.choice(("nothing", "another", "mixed")),)),
        (2, "refuse_loads", (seconds,)),
        (2, "fill_disk", (seconds,)),
        (4, "restart", (random.choice(("kept", "kept", "lost", "corrupt")), random.random() < 0.5, by)),
        (2, "jump", (round(seconds * 10, 3),)),
        (1, "set_clock_back", (seconds,)),
    )
    (chosen,) = random.choices(steps, [often for often, _, _ in steps])
    return Step(0.0, chosen[1], chosen[2])
