"""A company that has Entra uses Keyless as its gateway: its own tokens count, for the guests it named and the roles they have."""

import time
import uuid

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential, get_bearer_token_provider
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from openai import AzureOpenAI

from support import forge
from support.clients import ANSWER, API_VERSION, ask, ask_with_id, dated, refusal, transport, v1
from support.entra import AI, ARM, Application, Entra
from support.keyless import AI_SCOPE, ARM_SCOPE, Keyless
from support.operator import GROUP, Operator
from support.refusals import UNAUTHORIZED, permission_denied

# The bound on one look for keys is 2 s; the rest is this machine's.
NO_KEYS_WITHIN_SECS = 6


class StaticCredential:
    """A token that somebody else got."""

    def __init__(self, token: str):
        self._token = token

    def get_token(self, *_scopes, **_options) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


@pytest.fixture(scope="module")
def entra(tmp_path_factory, memory):
    entra = Entra(tmp_path_factory.mktemp("entra"), memory)
    yield entra
    entra.close()


def trust(entra: Entra) -> list[str]:
    tenants = ["--trust-tenant", entra.tenant, "--trust-tenant", entra.other_tenant]
    return [*tenants, "--tenant-authority", entra.url, "--tenant-ca", str(entra.ca_file)]


@pytest.fixture(scope="module")
def company(new_system, entra) -> Keyless:
    company = new_system().start(*trust(entra))
    yield company
    assert company.stop() == 0, company.log()


@pytest.fixture(scope="module")
def owner(company) -> Operator:
    return Operator(company)


@pytest.fixture(scope="module")
def account(company) -> dict:
    return company.account("demo-ai")


def add_guest(system: Keyless, application: Application, tenant: str, *more: str) -> None:
    named = ("--tenant", tenant, "--name", "ci", *more)
    system.command("guest", "add", application.principal_id, *named, *system.locate())


@pytest.fixture(scope="module")
def newcomer(company, entra) -> Application:
    """A guest without any role."""
    application = entra.register()
    add_guest(company, application, entra.tenant)
    return application


@pytest.fixture(scope="module")
def guest(company, entra, owner, account) -> Application:
    """A guest who may call the demo account's models."""
    application = entra.register()
    add_guest(company, application, entra.tenant)
    owner.assign(application, account["id"])
    return application


def credential(entra: Entra, application: Application) -> ClientSecretCredential:
    trusting = {"authority": entra.url, "disable_instance_discovery": True, "connection_verify": str(entra.ca_file)}
    return ClientSecretCredential(entra.tenant, application.client_id, application.secret, **trusting)


# --- who comes in ---


def test_a_program_with_nothing_but_its_entra_identity_calls_a_model(company, entra, guest, account):
    client = AzureOpenAI(
        azure_endpoint=account["endpoint"],
        api_version=API_VERSION,
        azure_ad_token_provider=get_bearer_token_provider(credential(entra, guest), AI_SCOPE),
        **transport(company),
    )
    answer, request_id = ask_with_id(client)
    assert answer == ANSWER
    actor = company.call(request_id)["actor"]
    assert guest.principal_id in str(actor) and entra.tenant in str(actor), "the audit names the home tenant"


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_both_forms_of_issuer_count(version, company, entra, guest, account):
    token = entra.token(guest, version=version)
    assert ask(dated(company, account["endpoint"], token=token)) == ANSWER
    assert ask(v1(company, account["endpoint"], token)) == ANSWER


def management(company: Keyless, credential) -> CognitiveServicesManagementClient:
    return CognitiveServicesManagementClient(
        credential,
        company.subscription,
        base_url=company.ready["control"],
        credential_scopes=[ARM_SCOPE],
        connection_verify=company.ready["ca_file"],
        retry_total=0,
    )


def test_a_guest_reads_with_the_management_client_what_its_role_allows(company, entra, owner, account):
    application = entra.register()
    add_guest(company, application, entra.tenant)
    accounts = management(company, credential(entra, application)).accounts
    with pytest.raises(HttpResponseError) as refused:
        accounts.get(GROUP, "demo-ai")
    assert (refused.value.status_code, refused.value.error.code) == (403, "AuthorizationFailed")
    owner.assign(application, account["id"], "Cognitive Services Contributor")
    assert accounts.get(GROUP, "demo-ai").id == account["id"]


