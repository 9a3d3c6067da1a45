"""A disk that is full, on the real process: what cannot be recorded is refused, and goes on when there is room again."""

import resource
import urllib.error
import urllib.request

import openai
import pytest

from support.clients import ANSWER, ask, dated
from support.keyless import Keyless
from support.waiting import until


@pytest.fixture
def crowded(binary, memory, upstream, tmp_path, every_system):
    """A system whose files can be kept from growing: the kernel then fails its writes, as a full disk does, rather than end it."""
    wrapper = tmp_path / "keyless-that-outlives-its-files"
    wrapper.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec \"{binary}\" \"$@\"\n")
    wrapper.chmod(0o755)
    system = Keyless(wrapper, tmp_path, upstream.url, memory)
    every_system.append(system)
    yield system.start()
    if system.process.poll() is None:
        system.kill()


def no_file_grows_beyond(system, size: int) -> None:
    _, hard = resource.prlimit(system.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(system.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def readiness(system) -> int:
    try:
        with urllib.request.urlopen(f"{system.ready['operations']}/readyz", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_what_cannot_be_recorded_is_refused_until_there_is_room_f8(crowded):
    client = dated(crowded, crowded.account("demo-ai")["endpoint"], token=crowded.token("demo-app"))
    assert ask(client) == ANSWER
    [segment] = (crowded.data / "audit").glob("*.jsonl")
    no_file_grows_beyond(crowded, segment.stat().st_size + 100)
    for _ in range(3):
        with pytest.raises(openai.APIStatusError) as refused:
            ask(client)
        assert refused.value.status_code == 503
    assert readiness(crowded) == 503
    complaints = [line for line in crowded.log().splitlines() if "the audit log cannot be written" in line]
    assert len(complaints) == 1, "not one for each call"

    no_file_grows_beyond(crowded, resource.RLIM_INFINITY)
    until(lambda: readiness(crowded) == 200, why=crowded.log)
    assert ask(client) == ANSWER
    crowded.command("audit", "verify", *crowded.locate())
    assert crowded.stop() == 0, crowded.log()
