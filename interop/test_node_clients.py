"""Node programs get their answers with an identity and no key."""

import os
import shutil
from pathlib import Path

import pytest

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