def test_az_gives_a_guest_its_role(company, entra, account, new_az):
    application = entra.register()
    add_guest(company, application, entra.tenant)
    client = dated(company, account["endpoint"], token=entra.token(application))
    assert refusal(client) == permission_denied(application.principal_id)

    az = new_az(company).register().sign_in_as_managed_identity("operator")
    who = f"--assignee-object-id {application.principal_id} --assignee-principal-type ServicePrincipal"
    az(f"role assignment create --scope {account['id']} {who} --role", "Cognitive Services OpenAI User")
    assert ask(client) == ANSWER
    listed = az(f"role assignment list --scope {account['id']}")
    assert application.principal_id in {row["principalId"] for row in listed}


def test_the_owner_sees_and_removes_guests(company, entra, owner, account):
    application = entra.register()
    add_guest(company, application, entra.tenant)
    owner.assign(application, account["id"])
    client = dated(company, account["endpoint"], token=entra.token(application))
    assert ask(client) == ANSWER
    assert application.principal_id in company.command("guest", "list", *company.locate()).stdout
    company.command("guest", "remove", application.principal_id, *company.locate())
    assert refusal(client) == UNAUTHORIZED
    add_guest(company, application, entra.tenant)
    assert refusal(client) == permission_denied(application.principal_id), "the old grant is not there any more"


# --- who does not ---


def test_no_role(company, entra, newcomer, account):
    client = dated(company, account["endpoint"], token=entra.token(newcomer))
    assert refusal(client) == permission_denied(newcomer.principal_id)


def test_nobody_is_a_guest_for_being_in_the_tenant(company, entra, account):
    stranger = entra.register()
    assert refusal(dated(company, account["endpoint"], token=entra.token(stranger))) == UNAUTHORIZED
    told = company.audit()[-1]["decision"]["because"]
    assert f"keyless guest add {stranger.principal_id} --tenant {entra.tenant}" in told, "the owner is told what to do"


