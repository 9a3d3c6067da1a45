"""Events in Azure Monitor's shapes: caused by the official clients, read by a collector that knows Azure's documents only."""

import hashlib
import json
import os
import signal
import subprocess
import time

import pytest

from support.az_scene import create_account
from support.azure_monitor import Record, read
from support.clients import ask_with_id, dated, refusal, v1
from support.keyless import Keyless


def export(system: Keyless, *more: str) -> list[Record]:
    return [read(line) for line in system.command("audit", "export", *system.locate(), *more).stdout.splitlines()]


def of_request(records: list[Record], request_id: str) -> Record:
    found = [record for record in records if record.fields.get("correlationId") == request_id]
    assert len(found) == 1, f"{len(found)} records for request {request_id}"
    return found[0]


def test_calls_of_models_are_request_response_records(system, operator):
    account = operator.create_account(local_auth=True, deployments=("chat",))
    caller, stranger = operator.create_caller(account.id), operator.create_identity()
    _, by_token = ask_with_id(dated(system, account.endpoint, token=system.token(caller.name)))
    _, by_key = ask_with_id(v1(system, account.endpoint, operator.keys(account)[0]))
    assert refusal(dated(system, account.endpoint, token=system.token(stranger.name)))[0] == 401

    records = [
        record
        for record in export(system, "--account", account.name, "--since", "10m")
        if record.category == "RequestResponse"
    ]
    assert [record.fields["resultSignature"] for record in records] == ["200", "200", "401"]
    allowed = of_request(records, by_token)
    assert allowed.fields["resourceId"] == account.id.upper()
    assert allowed.fields["operationName"] == "ChatCompletions_Create"
    assert allowed.fields["callerIpAddress"].endswith(".***")
    assert allowed.properties["objectId"] == caller.principal_id
    model = [allowed.properties[name] for name in ("modelDeploymentName", "modelName", "modelVersion", "streamType")]
    assert model == ["chat", "stub", "1", "Non-Streaming"]
    assert of_request(records, by_key).properties["objectId"] == "", "a key is nobody"
    assert records[2].properties["objectId"] == stranger.principal_id


def test_what_az_changes_is_in_the_activity_log_and_keys_in_the_audit_log(system, admin):
    account = create_account(admin)
    admin("cognitiveservices account update -g demo -n", account.name, "--custom-domain", account.name, "--tags", "a=b")
    records = export(system, "--account", account.name)
    assert records and {record.category for record in records} == {"Administrative"}
    made = records[0]
    assert made.fields["operationName"] == "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/WRITE"
    assert (made.fields["resultSignature"], made.fields["level"]) == ("Succeeded.Created", "Information")
    assert made.fields["resourceId"] == account.id.upper()
    owner = system.identity("operator")
    claims = made.fields["identity"]["claims"]
    assert claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == owner["principal_id"]
    assert made.fields["identity"]["authorization"]["evidence"]["principalId"] == owner["principal_id"].replace("-", "")
    assert json.loads(made.properties["responseBody"])["name"] == account.name


def test_handed_out_keys_are_in_the_audit_category(system, operator):
    account = operator.create_account(local_auth=True, deployments=())
    operator.keys(account)
    operator.regenerate(account, "Key2")
    records = export(system, "--account", account.name)
    handled = [record for record in records if record.category == "Audit"]
    assert [record.fields["operationName"] for record in handled] == ["ListKey", "RegenerateKey"]
    assert {record.properties["objectId"] for record in handled} == {system.identity("operator")["principal_id"]}


@pytest.fixture
def alone(new_system):
    """A system whose log nobody else writes to."""
    system = new_system().start()
    yield system
    if system.process.poll() is None:
        system.stop()


def call(system: Keyless, times: int = 1) -> list[str]:
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    return [ask_with_id(client)[1] for _ in range(times)]


def test_a_cursor_carries_an_export_over_restarts_without_a_gap_or_a_repeat(alone, tmp_path):
    cursor = ["--cursor", str(tmp_path / "shipped")]
    ids, shipped = [], []
    for stop in (alone.stop, alone.kill, alone.stop):
        ids += call(alone, 3)
        shipped += export(alone, *cursor)
        ids += call(alone)
        stop()
        shipped += export(alone, *cursor)
        alone.start()
    assert [record.fields["correlationId"] for record in shipped if record.category == "RequestResponse"] == ids
    assert export(alone, *cursor) == [], "nothing happened since"
    # Everything at once is the same as piece by piece.
    assert [record.fields for record in export(alone)] == [record.fields for record in shipped]


