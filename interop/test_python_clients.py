"""Python programs get their answers with an identity and no key."""

import sys

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential, get_bearer_token_provider
from openai import AzureOpenAI, OpenAI

from support.clients import ANSWER, API_VERSION, QUESTION, ask, ask_with_id, dated, transport, v1
from support.keyless import AI_SCOPE, environment

ANSWERS = {
    "chat.py": "You said: What is the capital of France? Answer in one sentence.",
    "managed_identity.py": "You said: What is the capital of Japan? Answer in one sentence.",
    "async_chat.py": (
        "You said: Name a colour of the rainbow. One word.\nYou said: Name a season of the year. One word."
    ),
    "stream.py": "You said: Count from one to five.",
    "v1.py": "You said: What is the capital of Italy? Answer in one sentence.",
    "embeddings.py": "0.887  A kitten naps on the couch.\n0.977  Interest rates rose in March.",
}


@pytest.mark.parametrize("program", ANSWERS)
def test_example_runs_unchanged(system, examples, program):
    done = system.run("demo-app", sys.executable, str(examples / "python" / program))
    assert done.stdout.strip() == ANSWERS[program]


def test_every_python_example_is_tested(examples):
    assert {path.name for path in (examples / "python").glob("*.py")} == set(ANSWERS)


def test_default_chain_in_a_shell_prepared_by_env(system):
    variables = system.env("demo-app")
    with environment(variables):
        client = AzureOpenAI(
            azure_ad_token_provider=get_bearer_token_provider(DefaultAzureCredential(), AI_SCOPE),
            azure_endpoint=variables["AZURE_OPENAI_ENDPOINT"],
            api_version=API_VERSION,
            **transport(system),
        )
        assert ask(client) == ANSWER


@pytest.mark.parametrize("selector", ["client_id", "object_id", "resource_id"])
def test_managed_identity_is_chosen_by(selector, system, demo):
    app = system.identity("demo-app")
    choice = {
        "client_id": {"client_id": app["client_id"]},
        "object_id": {"identity_config": {"object_id": app["principal_id"]}},
        "resource_id": {"identity_config": {"mi_res_id": app["id"]}},
    }[selector]
    with environment(system.env("demo-app")):
        token = ManagedIdentityCredential(**choice).get_token(AI_SCOPE).token
    system.memory.remember("access token", token)
    assert ask(dated(system, demo["endpoint"], token=token)) == ANSWER


def test_imds_serves_an_identity_attached_to_the_host(system, operator, demo):
    app = operator.create_caller(demo["id"])
    system.command("host", "attach", app.name, *system.locate())
    with environment({"AZURE_POD_IDENTITY_AUTHORITY_HOST": system.ready["metadata"]}):
        token = ManagedIdentityCredential(client_id=app.client_id).get_token(AI_SCOPE).token
    system.memory.remember("access token", token)
    assert ask(dated(system, demo["endpoint"], token=token)) == ANSWER


def test_ai_foundry_scope_is_accepted_too(system, demo):
    token = system.token("demo-app", "https://ai.azure.com/.default")
    assert ask(v1(system, demo["endpoint"], token)) == ANSWER


def test_every_inference_route_answers_on_the_dated_surface(system, demo):
    client = dated(system, demo["endpoint"], token=system.token("demo-app"))
    every_inference_route_answers(client)


def test_every_inference_route_answers_on_the_v1_surface(system, demo):
    client = v1(system, demo["endpoint"], system.token("demo-app"))
    every_inference_route_answers(client)


def every_inference_route_answers(client: OpenAI):
    assert ask(client) == ANSWER
    assert client.completions.create(model="chat", prompt=QUESTION).choices[0].text == ANSWER
    assert client.responses.create(model="chat", input=QUESTION).output_text == ANSWER
    with client.responses.stream(model="chat", input=QUESTION) as stream:
        assert stream.get_final_response().output_text == ANSWER
    embedding = client.embeddings.create(model="embed", input="aei").data[0].embedding
    assert embedding == [2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert client.models.list().data


def test_a_prompt_of_a_megabyte_comes_before_the_name_of_the_model(system, demo):
    client = v1(system, demo["endpoint"], system.token("demo-app"))
    question = "x" * 1_000_000
    assert ask(client, question=question) == f"You said: {question}"


def test_a_model_of_null_is_the_deployment_in_the_path(system, demo):
    """As LangChain's `AzureChatOpenAI(azure_deployment=...)` sends it."""
    options = {"azure_endpoint": demo["endpoint"], "api_version": API_VERSION, "azure_ad_token": system.token("demo-app")}
    chat = AzureOpenAI(azure_deployment="chat", **options, **transport(system))
    assert ask(chat, deployment=None) == ANSWER
    stream = chat.chat.completions.create(model=None, stream=True, messages=[{"role": "user", "content": QUESTION}])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == ANSWER
    embed = AzureOpenAI(azure_deployment="embed", **options, **transport(system))
    assert embed.embeddings.create(model=None, input="aei").data[0].embedding


def test_the_call_is_audited_under_the_identity_and_its_assignment(system, operator, demo):
    app = operator.create_identity()
    assignment = operator.assign(app, demo["id"])
    _, request_id = ask_with_id(dated(system, demo["endpoint"], token=system.token(app.name)))
    event = system.call(request_id)
    assert (event["outcome"], event["status"]) == ("allowed", 200)
    assert event["actor"]["objectId"] == app.principal_id
    assert event["decision"]["assignment"] == assignment
    assert event["target"].lower() == f"{demo['id']}/deployments/chat".lower()
    assert (event["data"]["promptTokens"], event["data"]["completionTokens"]) == (
        len(QUESTION.split()),
        len(ANSWER.split()),
    )


def test_a_role_on_one_deployment_reaches_that_deployment(system, operator):
    account = operator.create_account(deployments=("chat", "other"))
    app = operator.create_caller(f"{account.id}/deployments/chat")
    assert ask(dated(system, account.endpoint, token=system.token(app.name))) == ANSWER


def test_upstream_gets_the_question_and_nothing_about_the_caller(system, upstream, demo):
    token = system.token("demo-app")
    ask(dated(system, demo["endpoint"], token=token), question="what do you see")
    (seen,) = [request for request in upstream.requests if b"what do you see" in request.body]
    names = {name.lower() for name, _ in seen.headers}
    assert not names & {"authorization", "api-key", "cookie", "x-identity-header", "forwarded", "x-forwarded-for"}
    assert token not in str(seen)
