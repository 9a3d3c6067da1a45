"""`keyless up --upstream` takes the models that the server has, and says what it could not find."""

import json

import pytest
import requests
from openai import APIStatusError

from support.clients import ANSWER, ask, dated
from support.operator import Operator
from support.upstream import Upstream

MODELS = ("nomic-embed-text", "llama3.2:3b")


@pytest.fixture
def strict():
    """As Ollama: 404 for a model that it does not have."""
    upstream = Upstream(MODELS, strict=True)
    yield upstream
    upstream.close()


def client_of(system):
    return dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))


def asked_for(upstream) -> list[str]:
    return [seen.json["model"] for seen in upstream.requests if seen.method == "POST"]


def test_a_named_server_is_asked_which_models_it_has(new_system, strict):
    system = new_system(strict.url).start()
    client = client_of(system)
    assert ask(client) == ANSWER
    assert client.embeddings.create(model="embed", input="aei").data[0].embedding
    assert asked_for(strict) == ["llama3.2:3b", "nomic-embed-text"]
    system.wait_for_log("demo-ai/chat +.*llama3.2:3b")
    assert system.stop() == 0


def test_a_server_that_is_down_is_said_and_taken_when_it_comes(new_system):
    first = Upstream(MODELS, strict=True)
    url, port = first.url, int(first.url.rsplit(":", 1)[1])
    first.close()
    system = new_system(url).start()
    system.wait_for_log("cannot be reached .*calls are answered 503 until it is there")
    shown = system.command("status", *system.locate(), check=False)
    assert shown.returncode == 1
    assert "healthy" not in shown.stdout
    assert "degraded: the model server" in shown.stdout
    ready = requests.get(f"{system.ready['operations']}/readyz", timeout=20)
    assert (ready.status_code, ready.text.startswith("degraded: the model server")) == (200, True)
    client = client_of(system)
    with pytest.raises(APIStatusError) as refused:
        ask(client)
    assert refused.value.status_code == 503
    failed = system.calls()[-1]
    assert "no connection to the model server" in failed["decision"]["because"]
    assert failed["decision"]["allowed"]

    strict = Upstream(MODELS, strict=True, port=port)
    try:
        system.wait_for_log("the model server is there again", within_secs=30)
        assert ask(client) == ANSWER
        assert system.status()["health"] == "ok"
    finally:
        strict.close()
    assert system.stop() == 0


def test_a_server_that_lists_nothing_is_asked_for_the_name_of_the_model(new_system):
    silent = Upstream((), strict=True)
    system = new_system(silent.url).start()
    system.wait_for_log("lists no models .*deployments ask it for the model they name")
    with pytest.raises(APIStatusError) as refused:
        ask(client_of(system))
    assert refused.value.status_code == 502
    system.wait_for_log("does not know the model `chat` or the path")
    assert "does not know the model `chat`" in system.calls()[-1]["decision"]["because"]
    silent.close()
    assert system.stop() == 0


def test_a_model_that_stands_in_is_said_at_the_start_and_when_a_deployment_is_made(new_system, strict):
    system = new_system(strict.url).start()
    account = Operator(system).create_account(deployments=("gpt-4o",))
    system.wait_for_log("no model server has the model of this deployment.*gpt-4o")
    served = json.loads(system.command("status", *system.locate(), "--json").stdout)["deployments"]
    made = next(one for one in served if one["name"] == f"{account.name}/gpt-4o")
    assert (made["stands_in"], made["answered_by"]) == (True, "llama3.2:3b")
    assert system.stop() == 0

    strict.models = ("qwen3:4b", "nomic-embed-text")
    system.start()
    system.wait_for_log("demo-ai/chat +qwen3:4b answers; the model server does not have llama3.2:3b")
    assert ask(client_of(system)) == ANSWER
    assert asked_for(strict)[-1] == "qwen3:4b"
    assert system.calls()[-1]["data"]["model"] == "qwen3:4b"
    assert system.stop() == 0
