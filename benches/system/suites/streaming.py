"""Streamed answers: what the gateway adds to the first byte and to each frame, and what a thousand open streams cost."""

import contextlib
import resource
import statistics
import sys

from rig import report
from rig.keyless import Application, Keyless
from rig.processes import Child, Noise, free_port, wait_for_port
from rig.reader import Reader

STREAMS = 1000


def run(bench):
    result = report.Result("streaming", "Gateway, streaming")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    samples, paced, streams = (100, 3, 100) if bench.quick else (2000, 50, STREAMS)
    with contextlib.ExitStack() as stack:
        port = free_port()
        upstream = stack.enter_context(Child([sys.executable, bench.root / "benches/system/rig/sse.py", port], bench.folder / "sse.log"))
        wait_for_port(port)
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{port}/v1"))
        token = Application(system).token()
        path = system.chat_url().partition(str(system.gateway_port))[2]

        def reader(to):
            opened = Reader(to, path, {"Authorization": f"Bearer {token}"})
            stack.callback(opened.close)
            return opened

        direct, ours = reader(port), reader(system.gateway_port)
        noise = Noise([upstream, system])
        alone = first_bytes(direct, ours, samples)
        frames = {"direct": [], "Keyless": []}
        for _ in range(paced):
            frames["direct"] += direct.frame_delays()
            frames["Keyless"] += ours.frame_delays()

        before = system.rss_kib()
        open_streams = [reader(system.gateway_port) for _ in range(streams)]
        for stream in open_streams:
            stream.ask("idle")
        after = system.rss_kib()
        crowded = first_bytes(direct, ours, samples // 2)
        foreign = noise.share()

    added = {p: cut(alone["Keyless"], p) - cut(alone["direct"], p) for p in (50, 99)}
    crowded_added = cut(crowded["Keyless"], 50) - cut(crowded["direct"], 50)
    result.hold("first byte added, p50", added[50], "us", "<=", 250, "direct to upstream")
    result.hold("first byte added, p99", added[99], "us", "<=", 1000, "direct to upstream")
    result.hold(f"first byte added with {streams:,} open streams, against none", crowded_added / max(added[50], 1), "x", "<=", 1.25)
    result.hold("resident memory per idle stream", (after - before) / streams, "KiB", "<=", 64, f"{streams:,} streams")
    lines = [[name, *(f"{cut(times, p):.0f} us" for times, p in ((alone[name], 50), (alone[name], 99), (crowded[name], 50),
                                                                (frames[name], 50), (frames[name], 99)))] for name in frames]
    result.table(["", "first byte p50", "p99", f"p50 with {streams:,} streams open", "frame under way, p50", "p99"], lines)
    result.note(f"{samples:,} requests each side, alternating, one connection each; frames 2 ms apart carry the time they left the upstream. "
                f"Others used {foreign:.0%} of the machine meanwhile.")
    result.raw = {"alone": quantiles(alone), "crowded": quantiles(crowded), "frames": quantiles(frames),
                  "rss_kib": {"before": before, "after": after, "streams": streams}}
    return result


def first_bytes(direct, ours, samples):
    """Seconds to the first frame, alternating so that both see the same machine."""
    times = {"direct": [], "Keyless": []}
    for number in range(samples + 50):
        for name, reader in (("direct", direct), ("Keyless", ours)):
            took = reader.first_byte()
            if number >= 50:
                times[name].append(took)
    return times


def cut(times, percentile):
    """A percentile in microseconds."""
    return statistics.quantiles(times, n=100, method="inclusive")[percentile - 1] * 1e6


def quantiles(groups):
    return {name: {f"p{p}_us": cut(times, p) for p in (1, 25, 50, 75, 90, 99)} for name, times in groups.items()}
