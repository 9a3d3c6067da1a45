"""Strangers at full speed, and identities without a role: what they can make grow stays small, and whoever may call is answered."""

import contextlib
import http.client
import itertools
import json
import os
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.clients import API_VERSION
from support.hang_ups import hang_up
from support.keyless import Keyless
from support.operator import Operator
from support.process import resident_mib
from support.traffic import Repeated, Traffic, percentile

HTTP2 = Path(__file__).parent / "support" / "programs" / "http2_strangers.js"
MEMORY_MIB = 256
AUDIT_KIB_A_MINUTE = 100
BIG = b'{"messages":[{"role":"user","content":"' + b"a" * 4_000_000 + b'"}]}'


@pytest.fixture(scope="module")
def own(new_system) -> Keyless:
    """A system of its own: what strangers do to it is nobody else's business."""
    system = new_system().start()
    yield system
    assert system.stop() == 0, system.log()


class Stranger:
    """One connection, made again whenever the system has had enough of it."""

    def __init__(self, url: str, tls: ssl.SSLContext, ask):
        self._where, self._tls, self._ask = urlsplit(url), tls, ask
        self._connection = self._connect()
        self.asked = 0

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._where.hostname, self._where.port, context=self._tls, timeout=20)

    def __call__(self) -> None:
        try:
            self._ask(self._connection)
            self.asked += 1
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = self._connect()


def test_strangers_at_full_speed_cost_little_and_callers_are_answered_d4_d5_i1_i7(own, thorough, figure):
    caller = own.token("demo-app")
    nobody = own.token(Operator(own).create_identity().name)
    gateway, authority = own.account("demo-ai")["endpoint"], own.ready["authority"].rstrip("/")
    chat = f"/openai/deployments/chat/chat/completions?api-version={API_VERSION}"
    tenant = own.ready["tenant_id"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def ask(method, path, body=None, headers=None):
        def one(connection):
            connection.request(method, path, body=body, headers=headers or {})
            assert connection.getresponse().read() is not None

        return one

    def leave(connection):
        connection.request("POST", f"/{tenant}/oauth2/v2.0/token", body="grant_type=password", headers=form)
        connection.close()

    names = itertools.count()

    def sign_in() -> None:
        with contextlib.suppress(OSError, TypeError, KeyError):
            # Turned away, it finds no form on the page.
            hang_up(own, str(next(names)), 4)

    floods = [
        (gateway, ask("POST", chat, b"{}")),
        (gateway, ask("POST", chat, b"{}", {"Authorization": "Bearer e30.e30.e30"})),
        (gateway, ask("POST", chat, BIG, {"Authorization": f"Bearer {nobody}", "Content-Type": "application/json"})),
        (authority, ask("POST", f"/{tenant}/oauth2/v2.0/token", "grant_type=client_credentials&client_id=x&client_secret=y", form)),
        (authority, ask("POST", f"/{tenant}/oauth2/v2.0/devicecode", "client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&scope=openid", form)),
        (authority, leave),
    ]
    traffic, statuses = Traffic(own, None, ""), []

    def calls(secs: float) -> list[float]:
        took, end = [], time.monotonic() + secs
        while (began := time.monotonic()) < end:
            statuses.append(traffic.chat(caller))
            took.append(time.monotonic() - began)
        return took

    alone = calls(3)
    answered, grown = len(statuses), audit_bytes(own)
    secs, peak = (60 if thorough else 15), []
    strangers = [Stranger(url, own.tls, flood) for url, flood in floods for _ in range(2)]
    path = urlsplit(gateway).path.rstrip("/") + chat
    with over_http2(own, path) as told, Repeated([lambda: peak.append(resident_mib(own.process.pid))], every_secs=0.2):
        with Repeated([*strangers, sign_in, sign_in]):
            beside = calls(secs)
    grown = (audit_bytes(own) - grown - audit_of_calls(own, answered)) / 1024
    figure(
        f"strangers: {sum(stranger.asked for stranger in strangers) / secs:.0f} requests/s, over HTTP/2 {told['answered'] / secs:.0f}, {next(names)} sign-ins of 4 passwords; a caller's p99 {percentile(alone, 99) * 1000:.1f} ms alone, "
        f"{percentile(beside, 99) * 1000:.1f} ms beside (target 3 times); memory {max(peak):.0f} MiB (target {MEMORY_MIB}); "
        f"audit {grown:.0f} KiB without the calls (target {AUDIT_KIB_A_MINUTE} a minute)"
    )
    assert told["answered"] > 0 and next(names) > 4, "these strangers came too"
    assert any(event["operation"] == "User_SignIn" for event in own.audit()), "their passwords were judged"
    assert set(statuses) == {200}, "every call of one who may call is answered"
    assert max(peak) < MEMORY_MIB
    assert grown < AUDIT_KIB_A_MINUTE


@contextlib.contextmanager
def over_http2(system: Keyless, path: str):
    """Strangers that Node's own client plays; afterwards what they were told."""
    command = [os.environ["KEYLESS_INTEROP_NODE"], str(HTTP2), system.ready["gateway"], system.ready["ca_file"], path]
    told = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as strangers:
        yield told
        said, _ = strangers.communicate(timeout=20)
    told |= json.loads(said)


def audit_bytes(system: Keyless) -> int:
    return sum(file.stat().st_size for file in (system.data / "audit").iterdir())


def audit_of_calls(system: Keyless, before: int) -> int:
    """The bytes of the lines of answered calls, but for those made before."""
    lines = [line for file in sorted((system.data / "audit").glob("*.jsonl")) for line in file.read_bytes().splitlines(keepends=True)]
    return sum(len(line) for line in [line for line in lines if b'"status":200' in line and b'"category":"data"' in line][before:])
