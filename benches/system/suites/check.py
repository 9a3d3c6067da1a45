"""The rig checks itself: peers start, and refuse what they must, with a throw-away key and no Keyless."""

import contextlib
import json
import subprocess
import time

from rig import jose, peers, wrk
from rig.rounds import Contender, play
from rig.wire import Client

ISSUER, OID = "https://issuer.example/tenant/v2.0", "11111111-2222-3333-4444-555555555555"


def make_key(folder):
    """An RSA key by openssl: (private PEM path, JWK)."""
    private = folder / "private.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    printed = subprocess.run(["openssl", "rsa", "-in", private, "-noout", "-modulus"], check=True, capture_output=True, text=True)
    modulus = bytes.fromhex(printed.stdout.strip().partition("=")[2])
    return private, {"kid": "check", "kty": "RSA", "n": jose.encode(modulus), "e": "AQAB"}


def sign(private, **claims):
    head = jose.encode(json.dumps({"alg": "RS256", "typ": "JWT", "kid": "check"}).encode())
    body = jose.encode(json.dumps({"iss": ISSUER, "oid": OID, "exp": int(time.time()) + 3600, **claims}).encode())
    signed = f"{head}.{body}"
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", private], input=signed.encode(), check=True, capture_output=True)
    return f"{signed}.{jose.encode(done.stdout)}"


def run(folder):
    """0 when every peer behaves."""
    private, jwk = make_key(folder)
    ours = jose.pem(jwk)
    theirs = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], check=True, capture_output=True, text=True).stdout
    failures = []

    def expect(what, got, wanted):
        print(f"{'ok  ' if got == wanted else 'FAIL'}  {what}: {got!r}", flush=True)
        if got != wanted:
            failures.append(what)

    expect("the PEM made from a JWKS is the one openssl makes", ours == theirs, True)
    good = sign(private)
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.upstream(folder))
        haproxy = stack.enter_context(peers.haproxy(folder, upstream.port, ours, ISSUER, OID))
        nginx = stack.enter_context(peers.nginx_proxy(folder, upstream.port))
        client, question = Client(), peers.QUESTION.encode()
        for server in (upstream, nginx, haproxy):
            status, body = client.call("POST", f"http://127.0.0.1:{server.port}/chat/completions", token=good, body=question)
            expect(f"{server.name} gives the upstream's answer", (status, body == peers.ANSWER.encode()), (200, True))
        for what, token, status in (
            ("no token", None, 401),
            ("a tampered token", jose.tampered(good), 401),
            ("an expired token", sign(private, exp=int(time.time()) - 60), 401),
            ("another issuer's token", sign(private, iss="https://evil.example"), 401),
            ("another identity's token", sign(private, oid="0" * 8), 403),
        ):
            got, _ = client.call("POST", f"http://127.0.0.1:{haproxy.port}/", token=token, body=question)
            expect(f"HAProxy, {what}", got, status)

        tokens = folder / "tokens"
        tokens.write_text("\n".join(sign(private, uti=str(n)) for n in range(50)) + "\n")
        rotated = wrk.run(f"http://127.0.0.1:{haproxy.port}/", 4, 1, method="POST", body=peers.QUESTION, tokens=tokens)
        expect("wrk rotates tokens, all accepted", (rotated["refused"], rotated["broken"], rotated["wraps"] > 0), (0, 0, True))
        saved = folder / "saved"
        kept = wrk.run(f"http://127.0.0.1:{upstream.port}/", 4, 1, save=saved)
        with open(saved, encoding="utf-8") as lines:
            answers = [text.rstrip("\n") for text in lines]
        expect("wrk keeps the answers", (abs(len(answers) - kept["requests"]) <= 8, set(answers) == {peers.ANSWER}), (True, True))

        bearer = {"Authorization": f"Bearer {good}", "Content-Type": "application/json"}
        sides = [Contender(server.name, f"http://127.0.0.1:{server.port}/", server, headers=bearer, body=peers.QUESTION)
                 for server in (upstream, nginx, haproxy)]
        for side in play(sides, 32, 1, 2).values():
            expect("a measured server used CPU and memory", (side["per_cpu_second"] > 0, side["rss_kib"] > 0), (True, True))
        sides[2].headers = {}
        try:
            play(sides[2:], 4, 1, 1)
            refused = False
        except RuntimeError:
            refused = True
        expect("a round of refusals is no measurement", refused, True)
    return 1 if failures else 0
