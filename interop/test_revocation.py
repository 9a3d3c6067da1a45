"""What was taken away stops at once on every plane, and a client that may have a new token fetches it by itself.

The clients do that on a claims challenge: the refusal says `insufficient_claims` and for which claims to ask, and azure-core's policy asks the
credential with them, past every cache, and sends the request once more.
"""

import base64
import json
import time

import pytest
import requests
from azure.core import PipelineClient
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from support.clients import ANSWER, API_VERSION, QUESTION, ask, dated, refusal
from support.credentials import by_device_code, going_to
from support.directory import Registered
from support.keyless import AI_SCOPE, ARM_SCOPE, Keyless, environment
from support.operator import GROUP
from support.refusals import UNAUTHORIZED


class Watched:
    """A credential of `azure-identity`, with what azure-core asked of it and the tokens it got."""

    def __init__(self, credential, memory):
        self._credential, self._memory = credential, memory
        self.claims: list[str | None] = []
        self.tokens: list[str] = []

    def get_token_info(self, *scopes: str, options=None):
        self.claims.append((options or {}).get("claims"))
        token = self._credential.get_token_info(*scopes, options=options)
        self.tokens.append(self._memory.remember("access token", token.token))
        return token


@pytest.fixture
def reader(directory, operator, demo) -> Registered:
    """An application that may read the demo account and call its models; each test its own, because each takes something away."""
    application = directory.create_application()
    operator.assign(application, demo["id"], "Cognitive Services Contributor")
    operator.assign(application, demo["id"])
    return application


@pytest.fixture
def credential(system, memory, directory, reader) -> Watched:
    secret = directory.add_secret(reader)
    credential = ClientSecretCredential(system.ready["tenant_id"], reader.client_id, secret, **going_to(system))
    return Watched(credential, memory)


def management(system: Keyless, credential) -> CognitiveServicesManagementClient:
    return CognitiveServicesManagementClient(
        credential,
        system.subscription,
        base_url=system.ready["control"],
        credential_scopes=[ARM_SCOPE],
        connection_verify=system.ready["ca_file"],
        retry_total=0,
    )


def gateway(system: Keyless, credential, account: dict) -> PipelineClient:
    """A data-plane client as Azure's libraries are made: azure-core's pipeline with its own authentication."""
    policies = [BearerTokenCredentialPolicy(credential, AI_SCOPE)]
    transport = RequestsTransport(connection_verify=system.ready["ca_file"])
    return PipelineClient(account["endpoint"], policies=policies, transport=transport)


def chat(client: PipelineClient) -> tuple[int, dict]:
    question = {"messages": [{"role": "user", "content": QUESTION}]}
    path = f"/openai/deployments/chat/chat/completions?api-version={API_VERSION}"
    answer = client.send_request(HttpRequest("POST", client.format_url(path), json=question))
    return answer.status_code, answer.json()


def answered(reply: tuple[int, dict]) -> bool:
    status, body = reply
    return status == 200 and body["choices"][0]["message"]["content"] == ANSWER


def sign_out(system: Keyless, who: Registered) -> None:
    system.command("user", "sign-out", who.principal_id, *system.locate())


# --- by itself ---


def test_the_management_client_replaces_a_revoked_token_by_itself(system, demo, reader, credential):
    accounts = management(system, credential).accounts
    assert accounts.get(GROUP, "demo-ai").id == demo["id"]
    sign_out(system, reader)
    assert accounts.get(GROUP, "demo-ai").id == demo["id"]
    replaced(credential)


def test_a_data_plane_client_replaces_a_revoked_token_by_itself(system, demo, reader, credential):
    client = gateway(system, credential, demo)
    assert answered(chat(client))
    sign_out(system, reader)
    assert answered(chat(client))
    replaced(credential)


def replaced(credential: Watched) -> None:
    """The client asked twice: at first for any token, then for one that is newer than the revocation."""
    assert credential.claims[0] is None and len(credential.claims) == 2
    wanted = json.loads(credential.claims[1])["access_token"]["nbf"]
    assert wanted["essential"] is True and abs(int(wanted["value"]) - time.time()) < 60
    assert len(set(credential.tokens)) == 2


def test_a_managed_identitys_client_replaces_a_revoked_token_by_itself(system, memory, operator, demo):
    app = operator.create_caller(demo["id"])
    variables = system.env(app.name)
    with environment(variables):
        credential = Watched(ManagedIdentityCredential(client_id=app.client_id), memory)
        client = gateway(system, credential, demo)
        assert answered(chat(client))
        sign_out(system, app)
        assert answered(chat(client))
    replaced(credential)


