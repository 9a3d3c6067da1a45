"""What is kept of the audit log and what may go: by its owner, by loss, and on a disk that is nearly full."""

import json
import re
import shutil
import sqlite3
import urllib.request

import pytest

from support.clients import ANSWER, ask, ask_with_id, dated, refusal
from support.keyless import Keyless
from support.operator import Operator
from support.waiting import until
from test_audit_export import call, export, grow

SEGMENT_BYTES = 64 << 20


@pytest.fixture
def alone(new_system):
    """A system whose log nobody else writes to."""
    system = new_system().start()
    yield system
    if system.process.poll() is None:
        assert system.stop() == 0, system.log()


def fill_the_first_file(system: Keyless) -> None:
    """Goes on with the log of a system that does not run until the next event begins another file."""
    segment = system.data / "audit" / "000001.jsonl"
    a_line = len(segment.read_bytes().splitlines()[-1])
    # Numbers grow on the way, so lines do not get shorter.
    grow(segment, (SEGMENT_BYTES - segment.stat().st_size) // a_line + 1)
    assert segment.stat().st_size >= SEGMENT_BYTES


def files(system: Keyless) -> list[str]:
    return sorted(file.name for file in (system.data / "audit").glob("*.jsonl"))


def verify(system: Keyless) -> None:
    system.command("audit", "verify", *system.locate())


def events(system: Keyless, operation: str) -> list[dict]:
    return [event for event in system.audit("--since", "10m") if event["operation"] == operation]


def metrics(system: Keyless) -> dict[str, int]:
    with urllib.request.urlopen(f"{system.ready['operations']}/metrics", timeout=5) as answer:
        found = re.findall(r"^(keyless_audit_\w+) (\d+)$", answer.read().decode(), re.MULTILINE)
    return {name: int(value) for name, value in found}


def readiness(system: Keyless) -> tuple[int, str]:
    with urllib.request.urlopen(f"{system.ready['operations']}/readyz", timeout=5) as answer:
        return answer.status, answer.read().decode()


def test_old_files_go_by_command_and_the_log_still_verifies_d5_i7(alone, tmp_path):
    call(alone)
    cursor = ["--cursor", str(tmp_path / "shipped")]
    export(alone, *cursor)
    alone.stop()
    fill_the_first_file(alone)
    alone.start()
    call(alone)
    assert files(alone) == ["000001.jsonl", "000002.jsonl"]

    prune = ["audit", "prune", *alone.locate()]
    assert alone.command(*prune, "--before", "1h").returncode == 0
    assert files(alone) == ["000001.jsonl", "000002.jsonl"], "nothing is that old"
    alone.command(*prune, "--max-size", "1MB")
    assert files(alone) == ["000002.jsonl"]
    verify(alone)
    assert len(events(alone, "System_AuditPrune")) == 1

    done = alone.command("audit", "export", *alone.locate(), *cursor, check=False)
    assert done.returncode == 1 and "--from-start-of-log" in done.stderr and "removed by its owner" in done.stderr, done.stderr
    assert export(alone, *cursor, "--from-start-of-log"), "what is left is exported"
    assert export(alone, *cursor) == [], "and the cursor goes on from there"
    (one,) = call(alone)
    assert [record.fields["correlationId"] for record in export(alone, *cursor)] == [one]

    alone.stop()
    verify(alone)
    alone.start()
    assert call(alone)
    verify(alone)


def test_old_files_go_by_themselves_beyond_the_size_that_is_kept_d5_i7(alone):
    call(alone)
    alone.stop()
    fill_the_first_file(alone)
    alone.start()
    call(alone)
    alone.stop()
    assert files(alone) == ["000001.jsonl", "000002.jsonl"]
    # Nothing so young goes: somebody may have written much to push it out.
    alone.start("--audit-max-size", "1MB")
    until(lambda: events(alone, "System_AuditOverSize"), why=lambda: "nobody is told")
    status, text = readiness(alone)
    assert status == 200 and text.startswith("degraded: the audit log (") and "--audit-spare" in text, text
    assert metrics(alone)["keyless_audit_over_size"] == 1
    alone.stop()
    assert files(alone) == ["000001.jsonl", "000002.jsonl"]
    # Looked at when a system starts, and then every few minutes.
    alone.start("--audit-keep", "90d", "--audit-max-size", "1MB", "--audit-spare", "1s")
    until(lambda: files(alone) == ["000002.jsonl"], why=lambda: f"the first file stays: {files(alone)}")
    verify(alone)
    assert len(events(alone, "System_AuditPrune")) == 1


def test_a_start_after_the_log_was_removed_is_the_owners_word_d5_i7(alone):
    call(alone)
    alone.stop()
    last = alone.audit()[-1]
    lines = (alone.data / "audit" / "000001.jsonl").read_text().splitlines()
    number = json.loads(lines[-1])["seq"]
    shutil.rmtree(alone.data / "audit")
    with pytest.raises(AssertionError, match="--accept-lost-log"):
        alone.start()
    alone.start("--accept-lost-log")
    verify(alone)
    (lost,) = events(alone, "System_AuditLost")
    assert lost["time"] >= last["time"]
    numbers = [json.loads(line).get("seq") for file in files(alone) for line in (alone.data / "audit" / file).read_text().splitlines()]
    assert min(one for one in numbers if one) == number + 1, "no number is given twice"
    assert call(alone)
    alone.stop()
    alone.start()
    assert call(alone)
    verify(alone)


@pytest.fixture
def small_disk(binary, memory, upstream, tmp_path, every_system):
    """A system whose audit folder is a small disk of its own, nearly full."""
    audit = tmp_path / "data" / "audit"
    (tmp_path / "data").mkdir(mode=0o700)
    audit.mkdir(mode=0o700)
    wrapper = tmp_path / "keyless-on-a-small-disk"
    mount = f"mount -t tmpfs -o size=16m,mode=700 tmpfs {audit} && head -c 15600000 /dev/zero > {audit}/other"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = up ] || exec "{binary}" "$@"\n'
        f"exec unshare --mount sh -c '{mount} && exec \"{binary}\" \"$@\"' sh \"$@\"\n"
    )
    wrapper.chmod(0o755)
    system = Keyless(wrapper, tmp_path, upstream.url, memory)
    every_system.append(system)
    yield system.start()
    if system.process.poll() is None:
        assert system.stop() == 0, system.log()


