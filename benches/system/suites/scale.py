"""An organisation of 100,000 role assignments and 10,000 identities: starting, memory, lists, and one more assignment."""

import http.client
import json
import ssl
import statistics
import subprocess
import time
import urllib.parse
import uuid

from rig import peers, report
from rig.keyless import ARM_SCOPE, GRAPH_SCOPE, OPENAI_USER, Keyless

ASSIGNMENTS, IDENTITIES = 100_000, 10_000
VERSION = "api-version=2022-04-01"
ALL = f"/providers/Microsoft.Authorization/roleAssignments?{VERSION}"


class Reader:
    """One connection to the control plane; measures every request on it."""

    def __init__(self, system, scope):
        base = urllib.parse.urlsplit(system.status["control"])
        context = ssl.create_default_context(cafile=system.status["ca_file"])
        self.connection = http.client.HTTPSConnection(base.hostname, base.port, context=context, timeout=60)
        self.headers = {"Authorization": f"Bearer {system.operator_token(scope)}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        """The answer, and the seconds until its last byte. Reading the JSON is not in them."""
        began = time.perf_counter()
        self.connection.request(method, path, body=json.dumps(body) if body else None, headers=self.headers)
        answer = self.connection.getresponse()
        raw = answer.read()
        took = time.perf_counter() - began
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path} answered {answer.status}: {raw[:500]}")
        return json.loads(raw), took

    def pages(self, path):
        """Every row of a list, and the seconds of each page."""
        rows, times = [], []
        while path:
            body, took = self.call("GET", path)
            rows += body["value"]
            times.append(took)
            link = body.get("nextLink") or body.get("@odata.nextLink")
            path = link and link[link.index("/", len("https://")):]
        return rows, times


def more(system, count):
    """Seconds of assigning one more role, and of taking it away."""
    def named(kind, name):
        return next(one for one in system.status[kind] if one["name"] == name)

    reader, account = Reader(system, ARM_SCOPE), named("accounts", "demo-ai")["id"]
    principal = named("identities", "demo-app")["principal_id"]
    role = f"/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}"
    given, taken = [], []
    for _ in range(count):
        path = f"{account}/deployments/chat/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?{VERSION}"
        given.append(reader.call("PUT", path, {"properties": {"roleDefinitionId": role, "principalId": principal}})[1])
        taken.append(reader.call("DELETE", path)[1])
    return given, taken


def resting_kib(system):
    """Resident memory once the start has settled."""
    time.sleep(2)
    return system.rss_kib()


def run(bench):
    result = report.Result("scale", "Scale")
    assignments, identities = (4_000, 400) if bench.quick else (ASSIGNMENTS, IDENTITIES)
    count = 20 if bench.quick else 300
    with peers.upstream(bench.folder) as upstream:
        system = Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1")
        try:
            system.start()
            system.stop()
            small = {"start": system.start(), "kib": resting_kib(system), "more": more(system, count)}
            system.stop()
            bench.log(subprocess.run([bench.examples / "populate", system.data / "state.db", str(assignments), str(identities)],
                                     capture_output=True, text=True, check=True).stdout.strip())
            starts = []
            for _ in range(2 if bench.quick else 5):
                starts.append(system.start())
                system.stop()
            system.start()
            kib = resting_kib(system)
            arm = Reader(system, ARM_SCOPE)
            rows, pages = arm.pages(ALL)
            if len({row["name"] for row in rows}) != len(rows) or len(rows) < assignments:
                raise RuntimeError(f"{len(rows)} rows, {len({row['name'] for row in rows})} of them different: not the list that was asked for")
            top, top_pages = arm.pages(f"{ALL}&$top=100") if bench.quick else arm.pages(f"{ALL}&$top=500")
            people, people_pages = Reader(system, GRAPH_SCOPE).pages("/v1.0/servicePrincipals")
            subscriptions = [row["subscriptionId"] for row in arm.call("GET", f"/subscriptions?{VERSION}")[0]["value"]]
            owned, owned_pages = [], []
            for subscription in subscriptions:
                found, took = arm.pages(f"/subscriptions/{subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities?{VERSION}")
                owned += found
                owned_pages += took
            if len(top) != len(rows) or len(people) < identities or len(owned) < identities:
                raise RuntimeError(f"lists are not whole: {len(top)} assignments, {len(people)} principals, {len(owned)} identities")
            given, taken = more(system, count)
            listed_kib = system.rss_kib()
        finally:
            system.stop()

    def p(times, percent):
        if len(times) == 1:
            return times[0] * 1000
        return statistics.quantiles(times, n=100, method="inclusive")[percent - 1] * 1000

    grown = (kib - small["kib"]) * 1024
    result.hold("`keyless up` until ready, median", statistics.median(starts) * 1000, "ms", "<=", 2000)
    result.hold("one page of 1,000 assignments, p99", p(pages, 99), "ms", "<=", 50)
    result.hold("last page against the first tenth's median", statistics.median(pages[-len(pages) // 10:]) / statistics.median(pages[: max(1, len(pages) // 10)]),
                "x", "<=", 1.5)
    result.hold("one more assignment, p50, against a new system's", p(given, 50) / p(small["more"][0], 50), "x", "<=", 1.5)
    lists = [(f"role assignments ({len(rows):,}), 1,000 a page", pages), (f"role assignments, {100 if bench.quick else 500} a page", top_pages),
             (f"service principals ({len(people):,}), Graph", people_pages), (f"identities ({len(owned):,}), {len(subscriptions)} subscriptions", owned_pages)]
    result.table(["list", "pages", "page p50", "page p99", "whole list"],
                 [[name, len(times), f"{p(times, 50):.2f} ms", f"{p(times, 99):.2f} ms", f"{sum(times):.2f} s"] for name, times in lists])
    changes = [("assign", given, small["more"][0]), ("take away", taken, small["more"][1])]
    result.table(["one more assignment", "p50", "p99", "new system p50", "p99"],
                 [[name, *(f"{p(times, percent):.2f} ms" for times in (now, before) for percent in (50, 99))] for name, now, before in changes])
    result.table(["", "new system", f"{assignments:,} assignments"], [
        ["until ready", f"{small['start'] * 1000:.0f} ms", f"{statistics.median(starts) * 1000:.0f} ms"],
        ["resident memory", f"{small['kib'] / 1024:.1f} MiB", f"{kib / 1024:.1f} MiB"],
        ["after every list was read", "-", f"{listed_kib / 1024:.1f} MiB"],
    ])
    result.note(f"{assignments:,} assignments and {identities:,} identities in {assignments // 4000} subscriptions, on {assignments // 20:,} deployments: "
                f"{grown / assignments:.0f} bytes of resident memory for each assignment, everything else that is loaded included.")
    result.note("Times are the client's, on one TLS connection, until the last byte. The list is of the root scope: all that there is.")
    result.raw = {"starts": starts, "pages": pages, "given": given, "taken": taken, "small": small, "kib": kib, "listed_kib": listed_kib}
    return result