def test_both_planes_send_the_same_challenge(system, demo, reader, credential):
    arm = credential.get_token_info(ARM_SCOPE).token
    ai = credential.get_token_info(AI_SCOPE).token
    sign_out(system, reader)
    seen = [
        challenge(system, f"{system.ready['control']}{demo['id']}?api-version=2024-10-01", arm),
        challenge(system, f"{demo['endpoint']}/openai/v1/models", ai),
    ]
    assert seen[0] == seen[1]
    parameters = dict(part.split("=", 1) for part in seen[0].removeprefix("Bearer ").split(", "))
    assert parameters["error"] == '"insufficient_claims"'
    assert "nbf" in json.loads(base64.b64decode(parameters["claims"].strip('"')))["access_token"]


def challenge(system: Keyless, url: str, token: str) -> str:
    header = {"Authorization": f"Bearer {token}"}
    answer = requests.get(url, headers=header, verify=system.ready["ca_file"], timeout=10)
    assert answer.status_code == 401
    return answer.headers["www-authenticate"]


def test_az_replaces_a_revoked_token_by_itself(system, admin, new_az, directory, reader, demo):
    secret = directory.add_secret(reader)
    az = new_az(system).register()
    who = f"--username {reader.client_id} --password {secret} --tenant {system.ready['tenant_id']}"
    az(f"login --service-principal {who}")
    show = f"cognitiveservices account show --name demo-ai --resource-group {GROUP}"
    assert az(show)["id"] == demo["id"]
    sign_out(system, reader)
    assert az(show)["id"] == demo["id"]


def test_only_tokens_from_before_a_moment_are_revoked(system, demo, reader, credential):
    client = gateway(system, credential, demo)
    assert answered(chat(client))
    system.command("user", "sign-out", reader.principal_id, "--before", "1h", *system.locate())
    assert answered(chat(client))
    assert credential.claims == [None], "the token is younger than that"
    ahead = ("user", "sign-out", reader.principal_id, "--before", "2199-01-01T00:00:00Z", *system.locate())
    assert system.command(*ahead, check=False).returncode == 1


def test_az_signs_a_person_out_by_graph(system, admin, user, demo):
    token = by_device_code(system, user).get_token(AI_SCOPE).token
    client = dated(system, demo["endpoint"], token=system.memory.remember("access token", token))
    assert ask(client) == ANSWER
    url = f"{system.ready['control']}/v1.0/users/{user.principal_id}/revokeSignInSessions"
    done = admin(f"rest --method post --url {url} --resource https://graph.microsoft.com")
    assert done["value"] is True
    assert refusal(client) == UNAUTHORIZED


# --- for good ---


def test_a_disabled_principal_is_refused_everywhere_and_no_new_token_helps(system, demo, directory, reader, credential):
    accounts, client = management(system, credential).accounts, gateway(system, credential, demo)
    accounts.get(GROUP, "demo-ai")
    assert answered(chat(client))
    directory.ask("PATCH", f"servicePrincipals/{reader.principal_id}", {"accountEnabled": False})
    with pytest.raises(HttpResponseError) as refused:
        accounts.get(GROUP, "demo-ai")
    assert refused.value.status_code == 401
    assert chat(client) == UNAUTHORIZED
    assert set(credential.claims) == {None}, "a challenge would send the client in circles"
    with pytest.raises(ClientAuthenticationError, match="AADSTS"):
        fresh(system, reader, directory.add_secret(reader)).get_token(AI_SCOPE)


def test_a_deleted_principal_is_refused_everywhere(system, demo, directory, reader, credential):
    accounts, client = management(system, credential).accounts, gateway(system, credential, demo)
    accounts.get(GROUP, "demo-ai")
    assert answered(chat(client))
    directory.ask("DELETE", f"servicePrincipals/{reader.principal_id}")
    with pytest.raises(HttpResponseError) as refused:
        accounts.get(GROUP, "demo-ai")
    assert refused.value.status_code == 401
    assert chat(client) == UNAUTHORIZED


def test_a_removed_secret_gets_no_token_and_the_last_ones_end_with_the_sessions(system, demo, directory, reader):
    kept, stolen = directory.add_secret(reader), directory.add_secret(reader)
    thief = fresh(system, reader, stolen)
    token = system.memory.remember("access token", thief.get_token(AI_SCOPE).token)
    held = directory.ask("GET", f"applications/{reader.id}")["passwordCredentials"]
    (removed,) = [secret["keyId"] for secret in held if secret["hint"] == stolen[:3]][-1:]
    directory.ask("POST", f"applications/{reader.id}/removePassword", {"keyId": removed})
    sign_out(system, reader)

    assert refusal(dated(system, demo["endpoint"], token=token)) == UNAUTHORIZED
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        fresh(system, reader, stolen).get_token(AI_SCOPE)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        thief.get_token(AI_SCOPE, claims='{"access_token":{"nbf":{"essential":true,"value":"0"}}}')
    assert fresh(system, reader, kept).get_token(AI_SCOPE).token, "the other secret goes on"


def fresh(system: Keyless, who: Registered, secret: str) -> ClientSecretCredential:
    """A client that remembers nothing."""
    return ClientSecretCredential(system.ready["tenant_id"], who.client_id, secret, **going_to(system))
