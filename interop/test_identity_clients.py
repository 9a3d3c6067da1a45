"""Every credential of `azure-identity` that a program may hold, and MSAL: accepted when right, refused when not."""

import asyncio
import time
from threading import Thread
from types import SimpleNamespace

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    InteractiveBrowserCredential,
    OnBehalfOfCredential,
    WorkloadIdentityCredential,
    aio,
)

from support.credentials import answers, by_device_code, going_to
from support.directory import Registered, make_certificate
from support.forge import claims_of
from support.issuer import POD
from support.keyless import AI_SCOPE, environment
from support.person import Person

JOB = "repo:octo-org@123456/octo-repo@456789:environment:Production"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@pytest.fixture
def authority(system) -> dict:
    return going_to(system)


# --- applications ---


def test_client_secret(system, application, secret, authority):
    credential = ClientSecretCredential(system.ready["tenant_id"], application.client_id, secret, **authority)
    assert answers(system, credential.get_token(AI_SCOPE).token)


def test_client_secret_in_the_authorization_header_as_oauth_libraries_send_it(system, application, secret):
    url = f"{system.ready['authority']}/{system.ready['tenant_id']}/oauth2/v2.0"
    document = f"{system.ready['authority']}/{system.ready['tenant_id']}/v2.0/.well-known/openid-configuration"
    verify = {"verify": system.ready["ca_file"], "timeout": 10}
    assert "client_secret_basic" in requests.get(document, **verify).json()["token_endpoint_auth_methods_supported"]
    form = {"grant_type": "client_credentials", "scope": AI_SCOPE}
    answer = requests.post(f"{url}/token", form, auth=(application.client_id, secret), **verify)
    assert claims_of(answer.json()["access_token"])["appid"] == application.client_id
    twice = requests.post(f"{url}/token", form | {"client_secret": secret}, auth=(application.client_id, secret), **verify)
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    wrong = requests.post(f"{url}/token", form, auth=(application.client_id, "wrong"), **verify)
    assert (wrong.status_code, wrong.headers["www-authenticate"].split()[0]) == (401, "Basic")


def test_client_secret_from_an_asynchronous_program(system, application, secret, authority):
    async def get() -> str:
        async with aio.ClientSecretCredential(
            system.ready["tenant_id"], application.client_id, secret, **authority
        ) as credential:
            return (await credential.get_token(AI_SCOPE)).token

    assert answers(system, asyncio.run(get()))


@pytest.mark.parametrize("scope", [AI_SCOPE, "https://ai.azure.com/.default", "https://management.azure.com/.default"])
def test_a_token_is_for_the_resource_that_was_asked_for(scope, system, application, secret, authority):
    credential = ClientSecretCredential(system.ready["tenant_id"], application.client_id, secret, **authority)
    claims = claims_of(credential.get_token(scope).token)
    assert claims["aud"] == scope.removesuffix("/.default")
    assert (claims["oid"], claims["appid"]) == (application.principal_id, application.client_id)


def test_a_wrong_secret(system, application, authority):
    credential = ClientSecretCredential(system.ready["tenant_id"], application.client_id, "wrong" * 8, **authority)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215: Invalid client secret provided"):
        credential.get_token(AI_SCOPE)


def test_a_resource_that_does_not_exist(system, application, secret, authority):
    credential = ClientSecretCredential(system.ready["tenant_id"], application.client_id, secret, **authority)
    with pytest.raises(ClientAuthenticationError, match="AADSTS500011"):
        credential.get_token("https://nothing.example.com/.default")


@pytest.mark.parametrize("send_chain", [False, True])
def test_certificate_by_rs256(send_chain, system, application, certificate, authority):
    credential = CertificateCredential(
        system.ready["tenant_id"],
        application.client_id,
        str(certificate.pem_file),
        send_certificate_chain=send_chain,
        **authority,
    )
    assert answers(system, credential.get_token(AI_SCOPE).token)


