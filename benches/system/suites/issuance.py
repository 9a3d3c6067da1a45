"""Issuing tokens for a client secret, against the rate at which this machine can sign at all, and against npm `oidc-provider`."""

import contextlib
import subprocess
import urllib.parse

from rig import jose, node, peers, report
from rig.keyless import AI_SCOPE, Application, Keyless
from rig.rounds import Contender, play

LIVE = 10_000
CONNECTIONS = 8
# A resource whose clients may verify ES256; the others stay with what everybody verifies.
ES256_AUDIENCE = "https://ai.azure.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def run(bench):
    result = report.Result("issuance", "Token issuance")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        peer = stack.enter_context(node.OidcProvider(bench.out, bench.folder))
        system = stack.enter_context(
            Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1", ("--es256", ES256_AUDIENCE)))
        application = Application(system)

        def sides(algorithm, scope):
            honest(algorithm, lambda: application.token(scope))
            honest(algorithm, lambda: peer.token(algorithm))
            return [
                Contender(f"Keyless, {algorithm}", application.token_url(), system, headers=FORM,
                          body=urllib.parse.urlencode(application.form(scope))),
                Contender(f"oidc-provider, {algorithm}", peer.token_url(), peer, headers=FORM,
                          body=urllib.parse.urlencode(peer.form(algorithm))),
            ]

        signer = [signs_per_second(bench.quick)]
        runs = play(sides("RS256", AI_SCOPE), CONNECTIONS, bench.seconds, 3 if bench.quick else 2 * bench.rounds, log=bench.log)
        signer.append(signs_per_second(bench.quick))
        runs |= play(sides("ES256", f"{ES256_AUDIENCE}/.default"), CONNECTIONS, bench.seconds, bench.rounds, log=bench.log)

    ours, theirs = runs["Keyless, RS256"], runs["oidc-provider, RS256"]
    issued, later = 0, []
    for one in ours["rounds"]:
        if issued >= LIVE:
            later.append(one["per_cpu_second"])
        issued += one["requests"]
    rate = sum(signer) / len(signer)
    result.hold("RS256 tokens per server-CPU-second", ours["per_cpu_second"] / rate, "x", ">=", 0.85,
                "openssl speed rsa2048, signatures per second and core")
    result.hold("RS256 tokens per server-CPU-second", ours["per_cpu_second"] / theirs["per_cpu_second"], "x", ">=", 1.6, "npm oidc-provider")
    if later:
        grown = sorted(later)[len(later) // 2] / ours["rounds"][0]["per_cpu_second"]
        result.hold(f"rate with {LIVE:,} live tokens and more, against the first round", grown, "x", ">=", 0.95)
    else:
        result.note(f"too short a run to issue {LIVE:,} tokens")
    result.table([f"client_credentials with a secret, TLS, c={CONNECTIONS}", "per second", "per server-CPU-second", "p50", "p99"],
                 [[name, f"{run['per_second']:,.0f}", f"{run['per_cpu_second']:,.0f}", f"{run['p50_us'] / 1000:.2f} ms",
                   f"{run['p99_us'] / 1000:.2f} ms"] for name, run in runs.items()]
                 + [["openssl speed rsa2048, one core", f"{rate:,.0f}", f"{rate:,.0f}", "-", "-"]])
    result.note(f"{issued:,} RS256 tokens issued. A server's CPU time includes TLS and checking the secret; ours also the record in the audit log.")
    result.note("oidc-provider: one process of Node, which signs on as many threads as there are cores; JWT access tokens by resource "
                "indicator, state in memory, no audit log.")
    result.raw = {**runs, "openssl_signs_per_second": signer}
    return result


def honest(algorithm, token):
    """Two requests give two tokens, signed as the comparison says."""
    first, second = token(), token()
    if first == second or jose.header(first)["alg"] != algorithm:
        raise RuntimeError(f"two requests have to give two {algorithm} tokens")


def signs_per_second(quick):
    """What openssl says about one core."""
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1" if quick else "3", "rsa2048"],
                          capture_output=True, text=True, check=True)
    # +F2:index:bits:signatures:verifications. OpenSSL 1.1 gives seconds for each, OpenSSL 3 how many per second.
    line = next(line for line in done.stdout.splitlines() if line.startswith("+F2:"))
    figure = float(line.split(":")[3])
    return figure if figure > 1 else 1 / figure
