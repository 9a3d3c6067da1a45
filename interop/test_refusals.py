"""The same official clients are refused when they should be, in Azure's own words."""

import http.client
import ssl
import sys
from urllib.parse import urlsplit

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential
from openai import APIStatusError

from support import forge
from support.clients import ANSWER, ask, dated, refusal, v1
from support.keyless import AI_SCOPE, ARM_SCOPE, environment
from support.operator import OPENAI_USER
from support.refusals import (
    KEYS_DISABLED,
    NO_DEPLOYMENT,
    NO_ROUTE,
    UNAUTHORIZED,
    WRONG_KEY,
    other_tenant,
    permission_denied,
)

TWO_DAYS_SECS = 2 * 24 * 3600


# --- roles ---


def test_no_role(system, operator, demo):
    app = operator.create_identity()
    client = dated(system, demo["endpoint"], token=system.token(app.name))
    assert refusal(client) == permission_denied(app.principal_id)


def test_no_role_on_the_v1_surface(system, operator, demo):
    app = operator.create_identity()
    client = v1(system, demo["endpoint"], system.token(app.name))
    assert refusal(client) == permission_denied(app.principal_id, route="POST /openai/v1/chat/completions")


def test_a_role_that_is_removed_stops_working_at_once(system, operator, demo):
    app = operator.create_identity()
    client = dated(system, demo["endpoint"], token=system.token(app.name))
    assignment = operator.assign(app, demo["id"])
    assert ask(client) == ANSWER
    operator.remove(demo["id"], assignment)
    assert refusal(client) == permission_denied(app.principal_id)


@pytest.mark.parametrize("role", ["Owner", "Cognitive Services Contributor"])
def test_a_role_without_data_actions_does_not_reach_the_model(role, system, operator, demo):
    app = operator.create_identity()
    operator.assign(app, demo["id"], role)
    client = dated(system, demo["endpoint"], token=system.token(app.name))
    assert refusal(client) == permission_denied(app.principal_id)


def test_a_role_on_one_account_does_not_reach_another(system, operator, demo):
    app = operator.create_caller(operator.create_account().id)
    client = dated(system, demo["endpoint"], token=system.token(app.name))
    assert refusal(client) == permission_denied(app.principal_id)


def test_a_role_on_one_deployment_does_not_reach_another(system, operator):
    account = operator.create_account(deployments=("chat", "chat2"))
    app = operator.create_caller(f"{account.id}/deployments/chat")
    client = dated(system, account.endpoint, token=system.token(app.name))
    assert refusal(client, deployment="chat2") == permission_denied(app.principal_id)


def test_an_application_cannot_give_itself_a_role(system, operator, demo):
    app = operator.create_caller(demo["id"])
    url = f"{system.ready['control'].rstrip('/')}{demo['id']}/providers/Microsoft.Authorization/roleAssignments/{OPENAI_USER}"
    definition = f"/subscriptions/{system.subscription}/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}"
    answer = requests.put(
        url,
        params={"api-version": "2022-04-01"},
        headers={"Authorization": f"Bearer {system.token(app.name, ARM_SCOPE)}"},
        json={"properties": {"roleDefinitionId": definition, "principalId": app.principal_id}},
        verify=system.ready["ca_file"],
        timeout=10,
    )
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "AuthorizationFailed"


# --- tokens ---


def test_wrong_audience(system, demo):
    token = system.token("demo-app", ARM_SCOPE)
    assert refusal(dated(system, demo["endpoint"], token=token)) == UNAUTHORIZED


def test_a_token_of_another_tenant_signed_by_a_stranger(system, demo):
    token = forge.of_another_tenant(system.token("demo-app"))
    assert refusal(dated(system, demo["endpoint"], token=token)) == UNAUTHORIZED


def test_a_token_of_another_system(system, demo, new_system):
    stranger = new_system().start()
    try:
        token = stranger.token("demo-app")
    finally:
        stranger.stop()
    tenant = forge.claims_of(token)["tid"]
    assert tenant != system.ready["tenant_id"]
    assert refusal(dated(system, demo["endpoint"], token=token)) in (UNAUTHORIZED, other_tenant(tenant))


@pytest.mark.parametrize("forgery", [forge.resigned, forge.unsigned])
def test_a_forged_token(forgery, system, demo):
    token = forgery(system.token("demo-app"))
    assert refusal(dated(system, demo["endpoint"], token=token)) == UNAUTHORIZED
    assert refusal(v1(system, demo["endpoint"], token)) == UNAUTHORIZED


@pytest.mark.skipif(sys.platform != "linux", reason="the clock is moved with LD_PRELOAD")
def test_an_expired_token(new_system, clock_shim):
    system = new_system().start(env={"LD_PRELOAD": str(clock_shim), "CLOCK_OFFSET_SECS": str(-TWO_DAYS_SECS)})
    token = system.token("demo-app")
    client = dated(system, system.account("demo-ai")["endpoint"], token=token)
    assert ask(client) == ANSWER, "two days ago the token was good"
    assert system.stop() == 0

    system.start()
    assert forge.is_expired(token)
    assert refusal(dated(system, system.account("demo-ai")["endpoint"], token=token)) == UNAUTHORIZED
    assert system.stop() == 0


