"""From starting the program to every listener answering, on data that exists."""

import statistics

from rig import peers, report
from rig.keyless import Keyless


def run(bench):
    result = report.Result("coldstart", "Cold start")
    with peers.upstream(bench.folder) as upstream:
        system = Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1")
        try:
            fresh = system.start()
            system.stop()
            times = []
            for number in range(3 if bench.quick else 20):
                times.append(system.start())
                bench.log(f"  start {number + 1}: {times[-1] * 1000:.0f} ms")
                system.stop()
        finally:
            system.stop()
    result.hold("`keyless up` until ready, existing data, median", statistics.median(times) * 1000, "ms", "<=", 300)
    result.note(f"{len(times)} starts, slowest {max(times) * 1000:.0f} ms; the first start, which makes keys and a CA, took {fresh * 1000:.0f} ms.")
    result.raw = {"seconds": times, "fresh_seconds": fresh}
    return result
