#!/usr/bin/env python3
"""System benchmarks: `run.py SUITE --keyless BIN --examples DIR --out DIR [--quick]`, or `run.py check`."""

import argparse
import importlib
import pathlib
import sys
import tempfile
import time
import traceback

from rig import report
from rig.processes import Missing, need

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITES = ("gateway", "streaming", "metadata", "issuance", "decision", "coldstart", "memory", "revocation", "scale")


class Bench:
    """What every suite gets: programs, a throw-away folder, and how long to measure."""

    def __init__(self, arguments, folder):
        self.keyless, self.examples, self.decisions = arguments.keyless, arguments.examples, arguments.decisions
        self.out = arguments.out.resolve()
        self.root, self.folder = ROOT, folder
        self.quick = arguments.quick
        self.seconds, self.rounds = (1, 1) if arguments.quick else (4, 5)

    def log(self, text):
        print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="+", choices=(*SUITES, "all", "check"), metavar="SUITE")
    parser.add_argument("--keyless", type=pathlib.Path, help="the keyless program, release build")
    parser.add_argument("--examples", type=pathlib.Path, help="folder of keyless-testkit's examples, release build")
    parser.add_argument("--decisions", type=pathlib.Path, help="the program of benches/peers, release build; the suite decision needs it")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target" / "bench", help="folder for the JSON results")
    parser.add_argument("--quick", action="store_true", help="one short round each, and docs/benchmarks.md stays as it is")
    arguments = parser.parse_args()
    try:
        for program, package in (("wrk", None), ("nginx", None), ("haproxy", None), ("openssl", None)):
            need(program, package)
    except Missing as missing:
        sys.exit(str(missing))
    if arguments.suites == ["check"]:
        from suites import check
        with tempfile.TemporaryDirectory(prefix="keyless-bench-") as folder:
            sys.exit(check.run(pathlib.Path(folder)))
    if not arguments.keyless or not arguments.examples:
        parser.error("--keyless and --examples are needed; `cargo xtask bench` passes them")

    machine = report.machine(ROOT)
    failed = []
    for name in SUITES if "all" in arguments.suites else arguments.suites:
        print(f"\n==> {name}", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"keyless-bench-{name}-") as folder:
            try:
                result = importlib.import_module(f"suites.{name}").run(Bench(arguments, pathlib.Path(folder)))
            except Exception:  # noqa: BLE001 - one suite that cannot be measured must not hide the others
                traceback.print_exc()
                failed.append(name)
                continue
        docs = None if arguments.quick else ROOT / "docs" / "benchmarks.md"
        result.save(arguments.out, docs, machine)
        result.show()
        print(f"    {name}: {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
