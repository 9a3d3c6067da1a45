"""The metadata endpoint with a cached token, against a bare axum handler that returns the same bytes."""

import contextlib
import json
import urllib.parse

from rig import peers, report
from rig.keyless import Keyless
from rig.peers import Server
from rig.processes import Child, free_port, wait_for_port
from rig.rounds import Contender, play
from rig.wire import Client

RESOURCE = "https://cognitiveservices.azure.com/"


def run(bench):
    result = report.Result("metadata", "Metadata endpoint")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1"))
        variables = json.loads(system.command("env", "--as", "demo-app", "--shell", "json"))
        query = urllib.parse.urlencode({"api-version": "2019-08-01", "resource": RESOURCE, "client_id": variables["AZURE_CLIENT_ID"]})
        url = f"{variables['IDENTITY_ENDPOINT']}?{query}"
        headers = {"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]}
        client = Client()
        status, answer = client.call("GET", url, headers=headers)
        if status != 200 or "access_token" not in json.loads(answer):
            raise RuntimeError(f"{url} answered {status} {answer[:300]!r}")
        refused, _ = client.call("GET", url, headers={"X-IDENTITY-HEADER": "wrong"})
        if refused == 200:
            raise RuntimeError("a wrong X-IDENTITY-HEADER was accepted")

        same = bench.folder / "answer.json"
        same.write_bytes(answer)
        port = free_port()
        floor = stack.enter_context(Server("bare axum", Child([bench.examples / "bare_axum", port, same], bench.folder / "floor.log"), port))
        wait_for_port(port)
        sides = [
            Contender("bare axum", f"http://127.0.0.1:{port}/?{query}", floor, headers=headers, method="GET"),
            Contender("Keyless", url, system, headers=headers, method="GET"),
        ]
        many = play(sides, 32, bench.seconds, bench.rounds, log=bench.log)

    ours, bare = many["Keyless"], many["bare axum"]
    result.hold("throughput, 32 connections", ours["per_second"] / bare["per_second"], "x", ">=", 0.8, "bare axum handler, same bytes")
    result.hold("p99.9, 32 connections", ours["p999_us"] / 1000, "ms", "<=", 5)
    result.table(["c=32", "requests/s", "p50", "p99", "p99.9", "requests per server-CPU-second"],
                 [[name, f"{run['per_second']:,.0f}", *(f"{run[key]:.0f} us" for key in ("p50_us", "p99_us", "p999_us")),
                   f"{run['per_cpu_second']:,.0f}"] for name, run in many.items()])
    result.note("App Service form: `X-IDENTITY-HEADER` is checked on every request; the token comes from the cache.")
    result.raw = many
    return result
