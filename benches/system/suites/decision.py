"""One access decision: time and memory in process, beside Cedar in process, and beside Cerbos over HTTP."""

import contextlib
import json
import statistics
import subprocess

from rig import node, report
from rig.peers import Server, ready
from rig.processes import Child, free_port
from rig.rounds import Contender, play
from rig.wire import Client

SIZES = (1, 4_000, 100_000)
CONNECTIONS = 8
# Asked of Cerbos and of ours, whose answers have to be the same.
REQUESTS = 2_000


def run(bench):
    result = report.Result("decision", "Access decision")
    alone = [program(bench.examples / "decide", SIZES[-1]) for _ in range(1 if bench.quick else 5)]
    allowed = alone[0]["allowed"] / alone[0]["decisions"]
    if not 0.05 < allowed < 0.95:
        raise RuntimeError(f"{allowed:.0%} of the decisions allow: the mix measures one answer only")

    def middle(key):
        return statistics.median_low(one[key] for one in alone)

    seconds = 1 if bench.quick else 5
    in_process = {size: compare(bench, size, seconds) for size in SIZES}
    over_http = {size: http(bench, size) for size in SIZES}

    result.hold(f"decision with {SIZES[-1]:,} assignments, p50", middle("p50_ns") / 1000, "us", "<=", 1)
    result.hold("decision with 4,000 assignments, p99", in_process[4_000]["Keyless"]["p99_ns"] / 1000, "us", "<=", 10)
    result.hold("memory per assignment", middle("bytes_per_assignment"), "bytes", "<=", 300)
    result.table([f"{SIZES[-1]:,} assignments", "p50", "p90", "p99", "p99.9"],
                 [["decide", *(time(middle(key)) for key in ("p50_ns", "p90_ns", "p99_ns", "p999_ns"))]])
    result.table(["in process", "assignments", "answers", "p50", "p99", "p50 of ours", "p99 of ours"],
                 [[name, f"{size:,}", f"{run['asked']:,}", time(run["p50_ns"]), time(run["p99_ns"]),
                   times(run["p50_ns"] / runs["Keyless"]["p50_ns"]), times(run["p99_ns"] / runs["Keyless"]["p99_ns"])]
                  for size, runs in in_process.items() for name, run in runs.items()])
    result.table([f"over HTTP, c={CONNECTIONS}", "assignments", "per second", "per server-CPU-second", "p50", "p99", "RSS", "CPU per answer, of ours"],
                 [[name, f"{size:,}", f"{run['per_second']:,.0f}", f"{run['per_cpu_second']:,.0f}", time(run["p50_us"] * 1000),
                   time(run["p99_us"] * 1000), f"{run['rss_kib'] / 1024:.0f} MiB", times(runs["Keyless"]["per_cpu_second"] / run["per_cpu_second"])]
                  for size, runs in over_http.items() for name, run in runs.items()])
    result.note(f"First table: {alone[0]['decisions']:,} decisions over {alone[0]['holders']:,} identities and groups, {allowed:.0%} of them "
                f"allowed; reading the clock costs {middle('clock_ns')} ns of each figure. Memory is the growth of resident memory, cached "
                "scopes included.")
    result.note("Everywhere the same drawn directory and the same questions; every answer that a peer gave was compared with ours, and none differed.")
    result.note("Cedar in the two ways its users write roles: as relations between entities with one policy per role, and as one policy "
                "per assignment, linked to the role's template. Requests are made beforehand on all sides.")
    result.note(f"Cerbos answers over the network, so ours stands behind the same HTTP request here: a bare handler around the decision, "
                f"made for this comparison, no endpoint of the product. {REQUESTS:,} requests in turn. Cerbos knows neither groups nor a "
                "hierarchy of places: each identity's policy holds its groups' assignments, and each request names the places above the resource.")
    result.raw = {"decide": alone, "in_process": in_process, "over_http": over_http}
    return result


def program(*arguments):
    """What one of our programs printed."""
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout) if done.stdout else None


def compare(bench, size, seconds):
    """Name to times, of those that answer in process."""
    runs = [program(bench.decisions, "compare", size, seconds) for _ in range(1 if bench.quick else 3)]
    engines = {}
    for number, engine in enumerate(runs[0]["engines"]):
        of_each = [run["engines"][number] for run in runs]
        engines[engine["name"]] = {key: statistics.median(one[key] for one in of_each) for key in ("asked", "p50_ns", "p99_ns")}
        bench.log(f"  {size:>7,} assignments  {engine['name']:<32} p50 {time(engines[engine['name']]['p50_ns'])}")
    return engines


def http(bench, size):
    """Name to the load tool's figures, of ours and Cerbos."""
    folder = bench.folder / str(size)
    folder.mkdir()
    program(bench.decisions, "cerbos", size, folder, REQUESTS)
    with contextlib.ExitStack() as stack:
        cerbos = stack.enter_context(node.Cerbos(bench.out, folder, "Cerbos"))
        port = free_port()
        ours = stack.enter_context(Server("Keyless", Child([bench.decisions, "serve", size, port], folder / "ours.log"), port))
        ready(ours, 60)
        sides = []
        for server in (ours, cerbos):
            url = f"http://127.0.0.1:{server.port}/api/check/resources"
            agree(server.name, url, folder)
            sides.append(Contender(server.name, url, server, headers={"Content-Type": "application/json"}, bodies=folder / "requests"))
        return play(sides, CONNECTIONS, bench.seconds, 1 if bench.quick else 3, log=bench.log)


def agree(name, url, folder):
    """Every request gets the answer that our decision gave in process."""
    client = Client()
    with open(folder / "requests", encoding="utf-8") as requests, open(folder / "answers", encoding="utf-8") as answers:
        for request, answer in zip(requests, answers, strict=True):
            (checked,) = client.json("POST", url, body=request.encode())["results"]
            (effect,) = checked["actions"].values()
            if effect != ("EFFECT_ALLOW" if answer.strip() == "true" else "EFFECT_DENY"):
                raise RuntimeError(f"{name} answers {effect}, ours {answer.strip()}: {request}")


def time(nanos):
    """With a unit that suits."""
    for unit, size in (("ns", 1), ("us", 1_000), ("ms", 1_000_000)):
        if nanos < 1_000 * size or unit == "ms":
            return f"{report.number(nanos / size)} {unit}"
    raise AssertionError("milliseconds are the last unit")


def times(ratio):
    return f"{report.number(ratio)} x"
