"""Node programs get their answers with an identity and no key."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import forge
from support.clients import ANSWER, API_VERSION
from support.keyless import ARM_SCOPE
from support.refusals import UNAUTHORIZED

TWO_DAYS_SECS = 2 * 24 * 3600

ANSWERS = {
    "chat.js": "You said: What is the capital of France? Answer in one sentence.",
    "managed-identity.js": "You said: What is the capital of Japan? Answer in one sentence.",
    "stream.js": "You said: Count from one to five.",
    "v1.js": "You said: What is the capital of Italy? Answer in one sentence.",
    "embeddings.js": "0.887  A kitten naps on the couch.\n0.977  Interest rates rose in March.",
}


@pytest.fixture(scope="module")
def node() -> str:
    return os.environ["KEYLESS_INTEROP_NODE"]


@pytest.fixture(scope="module")
def programs(examples) -> Path:
    """The examples, copied beside the `node_modules` that Node looks for in the folders above a program."""
    folder = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"]) / "examples"
    shutil.copytree(examples / "node", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    return folder


@pytest.mark.parametrize("program", ANSWERS)
def test_example_runs_unchanged(system, node, programs, program):
    done = system.run("demo-app", node, str(programs / program))
    assert done.stdout.strip() == ANSWERS[program]


def test_every_node_example_is_tested(examples):
    assert {path.name for path in (examples / "node").glob("*.js")} == set(ANSWERS)


def test_a_refusal_reaches_the_program(system, operator, node, programs):
    app = operator.create_identity()
    done = system.run(app.name, node, str(programs / "chat.js"), check=False)
    assert done.returncode == 1
    assert "PermissionDenied" in done.stderr
    assert f"The principal `{app.principal_id}` lacks the required data action" in done.stderr


# --- tokens that are no good ---


@pytest.fixture(scope="module")
def ask() -> Path:
    folder = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"]) / "refusals"
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy(Path(__file__).parent / "node" / "ask.js", folder))


def asked(node: str, ask: Path, system, token: str) -> dict:
    """What both of the official clients make of a call with `token`, by the surface that they use."""
    where = {"AZURE_OPENAI_ENDPOINT": system.account("demo-ai")["endpoint"], "OPENAI_API_VERSION": API_VERSION}
    env = os.environ | where | {"TOKEN": token, "NODE_EXTRA_CA_CERTS": system.ready["ca_file"]}
    return json.loads(subprocess.run([node, str(ask)], env=env, capture_output=True, text=True, check=True, timeout=60).stdout)


def unauthorized(came: dict) -> bool:
    """Whether the clients raised their own error, with Azure's words in it."""
    status, body = UNAUTHORIZED
    assert set(came) == {"dated", "v1"}
    for refused in came.values():
        assert (refused.get("kind"), refused.get("status")) == ("AuthenticationError", status), refused
        assert body["message"] in refused["message"]
    return True


def test_a_good_token_is_answered_on_both_surfaces(node, ask, system):
    assert asked(node, ask, system, system.token("demo-app")) == dict.fromkeys(("dated", "v1"), {"answer": ANSWER})


def test_wrong_audience(node, ask, system):
    assert unauthorized(asked(node, ask, system, system.token("demo-app", ARM_SCOPE)))


@pytest.mark.parametrize("forgery", [forge.resigned, forge.unsigned, forge.of_another_tenant])
def test_a_forged_or_foreign_token(forgery, node, ask, system):
    assert unauthorized(asked(node, ask, system, forgery(system.token("demo-app"))))


def test_a_removed_role(node, ask, system, operator, demo):
    app = operator.create_identity()
    token = system.token(app.name)
    assignment = operator.assign(app, demo["id"])
    assert asked(node, ask, system, token)["dated"] == {"answer": ANSWER}
    operator.remove(demo["id"], assignment)
    for refused in asked(node, ask, system, token).values():
        assert (refused["kind"], refused["status"]) == ("AuthenticationError", 401)
        assert f"The principal `{app.principal_id}` lacks the required data action" in refused["message"]


def test_a_deleted_identity_and_its_still_valid_token(node, ask, system, operator, demo):
    app = operator.create_caller(demo["id"])
    token = system.token(app.name)
    assert asked(node, ask, system, token)["v1"] == {"answer": ANSWER}
    operator.delete_identity(app)
    assert not forge.is_expired(token)
    assert unauthorized(asked(node, ask, system, token))


@pytest.mark.skipif(sys.platform != "linux", reason="the clock is moved with LD_PRELOAD")
def test_an_expired_token(node, ask, new_system, clock_shim):
    system = new_system().start(env={"LD_PRELOAD": str(clock_shim), "CLOCK_OFFSET_SECS": str(-TWO_DAYS_SECS)})
    token = system.token("demo-app")
    assert asked(node, ask, system, token)["dated"] == {"answer": ANSWER}, "two days ago the token was good"
    assert system.stop() == 0
    system.start()
    assert forge.is_expired(token)
    assert unauthorized(asked(node, ask, system, token))
    assert system.stop() == 0
