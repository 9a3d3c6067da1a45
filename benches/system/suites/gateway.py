"""The gateway, everything on, against HAProxy verifying the same token and nginx verifying nothing; same upstream, same run."""

import contextlib

from rig import jose, peers, report
from rig.keyless import Application, Keyless
from rig.rounds import Contender, play
from rig.wire import Client

FRESH_SECONDS = 2


def run(bench):
    result = report.Result("gateway", "Gateway")
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(bench.folder))
        system = stack.enter_context(Keyless(bench.keyless, bench.folder, f"http://127.0.0.1:{upstream.port}/v1"))
        application = Application(system)
        token = application.token()
        claims = jose.claims(token)
        haproxy = stack.enter_context(peers.haproxy(
            bench.folder, upstream.port, jose.pem(jose.key_for(system.jwks(), token)), claims["iss"], claims["oid"]))
        nginx = stack.enter_context(peers.nginx_proxy(bench.folder, upstream.port))

        path = system.chat_url().partition(str(system.gateway_port))[2]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

        def contender(name, server, port, **more):
            return Contender(name, f"http://127.0.0.1:{port}{path}", server, headers=headers, body=peers.QUESTION, **more)

        direct = contender("upstream, direct", upstream, upstream.port)
        plain = contender("nginx, no authentication", nginx, nginx.port)
        verified = contender("HAProxy, jwt_verify", haproxy, haproxy.port)
        ours = contender("Keyless", system, system.gateway_port)
        for side in (verified, ours):
            honest(side.url, token)

        many = play([direct, plain, verified, ours], 32, bench.seconds, bench.rounds, log=bench.log)
        one = play([direct, plain, verified, ours], 1, bench.seconds, bench.rounds, log=bench.log)
        peak = system.peak_rss_kib()
        fresh = new_tokens(bench, application, verified, ours, upstream)

    k, h, n = many["Keyless"], many["HAProxy, jwt_verify"], many["nginx, no authentication"]
    result.hold("throughput, 32 connections, tokens seen before", k["per_second"] / h["per_second"], "x", ">=", 1.5, "HAProxy jwt_verify")
    result.hold("p99, 32 connections, tokens seen before", k["p99_us"] / h["p99_us"], "x", "<=", 1.0, "HAProxy jwt_verify")
    result.hold("throughput, 32 connections, tokens seen before", k["per_second"] / n["per_second"], "x", ">=", 0.8, "nginx, plain proxy")
    result.hold("throughput, 32 connections, a new token per request",
                fresh["Keyless"]["per_second"] / fresh["HAProxy, jwt_verify"]["per_second"], "x", ">=", 1.05, "HAProxy jwt_verify")
    result.hold("added p50, one connection", one["Keyless"]["p50_us"] - one["upstream, direct"]["p50_us"], "us", "<=", 45, "direct to upstream")
    result.hold("resident memory under load, peak", peak / 1024, "MiB", "<=", 25)

    heads = ["target", "requests/s, c=32", "p50", "p99", "requests per server-CPU-second", "p50, c=1", "RSS"]
    result.table(heads, [line(name, many[name], one[name]) for name in many])
    result.table(["a new token per request, c=32", "requests/s", "p50", "p99", "per server-CPU-second", "tokens", "used twice"],
                 [[name, f"{run['per_second']:,.0f}", us(run["p50_us"]), us(run["p99_us"]), f"{run['per_cpu_second']:,.0f}",
                   f"{fresh['tokens']:,}", "yes" if run["wraps"] else "no"] for name, run in fresh.items() if name != "tokens"])
    result.note("Keyless verifies, decides, meters and audits each request; HAProxy compares algorithm, issuer, expiry and object id and "
                "verifies the signature; nginx does nothing. All three in plain HTTP, two threads or workers each.")
    result.note("\"Tokens seen before\": one token, repeated. \"A new token per request\": Keyless restarts before each round, so its cache is empty.")
    result.note("Upstream, proxy and load tool share the machine's cores: read ratios, not absolute figures.")
    noisy = sum(run["noisy"] for group in (many, one) for run in group.values())
    if noisy:
        result.note(f"{noisy} rounds ran while others used more than 5 % of the machine.")
    result.raw = {"c32": many, "c1": one, "new_tokens": fresh}
    return result


def honest(url, token):
    """Both sides give the upstream's answer for a good token and refuse a tampered one and none."""
    client = Client()
    question = peers.QUESTION.encode()
    status, answer = client.call("POST", url, token=token, body=question)
    if status != 200 or answer != peers.ANSWER.encode():
        raise RuntimeError(f"{url} answered {status} {answer[:300]!r} to a good token")
    for name, bad in (("a tampered token", jose.tampered(token)), ("no token", None)):
        status, _ = client.call("POST", url, token=bad, body=question)
        if status != 401:
            raise RuntimeError(f"{url} answered {status} to {name}")


def new_tokens(bench, application, verified, ours, upstream):
    """The same comparison when no token comes twice."""
    seconds, rounds = (1, 1) if bench.quick else (FRESH_SECONDS, 3)
    file = bench.folder / "tokens"
    wanted = 20_000 if bench.quick else 100_000
    bench.log(f"  minting {wanted:,} tokens")
    count = application.mint(file, wanted)
    ours.before = application.system.restart
    for side in (verified, ours):
        side.tokens = file
        side.headers = {"Content-Type": "application/json"}
    runs = play([verified, ours], 32, seconds, rounds, others=[upstream], log=bench.log)
    return {**runs, "tokens": count}


def us(value):
    return f"{value / 1000:.2f} ms" if value >= 1000 else f"{value:.0f} us"


def line(name, many, one):
    return [name, f"{many['per_second']:,.0f}", us(many["p50_us"]), us(many["p99_us"]), f"{many['per_cpu_second']:,.0f}",
            us(one["p50_us"]), f"{many['rss_kib'] / 1024:.1f} MiB"]