def test_following_ships_events_as_they_come_across_a_restart(alone):
    command = [str(alone.binary), "audit", "export", "--follow", "--category", "data", *alone.locate()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shipper:
        try:
            for stop in (alone.stop, alone.kill):
                for request_id in call(alone, 2):
                    assert read(shipper.stdout.readline()).fields["correlationId"] == request_id
                stop()
                alone.start()
        finally:
            shipper.send_signal(signal.SIGINT)
        assert shipper.wait(10) == 0
        assert shipper.stdout.read() == ""


def test_tail_shows_calls_as_they_come_across_a_restart(alone):
    command = [str(alone.binary), "audit", "tail", "--follow", "-n", "1", "--category", "data", "--json", *alone.locate()]
    (last,) = call(alone)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        try:
            # It shows the last call, and so is there to see the next.
            assert json.loads(tail.stdout.readline())["requestId"] == last
            for stop in (alone.stop, alone.kill):
                for request_id in call(alone, 2):
                    assert json.loads(tail.stdout.readline())["requestId"] == request_id
                stop()
                alone.start()
        finally:
            tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 0


def test_a_damaged_log_ends_the_export_before_the_damage_and_says_so(alone, tmp_path):
    call(alone, 3)
    alone.stop()
    whole = export(alone)
    log = alone.data / "audit" / "000001.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    # The second of the three calls.
    victim = [number for number, line in enumerate(lines) if '"category":"data"' in line][1]
    damaged = lines[victim].replace('"status":200', '"status":201')
    log.write_text("".join([*lines[:victim], damaged, *lines[victim + 1 :]]))
    done = alone.command("audit", "export", *alone.locate(), check=False)
    assert done.returncode == 1 and "the line was changed" in done.stderr, done.stderr
    assert [read(line).fields for line in done.stdout.splitlines()] == [record.fields for record in whole[:-2]]
    # A cut end is damage too: the database knows how far the log was.
    log.write_text("".join(lines[:-1]))
    done = alone.command("audit", "export", *alone.locate(), check=False)
    assert done.returncode == 1 and "cut off" in done.stderr, done.stderr
    log.write_text("".join(lines))


def test_the_logs_own_lines_are_exported_as_they_stand(alone):
    call(alone)
    alone.stop()
    exported = alone.command("audit", "export", "--format", "keyless", *alone.locate()).stdout
    log = (alone.data / "audit" / "000001.jsonl").read_text().splitlines(keepends=True)
    assert exported == "".join(log[1:]), "everything but the header of the file"


def test_an_export_holds_one_batch_whatever_the_size_of_the_log(alone):
    """Memory does not grow with the log: a log of many files costs what one of a few lines costs."""
    call(alone)
    alone.stop()
    small, before = peak_kib(alone)
    segment = alone.data / "audit" / "000001.jsonl"
    grow(segment, 40_000)
    assert segment.stat().st_size > 30_000_000
    began = time.monotonic()
    large, lines = peak_kib(alone)
    assert lines == before + 40_000, "the whole log is exported"
    assert large < small + 4096
    assert time.monotonic() - began < 60


def peak_kib(system: Keyless) -> tuple[int, int]:
    """The peak resident memory of an export of the log's own lines, and how many lines that were."""
    command = [str(system.binary), "audit", "export", "--format", "keyless", *system.locate()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with process.stdout as exported:
        lines = sum(1 for _ in exported)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss, lines


def grow(segment, lines: int) -> None:
    """Goes on with the chain of a log, as the writer would."""
    text = segment.read_bytes()
    last = json.loads(text.splitlines()[-1])
    sequence, previous = last["seq"], last["hash"]
    body = text.splitlines()[-1].split(b',"seq":')[0]
    with segment.open("ab") as log:
        for _ in range(lines):
            sequence += 1
            line = body + f',"seq":{sequence},"prev":"{previous}"'.encode()
            previous = hashlib.sha256(line).hexdigest()
            log.write(line + f',"hash":"{previous}"}}\n'.encode())
