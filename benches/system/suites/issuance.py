"""Issuing tokens for a client secret, against the rate at which this machine can sign at all."""

import contextlib
import subprocess
import urllib.parse

from rig import jose, peers, report
from rig.keyless import Application, Keyless
from rig.rounds import Contender, play

LIVE = 10_000


def run(bench):
    result = report.Result("issuance", "Token issuance")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1"))
        application = Application(system)
        first, second = application.token(), application.token()
        if first == second or jose.header(first)["alg"] != "RS256":
            raise RuntimeError("two requests have to give two RS256 tokens")
        side = Contender("Keyless", application.token_url(), system, method="POST", body=urllib.parse.urlencode(application.form()),
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
        signer = [signs_per_second(bench.quick)]
        rounds = play([side], 8, bench.seconds, 3 if bench.quick else 2 * bench.rounds, log=bench.log)["Keyless"]
        signer.append(signs_per_second(bench.quick))

    issued, later = 0, []
    for one in rounds["rounds"]:
        if issued >= LIVE:
            later.append(one["per_cpu_second"])
        issued += one["requests"]
    rate = sum(signer) / len(signer)
    result.hold("tokens per server-CPU-second", rounds["per_cpu_second"] / rate, "x", ">=", 0.85, "openssl speed rsa2048, signatures per second and core")
    if later:
        grown = sorted(later)[len(later) // 2] / rounds["rounds"][0]["per_cpu_second"]
        result.hold(f"rate with {LIVE:,} live tokens and more, against the first round", grown, "x", ">=", 0.95)
    else:
        result.note(f"too short a run to issue {LIVE:,} tokens")
    result.table(["", "per second", "per CPU-second", "p50", "p99"],
                 [["Keyless, client_credentials over TLS, c=8", f"{rounds['per_second']:,.0f}", f"{rounds['per_cpu_second']:,.0f}",
                   f"{rounds['p50_us'] / 1000:.2f} ms", f"{rounds['p99_us'] / 1000:.2f} ms"],
                  ["openssl speed rsa2048, one core", f"{rate:,.0f}", f"{rate:,.0f}", "-", "-"]])
    result.note(f"{issued:,} tokens issued. The server's CPU time includes TLS, checking the secret, and the audit record.")
    result.raw = {"keyless": rounds, "openssl_signs_per_second": signer}
    return result


def signs_per_second(quick):
    """What openssl says about one core."""
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1" if quick else "3", "rsa2048"],
                          capture_output=True, text=True, check=True)
    # +F2:index:bits:signatures:verifications. OpenSSL 1.1 gives seconds for each, OpenSSL 3 how many per second.
    line = next(line for line in done.stdout.splitlines() if line.startswith("+F2:"))
    figure = float(line.split(":")[3])
    return figure if figure > 1 else 1 / figure
