"""How long a removed role assignment still opens the gateway, on one node, while others use it."""

import contextlib
import http.client
import statistics
import time

from rig import peers, report, wrk
from rig.keyless import ARM_SCOPE, Application, Keyless

CHANGES = 1_000
CONNECTIONS = 8
PATIENCE = 10


def run(bench):
    result = report.Result("revocation", "Revocation")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1"))
        application, neighbour = Application(system), Application(system)
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

        times = {"role removed, until refused": [], "role assigned, until allowed": []}
        calls = {name: 0 for name in times}

        def measured(name, change, wanted):
            change()
            seconds, asked = until(status, wanted)
            times[name].append(seconds)
            calls[name] += asked - 1

        load = wrk.Background(
            system.chat_url(), CONNECTIONS, method="POST", body=peers.QUESTION,
            headers={"Authorization": f"Bearer {neighbour.token()}", "Content-Type": "application/json"})
        removed, assigned = times
        with load:
            for number in range(20 if bench.quick else CHANGES):
                if number:
                    measured(assigned, lambda: application.grant(arm), lambda code: code == 200)
                if status() != 200:
                    raise RuntimeError("the call has to be allowed before the role is removed")
                measured(removed, lambda: application.revoke(arm), lambda code: code in (401, 403))
                if number % 100 == 99:
                    bench.log(f"  {number + 1} changes, slowest {max(times[removed]) * 1000:.1f} ms")
    if load.result["refused"] or load.result["broken"]:
        raise RuntimeError(f"the load itself was refused {load.result['refused']} times, its role was never touched")

    result.hold(f"from the control plane's answer to the first refusal, {len(times[removed]):,} changes under load, p99",
                quantile(times[removed], 99) * 1000, "ms", "<=", 50)
    result.hold("calls still allowed after the control plane had answered", calls[removed], "calls", "<=", 0)
    result.table(["", "p50", "p99", "slowest"], [
        [name, *(f"{value * 1000:.2f} ms" for value in (statistics.median(list_of), quantile(list_of, 99), max(list_of)))]
        for name, list_of in times.items()])
    result.note("The same token throughout: it is valid all the time, the role is what changes. The figure includes the refused call itself, "
                "on a connection of its own.")
    result.note(f"Meanwhile another application calls the model over {CONNECTIONS} connections as fast as it is answered: "
                f"{load.result['per_second']:,.0f} requests/s, p99 {load.result['p99_us'] / 1000:.2f} ms, none refused.")
    result.raw = {"seconds": times, "calls_with_the_old_answer": calls, "load": load.result}
    return result


def quantile(values, percent):
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def until(status, wanted):
    """(seconds until a call ends as `wanted`, calls made)."""
    began, calls = time.perf_counter(), 0
    while True:
        calls += 1
        if wanted(status()):
            return time.perf_counter() - began, calls
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"nothing changed within {PATIENCE} s")
