"""How long a removed role assignment still opens the gateway, on one node."""

import contextlib
import http.client
import statistics
import time

from rig import peers, report
from rig.keyless import ARM_SCOPE, Application, Keyless

PATIENCE = 10


def run(bench):
    result = report.Result("revocation", "Revocation")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1"))
        application = Application(system)
        arm, token = system.operator_token(ARM_SCOPE), application.token()
        path = system.chat_url().partition(str(system.gateway_port))[2]

        def status():
            # A connection of its own: a call that is refused before its body was read ends its connection.
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", system.gateway_port, timeout=30)) as connection:
                connection.request("POST", path, body=peers.QUESTION,
                                   headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                return answer.status

        revoked, granted = [], []
        for number in range(10 if bench.quick else 100):
            if number:
                application.grant(arm)
                granted.append(until(status, lambda code: code == 200))
            if status() != 200:
                raise RuntimeError("the call has to be allowed before the role is removed")
            application.revoke(arm)
            revoked.append(until(status, lambda code: code in (401, 403)))

    p99 = statistics.quantiles(revoked, n=100, method="inclusive")[98] * 1000
    result.hold("from the control plane's answer to the first refusal, p99", p99, "ms", "<=", 50)
    result.table(["", "p50", "p99", "slowest"], [
        [name, *(f"{value * 1000:.2f} ms" for value in (statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[98], max(times)))]
        for name, times in (("role removed, until refused", revoked), ("role assigned, until allowed", granted))])
    result.note(f"{len(revoked)} times, the same token throughout: it is valid all the time, the role is what changes. "
                "The figure includes the refused call itself.")
    result.raw = {"revoked_seconds": revoked, "granted_seconds": granted}
    return result


def until(status, wanted):
    """Seconds until a call ends as `wanted`."""
    began = time.perf_counter()
    while not wanted(status()):
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"nothing changed within {PATIENCE} s")
    return time.perf_counter() - began
