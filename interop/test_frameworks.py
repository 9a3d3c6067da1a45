"""The frameworks that programs use above the official clients: each answered with a role, and refused in its own words without one.

The programs in `frameworks/` and `node-frameworks/` are what each framework's documentation shows for Azure with an identity.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.clients import ANSWER

HERE = Path(__file__).parent
NOT_PROGRAMS = {"all_of_them", "all-of-them", "question", "openid-client"}
# These two say in their requirements that they need openai below 3.
OPENAI_2 = ("litellm_chat", "llama_index_chat")
PYTHON = sorted({path.stem for path in (HERE / "frameworks").glob("*.py")} - NOT_PROGRAMS)
NODE = sorted({path.stem for path in (HERE / "node-frameworks").glob("*.js")} - NOT_PROGRAMS)
ANSWERS = dict.fromkeys([*PYTHON, *NODE], ANSWER) | {"instructor_object": "Paris", "langchain_embeddings": "8 dimensions"}
# What a program catches. The words behind it are the gateway's.
REFUSALS = {
    "ai-sdk": "APICallError",
    "autogen_chat": "openai.AuthenticationError",
    "azure_ai_inference_chat": "azure.core.exceptions.ClientAuthenticationError",
    "haystack_chat": "openai.AuthenticationError",
    "instructor_object": "instructor.v2.core.errors.InstructorRetryException",
    "langchain": "AuthenticationError",
    "langchain_chat": "langchain_openai.chat_models.base.OpenAIAuthenticationError",
    "langchain_embeddings": "openai.AuthenticationError",
    "langchain_stream": "langchain_openai.chat_models.base.OpenAIAuthenticationError",
    "litellm_chat": "litellm.exceptions.AuthenticationError",
    "llama_index_chat": "openai.AuthenticationError",
    "openai_agents": "openai.AuthenticationError",
    "pydantic_ai_chat": "pydantic_ai.exceptions.ModelAuthenticationError",
    "semantic_kernel_chat": "semantic_kernel.exceptions.service_exceptions.ServiceResponseException",
}


class Outcomes:
    """What every program was told while its identity had a role, and after the role was taken away."""

    def __init__(self):
        self.with_role: dict[str, dict] = {}
        self.without: dict[str, dict] = {}


@pytest.fixture(scope="module")
def caller(operator):
    return operator.create_identity()


@pytest.fixture(scope="module")
def outcomes(system, operator, demo, caller) -> Outcomes:
    python, node = os.environ["KEYLESS_INTEROP_FRAMEWORKS"], os.environ["KEYLESS_INTEROP_NODE"]
    runner = str(HERE / "frameworks" / "all_of_them.py")
    # Node looks for modules in the folders above a program.
    folder = Path(os.environ["KEYLESS_INTEROP_NODE_FRAMEWORKS"]) / "programs"
    shutil.copytree(HERE / "node-frameworks", folder, dirs_exist_ok=True)
    openai_2 = next(Path(os.environ["KEYLESS_INTEROP_OPENAI_2"]).parent.parent.glob("lib/*/site-packages"))
    # litellm asks the internet for prices otherwise.
    bare = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    # What run.py installed is compiled already; our own runner's wish not to write more does not matter.
    groups = (
        ([python, runner, *(name for name in PYTHON if name not in OPENAI_2)], {}),
        ([python, runner, *OPENAI_2], {"PYTHONPATH": str(openai_2)}),
        ([node, str(folder / "all-of-them.js"), *NODE], {}),
    )
    assignment = operator.assign(caller, demo["id"])
    processes = [started(system, caller, command, bare | more) for command, more in groups]
    outcomes = Outcomes()
    try:
        for process in processes:
            outcomes.with_role |= result(process)
        operator.remove(demo["id"], assignment)
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            outcomes.without |= result(process)
            process.communicate("\n", timeout=60)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return outcomes


def started(system, caller, command: list[str], env: dict[str, str]) -> subprocess.Popen:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(system.run_command(caller.name, *command), env=env, text=True, **streams)


def result(process: subprocess.Popen) -> dict[str, dict]:
    for line in process.stdout:
        if line.startswith("result "):
            return json.loads(line.removeprefix("result "))
    raise AssertionError(f"{process.args} ended without a result")


def test_every_program_is_listed():
    assert set(REFUSALS) == set(ANSWERS)


@pytest.mark.parametrize("name", [*PYTHON, *NODE])
def test_an_identity_with_a_role_is_answered(name, outcomes):
    assert outcomes.with_role[name] == {"answer": ANSWERS[name]}


@pytest.mark.parametrize("name", [*PYTHON, *NODE])
def test_the_framework_says_that_the_role_is_gone(name, outcomes, caller):
    told = outcomes.without[name]["error"]
    assert told.startswith(f"{REFUSALS[name]}: "), told
    assert f"The principal `{caller.principal_id}` lacks the required data action" in told
