"""Alternating rounds: every contender in turn, several times, medians; rounds somebody else disturbed are repeated."""

import dataclasses
import statistics
import typing

from . import wrk
from .processes import Noise

# Share of the machine that others may use during a round before it is repeated.
QUIET = 0.05
REPEATS = 4


@dataclasses.dataclass
class Contender:
    """One side of a comparison: where to send what, and which process does the work.

    `server` is anything with `cpu_seconds()`, `rss_kib()` and `tail()`.
    """

    name: str
    url: str
    server: typing.Any
    headers: dict = dataclasses.field(default_factory=dict)
    method: str = "POST"
    body: typing.Optional[str] = None
    tokens: typing.Optional[str] = None
    bodies: typing.Optional[str] = None
    # Called before each round, for example to restart a server whose cache must be empty.
    before: typing.Optional[typing.Callable] = None


def play(contenders, connections, seconds, rounds, others=(), log=print):
    """Runs the rounds. Returns, per name, medians over its rounds plus the rounds themselves.

    `others` are processes that belong to the experiment without being compared (the upstream).
    """
    runs = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        # Rotating the order keeps a drift of the machine from favouring one side.
        shift = number % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            run = _quiet_round(contender, connections, seconds, [c.server for c in contenders] + list(others))
            runs[contender.name].append(run)
            log(f"  round {number + 1}/{rounds} c={connections:<3} {contender.name:<28} {run['per_second']:>9,.0f}/s"
                f"  p50 {run['p50_us']:>7,.0f} us  p99 {run['p99_us']:>7,.0f} us  foreign cpu {run['foreign']:.0%}")
    return {name: _median(list_of) for name, list_of in runs.items()}


def _quiet_round(contender, connections, seconds, children):
    best = None
    for _ in range(REPEATS):
        if contender.before:
            contender.before()
        noise, cpu = Noise(children), contender.server.cpu_seconds()
        run = wrk.run(contender.url, connections, seconds, method=contender.method, headers=contender.headers,
                      body=contender.body, tokens=contender.tokens, bodies=contender.bodies)
        run["server_cpu"] = contender.server.cpu_seconds() - cpu
        run["foreign"] = noise.share()
        run["rss_kib"] = contender.server.rss_kib()
        if run["refused"] or run["broken"] or not run["requests"]:
            raise RuntimeError(f"{contender.name}: {run['refused']} refused and {run['broken']} broken answers "
                               f"of {run['requests']}; a benchmark of errors is none\n{contender.server.tail()}")
        if best is None or run["foreign"] < best["foreign"]:
            best = run
        if run["foreign"] <= QUIET:
            break
    best["per_cpu_second"] = best["requests"] / best["server_cpu"] if best["server_cpu"] else 0.0
    return best


def _median(runs):
    keys = ("per_second", "p50_us", "p90_us", "p99_us", "p999_us", "per_cpu_second", "rss_kib")
    middle = {key: statistics.median(run[key] for run in runs) for key in keys}
    middle["wraps"] = sum(run["wraps"] for run in runs)
    middle["noisy"] = sum(run["foreign"] > QUIET for run in runs)
    return {**middle, "rounds": runs}
