"""Signals: what stops a system, what does not, and what becomes of the calls under way."""

import os
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.clients import dated
from support.upstream import Slow, Stepwise
from support.waiting import until

DRAIN = ("--drain", "6s")


@pytest.fixture
def start(new_system):
    systems = []

    def started(*options: str):
        systems.append(new_system().start(*options))
        return systems[-1]

    yield started
    for system in systems:
        if system.process.poll() is None:
            system.kill()


def listens(system) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(system.ready["gateway"]).port), timeout=5).close()
    except ConnectionError:
        # Refused, or reset in the moment of closing.
        return False
    return True


def readiness(system) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{system.ready['operations']}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_signal_lets_calls_and_streams_end_and_records_them_d15_f17(number, start, upstream):
    system = start(*DRAIN)
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    question = {"model": "chat", "messages": [{"role": "user", "content": "one two three"}]}
    answered = {}

    def call():
        raw = client.chat.completions.with_raw_response.create(**question)
        answered["id"], answered["text"] = raw.headers["apim-request-id"], raw.parse().choices[0].message.content

    with upstream.behaving(Slow(1.5)):
        seen = len(upstream.requests)
        caller = threading.Thread(target=call)
        caller.start()
        until(lambda: len(upstream.requests) > seen)
    with upstream.behaving(Stepwise()) as frames:
        raw = client.chat.completions.with_raw_response.create(stream=True, **question)
        chunks = iter(raw.parse())
        next(chunks)
        system.process.send_signal(number)
        until(lambda: not listens(system))
        # The stream goes on as its model server sends it.
        frames.step(100)
        rest = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert rest.endswith("one two three")
    caller.join(10)
    assert answered["text"] == "You said: one two three"
    assert system.process.wait(15) == 0, system.log()
    events = {event["requestId"]: event for event in system.calls()}
    for request_id in (answered["id"], raw.headers["apim-request-id"]):
        assert events[request_id]["status"] == 200 and not events[request_id]["data"].get("cancelled")
    assert "stopping: no new connections; running calls may take 6 s more" in system.log()


def test_who_takes_longer_than_the_drain_is_cut_off_and_recorded_d15_f17(start, upstream):
    system = start("--drain", "1s")
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    with upstream.behaving(Stepwise()):
        raw = client.chat.completions.with_raw_response.create(
            model="chat", messages=[{"role": "user", "content": "one two"}], stream=True
        )
        next(iter(raw.parse()))
        began = time.monotonic()
        assert system.stop() == 0, system.log()
    assert 0.9 < time.monotonic() - began < 6
    assert system.call(raw.headers["apim-request-id"])["data"]["cancelled"] is True


def test_a_load_balancer_is_told_before_the_listener_closes_d15(start):
    system = start("--drain-delay", "3s")
    assert readiness(system) == (200, "ok\n")
    system.process.send_signal(signal.SIGTERM)
    until(lambda: readiness(system)[0] == 503)
    assert readiness(system) == (503, "starting or stopping\n")
    assert listens(system), "while the balancer has not noticed"
    # Whoever does not want to wait says it again.
    system.process.send_signal(signal.SIGTERM)
    assert system.process.wait(15) == 0, system.log()


def test_a_hangup_ends_nothing_d15(start):
    system = start()
    token = system.token("demo-app")
    system.process.send_signal(signal.SIGHUP)
    system.wait_for_log("hangup: ignored")
    assert system.process.poll() is None and listens(system) and token
    assert system.stop() == 0


def test_the_process_leaves_no_core_dump_and_shows_its_memory_to_nobody_n130(start):
    system = start()
    process = Path(f"/proc/{system.process.pid}")
    limits = (process / "limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    files = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert files.split()[3] == files.split()[4], "raised to the hard limit"
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            (process / "environ").read_bytes()


def test_log_lines_in_a_file_have_no_colours(start):
    system = start()
    system.process.send_signal(signal.SIGHUP)
    system.wait_for_log("hangup: ignored")
    assert "\x1b[" not in system.log()


def test_a_start_with_wrong_arguments_leaves_no_folder(new_system, tmp_path):
    system = new_system()
    for wrong in (["--upstream", "ftp://x"], ["--upstream", "http://127.0.0.1:9", "--upstream-key-file", str(tmp_path / "none")]):
        done = system.command("up", *system.locate(), "--port", "0", "--metadata-port", "0", *wrong, check=False)
        assert done.returncode != 0, wrong
        assert not system.data.exists(), wrong


def test_a_start_that_fails_takes_nothing_from_the_system_that_runs(new_system):
    """Two begin at once in one new folder. Whoever comes second ends, and removes nothing of what the first one runs on."""
    system = new_system()
    begin = [str(system.binary), "up", *system.locate(), "--port", "0", "--metadata-port", "0", "--upstream", system.upstream]
    pair = [subprocess.Popen(begin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    ended = [os.pidfd_open(process.pid) for process in pair]
    try:
        assert select.select(ended, [], [], 30)[0], "there is one system to a folder"
        assert (system.data / "master.key").is_file() and (system.data / "state.db").is_file()
    finally:
        for process, descriptor in zip(pair, ended, strict=True):
            process.terminate()
            process.wait(timeout=30)
            os.close(descriptor)
    assert (system.data / "master.key").is_file() and (system.data / "state.db").is_file()
    assert system.start().stop() == 0


def test_a_taken_port_is_told_with_its_user_and_the_option_that_changes_it_u18(start, new_system):
    first, second = start(), new_system()
    options = {"--port": "gateway", "--metadata-port": "metadata"}
    for option, plane in options.items():
        taken = urlsplit(first.ready[plane]).port
        ports = {"--port": "0", "--metadata-port": "0"} | {option: str(taken)}
        flat = [word for pair in ports.items() for word in pair]
        done = second.command("up", *second.locate(), *flat, "--upstream", first.upstream, check=False)
        assert done.returncode != 0 and f"choose another one with `{option} PORT`" in done.stderr, done.stderr
        user = f"`{first.binary.name}` (process {first.process.pid}) with the data folder {first.data.resolve()} uses the port"
        assert user in done.stderr.replace("\n", " "), done.stderr


def test_a_second_start_in_a_folder_names_the_process_that_has_it_u18(start):
    first = start()
    # Its own ports too, as whoever types the same line twice: the folder is what is wrong, not the port.
    same = [str(urlsplit(first.ready[plane]).port) for plane in ("gateway", "metadata")]
    for port, metadata_port in (("0", "0"), same):
        ports = ("--port", port, "--metadata-port", metadata_port, "--upstream", first.upstream)
        done = first.command("up", *first.locate(), *ports, check=False)
        assert done.returncode == 1 and f"another keyless process (process {first.process.pid})" in done.stderr, done.stderr
        assert "choose another one with" not in done.stderr, done.stderr
    first.kill()
    start_again = first.start()
    assert (first.data / "state.db.lock").read_text() == str(start_again.process.pid)


def test_the_front_page_says_what_this_is_and_how_to_trust_it(system):
    request = urllib.request.Request(f"{system.ready['gateway']}/", headers={"accept": "text/html"})
    with urllib.request.urlopen(request, context=system.tls, timeout=10) as answer:
        page = answer.read().decode()
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "tls/ca.pem" in page and "keyless status" in page
    # The same for everybody: nothing of this system, nor of its owner.
    assert str(system.data) not in page and system.ready["tenant_id"] not in page
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{system.ready['gateway']}/nothing", context=system.tls, timeout=10)
    assert error.value.code in (401, 404)
