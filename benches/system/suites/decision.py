"""One access decision over 100,000 role assignments: time and memory, in process."""

import json
import subprocess

from rig import report

ASSIGNMENTS = 100_000


def run(bench):
    result = report.Result("decision", "Access decision")
    runs = []
    for _ in range(1 if bench.quick else 5):
        done = subprocess.run([bench.examples / "decide", str(ASSIGNMENTS)], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
        bench.log(f"  p50 {runs[-1]['p50_ns']} ns, p99 {runs[-1]['p99_ns']} ns, {runs[-1]['bytes_per_assignment']:.0f} bytes each")
    allowed = runs[0]["allowed"] / runs[0]["decisions"]
    if not 0.05 < allowed < 0.95:
        raise RuntimeError(f"{allowed:.0%} of the decisions allow: the mix measures one answer only")

    def middle(key):
        return sorted(run[key] for run in runs)[len(runs) // 2]

    result.hold(f"decision with {ASSIGNMENTS:,} assignments, p50", middle("p50_ns") / 1000, "us", "<=", 1)
    result.hold("memory per assignment", middle("bytes_per_assignment"), "bytes", "<=", 300)
    result.table(["", "p50", "p90", "p99", "p99.9"],
                 [["decide", *(f"{middle(key):,} ns" for key in ("p50_ns", "p90_ns", "p99_ns", "p999_ns"))]])
    result.note(f"{runs[0]['decisions']:,} decisions over {runs[0]['holders']:,} identities and groups, {allowed:.0%} of them allowed; reading "
                f"the clock costs {middle('clock_ns')} ns of each figure. Memory is the growth of resident memory, cached scopes included.")
    result.raw = {"runs": runs}
    return result
