"""Tokens signed with ES256, for the resource that asks for it: every plane and every verifier agrees on them."""

import jwt
import msal
import pytest
import requests
from azure.identity import ClientSecretCredential, ManagedIdentityCredential

from support.clients import ANSWER, ask, dated
from support.credentials import going_to
from support.directory import Directory
from support.keyless import AI_SCOPE, ARM_SCOPE, environment
from support.operator import Operator

AI_RESOURCE = "https://cognitiveservices.azure.com"


@pytest.fixture(scope="module")
def modern(new_system):
    system = new_system().start("--es256", AI_RESOURCE)
    yield system
    assert system.stop() == 0


@pytest.fixture(scope="module")
def registered(modern):
    """An application that may call the demo account's models, and its secret."""
    directory = Directory(modern)
    application = directory.create_application()
    Operator(modern).assign(application, modern.account("demo-ai")["id"])
    return application, directory.add_secret(application)


def algorithm(token: str) -> str:
    return jwt.get_unverified_header(token)["alg"]


def use(system, token: str) -> str:
    system.memory.remember("access token", token)
    return ask(dated(system, system.account("demo-ai")["endpoint"], token=token))


def verified(system, token: str) -> dict:
    """What a strict relying party makes of a token, going by discovery alone."""
    ours = {"verify": system.ready["ca_file"], "timeout": 10}
    base = f"{system.ready['authority']}/{system.ready['tenant_id']}"
    discovery = requests.get(f"{base}/.well-known/openid-configuration", **ours).json()
    key_set = jwt.PyJWKSet.from_dict(requests.get(discovery["jwks_uri"], **ours).json())
    key = key_set[jwt.get_unverified_header(token)["kid"]]
    assert key.algorithm_name == algorithm(token)
    return jwt.decode(
        token,
        key.key,
        algorithms=discovery["id_token_signing_alg_values_supported"],
        audience=AI_RESOURCE,
        issuer=discovery["issuer"],
    )


def test_azure_identity_gets_one_and_the_model_answers(modern, registered):
    application, secret = registered
    credential = ClientSecretCredential(
        modern.ready["tenant_id"], application.client_id, secret, **going_to(modern)
    )
    token = credential.get_token(AI_SCOPE).token
    assert algorithm(token) == "ES256"
    assert use(modern, token) == ANSWER
    assert verified(modern, token)["oid"] == application.principal_id
    assert algorithm(credential.get_token(ARM_SCOPE).token) == "RS256", "nobody asked for another here"


def test_msal_gets_one(modern, registered):
    application, secret = registered
    session = requests.Session()
    session.trust_env, session.verify = False, modern.ready["ca_file"]
    client = msal.ConfidentialClientApplication(
        application.client_id,
        client_credential=secret,
        authority=f"{modern.ready['authority']}/{modern.ready['tenant_id']}",
        instance_discovery=False,
        http_client=session,
    )
    token = client.acquire_token_for_client([AI_SCOPE])["access_token"]
    assert algorithm(token) == "ES256"
    assert use(modern, token) == ANSWER


def test_a_managed_identity_gets_one(modern):
    variables = modern.env("demo-app")
    with environment(variables):
        token = ManagedIdentityCredential(client_id=variables["AZURE_CLIENT_ID"]).get_token(AI_SCOPE).token
    assert algorithm(token) == "ES256"
    assert use(modern, token) == ANSWER
    verified(modern, token)


def test_a_key_added_to_a_running_system_is_published_before_it_signs(new_system):
    """Verifiers keep a key set for a day: until they know the new key, RS256 goes on."""
    system = new_system().start()
    assert algorithm(system.token("demo-app")) == "RS256"
    assert system.stop() == 0
    system.start("--es256", AI_RESOURCE)
    assert algorithm(system.token("demo-app")) == "RS256"
    jwks = requests.get(
        f"{system.ready['authority']}/{system.ready['tenant_id']}/discovery/v2.0/keys",
        verify=system.ready["ca_file"],
        timeout=10,
    ).json()
    assert {key["alg"] for key in jwks["keys"]} == {"RS256", "ES256"}
    assert system.stop() == 0
