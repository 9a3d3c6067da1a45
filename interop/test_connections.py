"""What a crowd of connections costs, and whom: with so few descriptors that the bounds are within reach."""

import re
import select
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from openai import APIStatusError

from support.credentials import answers
from support.keyless import Keyless
from support.stranger import needs_root, stranger
from support.upstream import Normal

DESCRIPTORS = 1024
# What the documentation says comes of it: half of what is left after 256, and of that half for the planes.
PLANES = (DESCRIPTORS - 256) // 2 // 2
HELD: list[socket.socket] = []


class Held(Normal):
    """A model server that answers when it is let go."""

    def __init__(self):
        self.free = threading.Event()

    def before_answer(self, handler):
        return self.free.wait(30)


def hold(port: int, wanted: int) -> int:
    """Opens as many connections, keeps them, and says how many of them were not closed at once."""
    poll = select.poll()
    for _ in range(wanted):
        HELD.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        poll.register(HELD[-1], select.POLLIN)
    closed = set()
    while len(closed) < wanted and (events := poll.poll(1000)):
        for descriptor, _ in events:
            poll.unregister(descriptor)
            closed.add(descriptor)
    return wanted - len(closed)


@pytest.fixture
def small(binary, memory, upstream, tmp_path, every_system):
    """A system that may open few files."""
    wrapper = tmp_path / "keyless-with-few-files"
    wrapper.write_text(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec "{binary}" "$@"\n')
    wrapper.chmod(0o755)
    system = Keyless(wrapper, tmp_path, upstream.url, memory)
    every_system.append(system)
    system.start()
    yield system
    assert system.stop() == 0, system.log()


def metric(system, name: str) -> int:
    with urllib.request.urlopen(f"{system.ready['operations']}/metrics", timeout=10) as answer:
        found = re.search(rf"^{re.escape(name)} (\d+)$", answer.read().decode(), re.MULTILINE)
    return int(found[1])


def is_ready(system) -> bool:
    with urllib.request.urlopen(f"{system.ready['operations']}/readyz", timeout=10) as answer:
        return answer.status == 200


@needs_root
def test_a_stranger_who_holds_all_it_can_starves_nobody_d10_i5(small):
    token = small.token("demo-app")
    ports = [urlsplit(small.ready[plane]).port for plane in ("gateway", "metadata", "operations")]
    with stranger() as crowd:
        held = [crowd.submit(hold, port, 150).result(30) for port in ports]
        # A part of each listener, and of none the whole.
        assert held[0] <= PLANES // 4 and held[1] <= PLANES // 4 // 4 and held[2] <= 8, held
        assert answers(small, token) and small.token("demo-app") and is_ready(small)
        assert metric(small, "keyless_connections_turned_away_total") >= 3 * 150 - sum(held) - 1
    assert "could not be accepted" not in small.log()


def test_the_owners_own_crowd_leaves_health_tokens_and_the_audit_alone_d10_i5(small):
    token = small.token("demo-app")
    port = urlsplit(small.ready["gateway"]).port
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(PLANES + 200)]
    try:
        # Those beyond the bound wait in the kernel's queue; nobody else's listener is touched.
        assert is_ready(small) and small.token("demo-app")
        assert metric(small, 'keyless_connections{listener="planes"}') <= PLANES
        assert len(list(Path(f"/proc/{small.process.pid}/fd").iterdir())) < DESCRIPTORS - 256
    finally:
        for connection in crowd:
            connection.close()
    assert answers(small, token), "and those who left make room"
    assert "could not be accepted" not in small.log()


def test_one_caller_cannot_take_the_descriptors_of_the_model_servers_d10(small, upstream):
    """An eighth of the model servers' half of the descriptors is what one caller may have under way."""
    token, share = small.token("demo-app"), (DESCRIPTORS - 256) // 2 // 8

    def status(_) -> int:
        try:
            return 200 if answers(small, token) else 0
        except APIStatusError as error:
            return error.status_code

    with upstream.behaving(Held()) as model, ThreadPoolExecutor(share + 20) as callers:
        try:
            calls = [callers.submit(status, number) for number in range(share + 20)]
            first = [call.result() for call in islice(as_completed(calls, timeout=15), 20)]
            # Whoever has its share keeps neither the audit log nor health from a descriptor.
            assert first == [429] * 20 and is_ready(small)
        finally:
            model.free.set()
        assert sorted(call.result() for call in calls) == [200] * share + [429] * 20
    assert answers(small, token)


def test_a_client_that_says_nothing_is_cut_off(system):
    """The other side closes; the patience of ten seconds is the default that the documentation states."""
    port = urlsplit(system.ready["gateway"]).port
    with socket.create_connection(("127.0.0.1", port), timeout=15) as silent:
        assert silent.recv(1) == b""


def test_metrics_are_names_and_numbers_and_nothing_of_those_who_call_n130(system, demo):
    assert answers(system, system.token("demo-app"))
    with urllib.request.urlopen(f"{system.ready['operations']}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    samples = [line for line in lines if not line.startswith("# ")]
    allowed = r'keyless_[a-z_]+(\{(listener|status|version)="[a-z0-9_.]+"(,(listener|status)="[a-z0-9_]+")*\})? \d+'
    assert samples and all(re.fullmatch(allowed, line) for line in samples), samples