def test_certificate_by_ps256(system, application, certificate, authority):
    """The asynchronous client signs by PS256 and names the certificate by SHA-256."""

    async def get() -> str:
        async with aio.CertificateCredential(
            system.ready["tenant_id"], application.client_id, str(certificate.pem_file), **authority
        ) as credential:
            return (await credential.get_token(AI_SCOPE)).token

    assert answers(system, asyncio.run(get()))


def test_a_certificate_that_is_not_registered(system, application, authority, tmp_path):
    stranger = make_certificate(tmp_path)
    credential = CertificateCredential(
        system.ready["tenant_id"], application.client_id, str(stranger.pem_file), **authority
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        credential.get_token(AI_SCOPE)


def test_msal_with_a_secret(system, application, secret):
    client = confidential(system, application, secret)
    assert answers(system, client.acquire_token_for_client([AI_SCOPE])["access_token"])
    # The second is the cache's own.
    assert client.acquire_token_for_client([AI_SCOPE])["token_source"] == "cache"


@pytest.mark.parametrize("named_by", ["sha1", "sha256"])
def test_msal_with_a_certificate(named_by, system, application, certificate):
    credential = {"private_key": certificate.private, "public_certificate": certificate.pem_file.read_text()}
    if named_by == "sha1":
        credential = {"private_key": certificate.private, "thumbprint": certificate.thumbprint}
    client = confidential(system, application, credential)
    answer = client.acquire_token_for_client([AI_SCOPE])
    assert "access_token" in answer, answer.get("error_description")
    assert answers(system, answer["access_token"])


def test_msal_hears_what_is_wrong(system, application):
    answer = confidential(system, application, "wrong" * 8).acquire_token_for_client([AI_SCOPE])
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])


def confidential(system, application: Registered, credential) -> msal.ConfidentialClientApplication:
    session = requests.Session()
    # This machine's own REQUESTS_CA_BUNDLE would otherwise decide.
    session.trust_env, session.verify = False, system.ready["ca_file"]
    return msal.ConfidentialClientApplication(
        application.client_id,
        client_credential=credential,
        authority=f"{system.ready['authority']}/{system.ready['tenant_id']}",
        instance_discovery=False,
        http_client=session,
    )


# --- a workload's own token ---


def test_a_pod_with_a_token_file_that_rotates(system, workload, issuer, authority, tmp_path):
    """The file is read anew for every token, and the cluster may sign with a key that it published before."""
    file = tmp_path / "token"
    variables = {
        "AZURE_CLIENT_ID": workload.client_id,
        "AZURE_TENANT_ID": system.ready["tenant_id"],
        "AZURE_AUTHORITY_HOST": system.ready["authority"],
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
    }
    del authority["authority"]
    file.write_text(issuer.mint(POD))
    with environment(variables):
        assert answers(system, WorkloadIdentityCredential(**authority).get_token(AI_SCOPE).token)
        issuer.rotate()
        file.write_text(issuer.mint(POD))
        assert answers(system, WorkloadIdentityCredential(**authority).get_token(AI_SCOPE).token)


def test_one_credential_follows_its_token_file(system, workload, issuer, authority, tmp_path, monkeypatch):
    """The library reads the file again after ten minutes: its clock is moved on, and nothing else."""
    ahead, file = [0], tmp_path / "token"
    clock = SimpleNamespace(time=lambda: time.time() + ahead[0])
    monkeypatch.setattr("azure.identity._credentials.workload_identity.time", clock)
    file.write_text(issuer.mint(POD))
    credential = WorkloadIdentityCredential(
        tenant_id=system.ready["tenant_id"], client_id=workload.client_id, token_file_path=str(file), **authority
    )
    assert answers(system, credential.get_token(AI_SCOPE).token)
    # Another resource, so that no token at hand serves. Each token of the file shows by its subject that it was read.
    for subject, expected in (("system:serviceaccount:shop:web", False), (POD, True)):
        file.write_text(issuer.mint(subject))
        ahead[0] += 601
        if expected:
            assert answers(system, credential.get_token("https://ai.azure.com/.default").token)
        else:
            with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
                credential.get_token("https://ai.azure.com/.default")


