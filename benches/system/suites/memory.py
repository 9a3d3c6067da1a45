"""Resident memory of `keyless up` with nothing to do."""

import time

from rig import peers, report
from rig.keyless import Keyless


def run(bench):
    result = report.Result("memory", "Memory")
    with peers.upstream(bench.folder) as upstream:
        with Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1") as system:
            system.stop()
            system.start()
            samples = []
            for _ in range(3 if bench.quick else 10):
                time.sleep(1)
                samples.append(system.rss_kib() / 1024)
            peak = system.peak_rss_kib() / 1024
    result.hold("resident memory, idle, all planes", max(samples), "MiB", "<=", 40, "highest of ten seconds")
    result.note(f"Highest since the process began: {peak:.1f} MiB. Under load: see the gateway.")
    result.raw = {"mib": samples, "peak_mib": peak}
    return result