def test_a_deleted_identity_and_its_still_valid_token(system, operator, demo):
    app = operator.create_caller(demo["id"])
    variables, token = system.env(app.name), system.token(app.name)
    client = dated(system, demo["endpoint"], token=token)
    assert ask(client) == ANSWER

    operator.delete_identity(app)
    assert not forge.is_expired(token)
    assert refusal(client) == UNAUTHORIZED
    with environment(variables), pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=app.client_id).get_token(AI_SCOPE)


# --- keys ---


def test_a_correct_key_where_local_auth_is_disabled(system, operator):
    account = operator.create_account(local_auth=True)
    key, _ = operator.keys(account)
    operator.set_local_auth(account, False)
    assert refusal(dated(system, account.endpoint, key=key)) == KEYS_DISABLED
    assert refusal(v1(system, account.endpoint, key)) == KEYS_DISABLED


def test_a_wrong_key(system, operator):
    account = operator.create_account(local_auth=True)
    assert refusal(dated(system, account.endpoint, key="0" * 84)) == WRONG_KEY


# --- addresses ---


def test_an_unknown_deployment(system, demo):
    client = dated(system, demo["endpoint"], token=system.token("demo-app"))
    assert refusal(client, deployment="nowhere") == NO_DEPLOYMENT


def test_an_unknown_route(system, demo):
    answer = requests.post(
        f"{demo['endpoint']}/openai/deployments/chat/nonsense?api-version=2024-10-21",
        headers={"Authorization": f"Bearer {system.token('demo-app')}"},
        json={},
        verify=system.ready["ca_file"],
        timeout=10,
    )
    assert (answer.status_code, answer.json()) == NO_ROUTE


def test_no_credential_at_all(system, demo):
    answer = requests.post(
        f"{demo['endpoint']}/openai/deployments/chat/chat/completions?api-version=2024-10-21",
        json={"messages": [{"role": "user", "content": "hello"}]},
        verify=system.ready["ca_file"],
        timeout=10,
    )
    assert (answer.status_code, answer.json()) == WRONG_KEY


# --- who may have a token ---


def test_a_client_id_alone_is_worth_nothing_outside_a_run(system, operator, demo):
    app = operator.create_caller(demo["id"])
    with environment({"AZURE_POD_IDENTITY_AUTHORITY_HOST": system.ready["metadata"]}):
        with pytest.raises(ClientAuthenticationError, match="Identity not found"):
            ManagedIdentityCredential(client_id=app.client_id).get_token(AI_SCOPE)


def test_a_wrong_identity_header(system):
    variables = system.env("demo-app")
    wrong = variables | {"IDENTITY_HEADER": "0" * len(variables["IDENTITY_HEADER"])}
    with environment(wrong), pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=variables["AZURE_CLIENT_ID"]).get_token(AI_SCOPE)
    assert identity_endpoint(wrong).status_code == 401
    assert identity_endpoint(variables).status_code == 200, "the right header works"


def test_the_header_of_an_ended_run(system, memory):
    show = "import os; print(os.environ['IDENTITY_ENDPOINT'], os.environ['IDENTITY_HEADER'], os.environ['AZURE_CLIENT_ID'])"
    endpoint, header, client_id = system.run("demo-app", sys.executable, "-c", show).stdout.split()
    memory.remember("identity header", header)
    variables = {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": header, "AZURE_CLIENT_ID": client_id}
    with environment(variables), pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=client_id).get_token(AI_SCOPE)
    assert identity_endpoint(variables).status_code == 401


def test_one_identity_cannot_take_the_token_of_another(system, operator, demo):
    app, other = operator.create_identity(), operator.create_caller(demo["id"])
    variables = system.env(app.name)
    with environment(variables), pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=other.client_id).get_token(AI_SCOPE)


def identity_endpoint(variables: dict[str, str]) -> requests.Response:
    """The App Service form of a token request, without a client library in between."""
    return requests.get(
        variables["IDENTITY_ENDPOINT"],
        params={
            "api-version": "2019-08-01",
            "resource": "https://cognitiveservices.azure.com",
            "client_id": variables["AZURE_CLIENT_ID"],
        },
        headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]},
        timeout=10,
    )


# --- what is written down ---


def test_a_refusal_is_audited_like_an_answer(system, operator, demo):
    app = operator.create_identity()
    with pytest.raises(APIStatusError) as refused:
        ask(dated(system, demo["endpoint"], token=system.token(app.name)))
    event = system.call(refused.value.response.headers["apim-request-id"])
    assert (event["outcome"], event["status"]) == ("denied", 401)
    assert event["actor"]["objectId"] == app.principal_id
    assert event["decision"]["allowed"] is False


def test_a_refused_call_never_reaches_the_upstream(system, operator, upstream, demo):
    app = operator.create_identity()
    with pytest.raises(APIStatusError):
        ask(dated(system, demo["endpoint"], token=system.token(app.name)), question="this must not arrive")
    assert not [request for request in upstream.requests if b"this must not arrive" in request.body]


def test_a_refusal_spares_the_connection(system, demo):
    """The reason must reach a caller who is still sending; a closed connection could overtake it."""
    address = urlsplit(demo["endpoint"])
    context = ssl.create_default_context(cafile=system.ready["ca_file"])
    connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=10)
    path = f"{address.path}/openai/deployments/chat/chat/completions?api-version=2024-10-21"
    connection.connect()
    first = connection.sock
    for _ in range(20):
        # http.client sends head and body apart, so the body arrives after the refusal was decided.
        connection.request("POST", path, body=b'{"messages":[]}' * 1000, headers={"Authorization": "Bearer wrong"})
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (401, True)
        assert connection.sock is first
    connection.close()