STRANGER = str(uuid.uuid4())
CHANGES = {
    "of an untrusted tenant": lambda entra: {"iss": f"https://sts.windows.net/{STRANGER}/", "tid": STRANGER},
    "of an untrusted tenant, v2": lambda entra: {"iss": f"{entra.url}/{STRANGER}/v2.0", "tid": STRANGER},
    "tenant and issuer differ": lambda entra: {"tid": entra.other_tenant},
    "issuer of another trusted tenant": lambda entra: {"iss": entra.issuer_of("1.0", entra.other_tenant)},
    "issuer without its slash": lambda entra: {"iss": f"https://sts.windows.net/{entra.tenant}"},
    "issuer on another host": lambda entra: {"iss": f"https://login.microsoftonline.com/{entra.tenant}/v2.0"},
    "for the control plane": lambda entra: {"aud": ARM},
    "for Graph": lambda entra: {"aud": "https://graph.microsoft.com"},
    "for two": lambda entra: {"aud": [AI, ARM]},
    "expired": lambda entra: {"exp": int(time.time()) - 120},
    "not yet valid": lambda entra: {"nbf": int(time.time()) + 600},
    "the same object id in another trusted tenant": lambda entra: {
        "iss": entra.issuer_of("1.0", entra.other_tenant),
        "tid": entra.other_tenant,
    },
    "a person's": lambda entra: {"idtyp": "user", "scp": "user_impersonation"},
    "without a tenant": lambda entra: {"tid": None},
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_signed_token_that_is(case, company, entra, guest, account):
    claims = entra.claims(guest, **CHANGES[case](entra))
    token = entra.sign({name: value for name, value in claims.items() if value is not None})
    assert refusal(dated(company, account["endpoint"], token=token)) == UNAUTHORIZED


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_a_stranger_made(algorithm, company, entra, guest, account):
    token = entra.forge(entra.claims(guest), algorithm)
    assert refusal(dated(company, account["endpoint"], token=token)) == UNAUTHORIZED


def test_a_token_under_a_known_key_id_that_another_key_signed(company, entra, guest, account):
    token = forge.resigned(entra.token(guest))
    assert refusal(dated(company, account["endpoint"], token=token)) == UNAUTHORIZED


def test_an_entra_token_does_not_open_graph(company, entra, guest):
    for audience in ("https://graph.microsoft.com", ARM):
        answer = requests.get(
            f"{company.ready['control']}/v1.0/me",
            headers={"Authorization": f"Bearer {entra.token(guest, audience)}"},
            verify=company.ready["ca_file"],
            timeout=10,
        )
        assert answer.status_code == 401


def test_a_system_that_trusts_no_tenant_takes_none_of_these(system, demo, entra, guest):
    assert refusal(dated(system, demo["endpoint"], token=entra.token(guest))) == UNAUTHORIZED
    with pytest.raises(ClientAuthenticationError):
        management(system, StaticCredential(entra.token(guest, ARM))).accounts.get(GROUP, "demo-ai")


def test_a_guest_that_is_signed_out_is_challenged(company, entra, owner, account):
    application = entra.register()
    add_guest(company, application, entra.tenant)
    owner.assign(application, account["id"])
    token = entra.token(application)
    assert ask(dated(company, account["endpoint"], token=token)) == ANSWER
    company.command("user", "sign-out", application.principal_id, *company.locate())
    answer = requests.get(
        f"{account['endpoint']}/openai/v1/models",
        headers={"Authorization": f"Bearer {token}"},
        verify=company.ready["ca_file"],
        timeout=10,
    )
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["www-authenticate"]


# --- keys ---


def test_strangers_cause_one_fetch_at_most(company, entra, guest, account):
    assert ask(dated(company, account["endpoint"], token=entra.token(guest))) == ANSWER
    before = entra.key_requests
    for _ in range(50):
        token = entra.sign(entra.claims(guest), kid=uuid.uuid4().hex)
        assert refusal(dated(company, account["endpoint"], token=token)) == UNAUTHORIZED
    assert entra.key_requests - before <= 1
    assert ask(dated(company, account["endpoint"], token=entra.token(guest))) == ANSWER, "and nobody else suffers"


@pytest.mark.parametrize("trouble", ["hang", "500", "huge"])
def test_without_keys_nobody_is_let_in_and_nobody_waits_long(trouble, new_system, entra, guest, account):
    system = new_system().start(*trust(entra))
    demo = system.account("demo-ai")
    application = entra.register()
    add_guest(system, application, entra.tenant)
    Operator(system).assign(application, demo["id"])
    entra.trouble = trouble
    try:
        for _ in range(3):
            began = time.monotonic()
            status, body = refusal(dated(system, demo["endpoint"], token=entra.token(application)))
            assert (status, body["error"]["code"]) == (503, "ServiceUnavailable")
            assert time.monotonic() - began < NO_KEYS_WITHIN_SECS
        assert ask(dated(system, demo["endpoint"], token=system.token("demo-app"))) == ANSWER, "own tokens need no Entra"
    finally:
        entra.trouble = ""
    assert system.stop() == 0


def test_keys_that_are_known_serve_while_entra_is_away(company, entra, guest, account):
    assert ask(dated(company, account["endpoint"], token=entra.token(guest))) == ANSWER
    entra.trouble = "hang"
    try:
        began = time.monotonic()
        assert ask(dated(company, account["endpoint"], token=entra.token(guest))) == ANSWER
        assert time.monotonic() - began < NO_KEYS_WITHIN_SECS
    finally:
        entra.trouble = ""


# --- what the owner may say ---


def test_a_guest_of_an_untrusted_tenant_is_not_added(company, entra):
    command = ("guest", "add", entra.register().principal_id, "--tenant", STRANGER, *company.locate())
    refused = company.command(*command, check=False)
    assert refused.returncode == 1 and f"--trust-tenant {STRANGER}" in refused.stderr


def test_an_object_id_that_is_taken_is_not_a_guests(company, entra):
    taken = company.identity("demo-app")["principal_id"]
    refused = company.command("guest", "add", taken, "--tenant", entra.tenant, *company.locate(), check=False)
    assert refused.returncode == 1 and "exists already" in refused.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["--trust-tenant", "contoso.com"],
        ["--trust-tenant", STRANGER, "--tenant-authority", "http://127.0.0.1:1"],
        ["--trust-tenant", STRANGER, "--tenant-authority", "https://user@127.0.0.1"],
        ["--trust-tenant", STRANGER, "--tenant-authority", "https://127.0.0.1/path"],
        ["--tenant-authority", "https://127.0.0.1"],
    ],
)
def test_trust_that_cannot_be_meant_is_wrong_usage(wrong, company, tmp_path):
    refused = company.command("up", "--data", str(tmp_path), "--port", "0", "--metadata-port", "0", *wrong, check=False)
    assert refused.returncode == 2, refused.stderr


def test_a_system_does_not_trust_its_own_tenant_twice(new_system):
    system = new_system().start()
    tenant = system.ready["tenant_id"]
    assert system.stop() == 0
    refused = system.command(
        "up", *system.locate(), "--port", "0", "--metadata-port", "0", "--trust-tenant", tenant, check=False
    )
    assert refused.returncode == 1 and "own tenant" in refused.stderr