def test_a_disk_that_is_nearly_full_is_told_and_kept_for_those_who_may_call_d5_i7(small_disk):
    small_disk.wait_for_log("disk of the audit log is nearly full")
    status, text = readiness(small_disk)
    assert status == 200 and text.startswith("degraded: the disk of the audit log is nearly full"), text
    told = metrics(small_disk)
    assert told["keyless_audit_low_space"] == 1 and 0 < told["keyless_audit_free_bytes"] < 1_600_000
    assert ask(dated(small_disk, small_disk.account("demo-ai")["endpoint"], token=small_disk.token("demo-app"))) == ANSWER


def test_metrics_tell_of_the_room_that_the_log_has_d5_i7(alone):
    told = metrics(alone)
    assert told["keyless_audit_bytes"] > 0 and told["keyless_audit_free_bytes"] > 0
    assert told["keyless_audit_low_space"] in (0, 1)


def test_the_number_of_refusals_is_written_when_the_system_stops_d5_i7(alone):
    operator = Operator(alone)
    stranger = operator.create_identity()
    client = dated(alone, alone.account("demo-ai")["endpoint"], token=alone.token(stranger.name))
    for _ in range(30):
        assert refusal(client)[0] == 401
    assert alone.stop() == 0
    of_stranger = [event for event in alone.calls() if (event.get("actor") or {}).get("objectId") == stranger.principal_id]
    counted = [event["repeated"]["number"] for event in of_stranger if event.get("repeated")]
    in_full = len(of_stranger) - len(counted)
    assert counted and in_full + sum(counted) == 30, of_stranger
    verify(alone)


def test_a_document_that_cannot_be_read_is_left_out_by_its_owner_only_d1(alone):
    operator = Operator(alone)
    lost = operator.create_identity()
    alone.stop()
    with sqlite3.connect(alone.data / "state.db") as database:
        found = database.execute(
            "SELECT kind, id FROM documents WHERE body LIKE ? AND kind LIKE '%identity%'", (f"%{lost.principal_id}%",)
        ).fetchall()
        assert len(found) == 1, database.execute("SELECT DISTINCT kind FROM documents").fetchall()
        database.execute("UPDATE documents SET body = '{}' WHERE kind = ? AND id = ?", found[0])
    database.close()
    name = "/".join(found[0])
    with pytest.raises(AssertionError, match=re.escape(f"--without {name}")):
        alone.start()
    alone.start("--without", name)
    assert len(events(alone, "System_DocumentSetAside")) == 1
    assert ask_with_id(dated(alone, alone.account("demo-ai")["endpoint"], token=alone.token("demo-app")))[0] == ANSWER
    verify(alone)