def test_a_pod_of_another_service_account(system, workload, issuer, authority, tmp_path):
    file = tmp_path / "token"
    file.write_text(issuer.mint("system:serviceaccount:shop:web"))
    credential = WorkloadIdentityCredential(
        tenant_id=system.ready["tenant_id"], client_id=workload.client_id, token_file_path=str(file), **authority
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        credential.get_token(AI_SCOPE)


def test_a_github_job(system, operator, demo, directory, issuer, authority):
    """GitHub is asked for a token for every exchange; the subject holds the ids that no rename can move."""
    application = directory.create_application()
    operator.assign(application, demo["id"])
    directory.trust(application, issuer.url, JOB)
    job = issuer.job_env(JOB)

    def assertion() -> str:
        answer = requests.get(
            f"{job['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=api://AzureADTokenExchange",
            headers={"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
            verify=issuer.ca_file,
            timeout=10,
        )
        return answer.json()["value"]

    credential = ClientAssertionCredential(system.ready["tenant_id"], application.client_id, assertion, **authority)
    assert answers(system, credential.get_token(AI_SCOPE).token)


# --- people ---


def test_a_person_with_a_device_code(system, user):
    token = by_device_code(system, user).get_token(AI_SCOPE).token
    claims = claims_of(token)
    assert (claims["oid"], claims["upn"], claims["appid"]) == (user.principal_id, user.name, AZURE_CLI)
    assert answers(system, token)


def test_a_persons_second_token_needs_no_second_sign_in(system, user):
    credential = by_device_code(system, user)
    credential.get_token(AI_SCOPE)
    credential._prompt_callback = None
    assert answers(system, credential.get_token("https://ai.azure.com/.default").token)


def test_a_person_with_a_browser(system, user, authority, monkeypatch):
    """The page hands the code over with a form that the browser sends to the program (`response_mode=form_post`)."""

    def browse(url: str, *_):
        # The program listens for the answer only once its browser was started.
        Thread(target=lambda: someone.send(someone.sign_in(url))).start()
        return True

    someone = Person(system, user.name, user.password)

    monkeypatch.setattr("azure.identity._credentials.browser._open_browser", browse)
    credential = InteractiveBrowserCredential(tenant_id=system.ready["tenant_id"], timeout=30, **authority)
    assert answers(system, credential.get_token(AI_SCOPE).token)


def test_on_behalf_of_a_person(system, directory, user, authority):
    """A person's token for our API becomes a token of that person for the model; the person's own roles decide."""
    api = directory.create_application()
    directory.ask("PATCH", f"applications/{api.id}", {"identifierUris": [f"api://{api.client_id}"]})
    secret = directory.add_secret(api)
    assertion = by_device_code(system, user).get_token(f"api://{api.client_id}/.default").token
    system.memory.remember("access token", assertion)
    credential = OnBehalfOfCredential(
        system.ready["tenant_id"], api.client_id, client_secret=secret, user_assertion=assertion, **authority
    )
    token = credential.get_token(AI_SCOPE).token
    assert (claims_of(token)["oid"], claims_of(token)["appid"]) == (user.principal_id, api.client_id)
    assert answers(system, token)


def test_a_token_for_another_api_is_no_assertion(system, directory, user, authority):
    api = directory.create_application()
    assertion = by_device_code(system, user).get_token(AI_SCOPE).token
    system.memory.remember("access token", assertion)
    credential = OnBehalfOfCredential(
        system.ready["tenant_id"],
        api.client_id,
        client_secret=directory.add_secret(api),
        user_assertion=assertion,
        **authority,
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS50013"):
        credential.get_token(AI_SCOPE)
