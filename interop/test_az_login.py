"""Every way in that `az login` has, and the ways it is refused."""

import json
import re

import pytest
import requests

from support.az import Application, Az
from support.browser import Browser
from support.clients import ANSWER, ask, dated
from support.forge import claims_of
from support.issuer import Issuer
from support.operator import fresh
from support.person import Person

OPENAI_USER = "Cognitive Services OpenAI User"
AI_RESOURCE = "https://cognitiveservices.azure.com"
REPOSITORY = "repo:octo-org/octo-repo:ref:refs/heads/main"


@pytest.fixture(scope="module")
def application(admin, demo) -> Application:
    """May call the demo account's models. Made by az, unlike the other tests' application."""
    return admin.create_application(fresh("app"), "--role", OPENAI_USER, "--scopes", demo["id"])


@pytest.fixture
def az(new_az, system) -> Az:
    """Not signed in yet."""
    return new_az(system).register()


def token(az: Az, resource: str = AI_RESOURCE) -> str:
    printed = az("account get-access-token --resource", resource)
    assert printed["tenant"] == az.system.ready["tenant_id"]
    return az.system.memory.remember("access token", printed["accessToken"])


def reaches_the_model(az: Az) -> bool:
    account = az.system.account("demo-ai")
    return ask(dated(az.system, account["endpoint"], token=token(az))) == ANSWER


# --- the cloud ---


def test_the_cloud_is_registered_by_one_address(az, system):
    endpoints = az("cloud show -n local")["endpoints"]
    control, authority = system.ready["control"], system.ready["authority"]
    assert endpoints["resourceManager"].rstrip("/") == control
    assert endpoints["activeDirectory"] == authority
    assert endpoints["activeDirectoryResourceId"] == f"{control}/"
    assert endpoints["microsoftGraphResourceId"] == f"{control}/"


def test_the_cloud_needs_no_registration_when_a_variable_names_it(new_az, system, application):
    az = new_az(system)
    az.identity = {
        "ARM_CLOUD_METADATA_URL": f"{system.ready['control']}/metadata/endpoints?api-version=2019-05-01",
        "SSL_CERT_FILE": system.ready["ca_file"],
    }
    assert [cloud["isActive"] for cloud in az("cloud list")] == [True]
    az.sign_in_with_secret(application)
    assert reaches_the_model(az)


# --- applications ---


def test_with_a_client_secret(az, system, application):
    az.sign_in_with_secret(application)
    (shown,) = az("account list --refresh")
    assert (shown["id"], shown["tenantId"]) == (system.subscription, application.tenant)
    assert az("account show")["user"] == {"name": application.app_id, "type": "servicePrincipal"}
    assert reaches_the_model(az)


def test_logged_out_there_is_no_token(az, application):
    az.sign_in_with_secret(application)
    az("logout")
    assert az("account list") == []
    assert "az login" in az.refused("account get-access-token --resource", AI_RESOURCE)


def test_a_wrong_secret_is_named_as_such(az, application):
    said = az.refused(
        "login --service-principal -u", application.app_id, "-p", "wrong" * 8, "--tenant", application.tenant
    )
    assert "AADSTS7000215: Invalid client secret provided." in said


def test_an_unknown_application_is_named_as_such(az, application):
    stranger = "00000000-aaaa-bbbb-cccc-000000000001"
    said = az.refused(
        "login --service-principal -u", stranger, "-p", application.secret, "--tenant", application.tenant
    )
    assert f"AADSTS700016: Application with identifier '{stranger}' was not found" in said


def test_an_unknown_tenant_is_named_as_such(az, application):
    stranger = "00000000-aaaa-bbbb-cccc-000000000002"
    said = az.refused(
        "login --service-principal", "-u", application.app_id, "-p", application.secret, "--tenant", stranger
    )
    assert "AADSTS90002" in said


def test_a_secret_that_was_replaced_opens_nothing(az, admin, demo):
    application = admin.create_application(fresh("app"), "--role", OPENAI_USER, "--scopes", demo["id"])
    reset = admin("ad app credential reset --id", application.app_id)
    admin.system.memory.remember("client secret", reset["password"])
    assert "AADSTS7000215" in az.refused("login --service-principal", *application.login)
    az("login --service-principal -u", application.app_id, "-p", reset["password"], "--tenant", application.tenant)


def test_with_a_certificate_that_az_made(az, admin, demo):
    made = admin("ad sp create-for-rbac --create-cert -n", fresh("app"), "--role", OPENAI_USER, "--scopes", demo["id"])
    certificate = made["fileWithCertAndPrivateKey"]
    az("login --service-principal -u", made["appId"], "--certificate", certificate, "--tenant", made["tenant"])
    assert reaches_the_model(az)


def test_with_the_tenants_domain_in_place_of_its_id(az, system, application):
    domain = system.status()["tenant_domain"]
    az("login --service-principal -u", application.app_id, "-p", application.secret, "--tenant", domain)
    assert az("account show")["tenantId"] == application.tenant


# --- a workload's own token ---


@pytest.fixture(scope="module")
def ci(admin, demo, issuer) -> dict:
    """A managed identity that trusts the repository's jobs."""
    name = fresh("ci")
    made = admin("identity create -g demo -n", name)
    admin.shell(
        """
        az role assignment create --role "$ROLE" --scope "$SCOPE" \\
            --assignee-object-id "$PRINCIPAL" --assignee-principal-type ServicePrincipal
        az identity federated-credential create --name github --identity-name "$NAME" -g demo \\
            --issuer "$ISSUER" --subject "$SUBJECT" --audiences api://AzureADTokenExchange
        """,
        {
            "ROLE": OPENAI_USER,
            "PRINCIPAL": made["principalId"],
            "SCOPE": demo["id"],
            "NAME": name,
            "ISSUER": issuer.url,
            "SUBJECT": REPOSITORY,
        },
    )
    return made


def federated(az: Az, client_id: str, assertion: str) -> tuple[str, ...]:
    tenant = az.system.ready["tenant_id"]
    return ("-u", client_id, "--tenant", tenant, "--federated-token", assertion)


def test_with_a_federated_token(az, ci, issuer):
    az("login --service-principal", *federated(az, ci["clientId"], issuer.mint(REPOSITORY)))
    assert reaches_the_model(az)


def test_a_github_job_signs_in_with_the_token_it_is_given(az, ci, issuer):
    """The job asks GitHub for its token, az exchanges it, and the model answers; no secret is stored."""
    left = az.shell(
        """
        ID_TOKEN=$(curl --silent --fail --cacert "$ISSUER_CA" \\
            -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=api://AzureADTokenExchange" |
            sed 's/.*"value": "\\([^"]*\\)".*/\\1/')
        az login --service-principal -u "$CLIENT_ID" --tenant "$TENANT_ID" --federated-token "$ID_TOKEN"
        TOKEN=$(az account get-access-token --scope https://cognitiveservices.azure.com/.default \\
            --query accessToken -otsv)
        """,
        issuer.job_env(REPOSITORY)
        | {
            "CLIENT_ID": ci["clientId"],
            "TENANT_ID": az.system.ready["tenant_id"],
            "ISSUER_CA": str(issuer.ca_file),
        },
    )
    access_token = az.system.memory.remember("access token", left["TOKEN"])
    assert ask(dated(az.system, az.system.account("demo-ai")["endpoint"], token=access_token)) == ANSWER


@pytest.mark.parametrize(
    ("code", "subject", "changes"),
    [
        ("AADSTS700213", "repo:octo-org/another-repo:ref:refs/heads/main", {}),
        ("AADSTS700213", "repo:octo-org/octo-repo:pull_request", {}),
        ("AADSTS700212", REPOSITORY, {"aud": "https://github.com/octo-org"}),
        ("AADSTS700211", REPOSITORY, {"iss": "https://token.actions.githubusercontent.com"}),
        ("AADSTS700024", REPOSITORY, {"nbf": 1, "iat": 1, "exp": 2}),
    ],
    ids=["another repository", "a pull request", "another audience", "another issuer", "a token of yesterday"],
)
def test_a_federated_token_is_refused_for(code, subject, changes, az, ci, issuer):
    assertion = issuer.mint(subject, **changes)
    assert code in az.refused("login --service-principal", *federated(az, ci["clientId"], assertion))


def test_a_federated_token_signed_by_a_stranger_is_refused(az, ci, issuer, tmp_path):
    stranger = Issuer(tmp_path, kid=issuer.kid)
    try:
        forged = stranger.mint(REPOSITORY, iss=issuer.url)
    finally:
        stranger.close()
    assert "AADSTS" in az.refused("login --service-principal", *federated(az, ci["clientId"], forged))


# --- managed identities ---


def test_as_a_managed_identity_lent_to_the_shell(az):
    az.sign_in_as_managed_identity("demo-app")
    assert az("account show")["user"] == {
        "assignedIdentityInfo": f"MSIClient-{az.system.identity('demo-app')['client_id']}",
        "name": "userAssignedIdentity",
        "type": "servicePrincipal",
    }
    assert reaches_the_model(az)


def test_as_a_managed_identity_in_keyless_run(az, system):
    """Nothing is set up but the program: `keyless run -- az ...`."""
    system.run("demo-app", str(az.program), "login", "--identity", env=az.env)
    printed = system.run("demo-app", str(az.program), "account", "show", "--query", "id", "-otsv", env=az.env)
    assert printed.stdout.strip() == system.subscription


def test_with_a_wrong_identity_header(az, system):
    variables = system.env("demo-app")
    az.identity = {"IDENTITY_ENDPOINT": variables["IDENTITY_ENDPOINT"], "IDENTITY_HEADER": "wrong" * 9}
    assert "401" in az.refused("login --identity --client-id", variables["AZURE_CLIENT_ID"])


@pytest.mark.parametrize("selector", ["client-id", "object-id", "resource-id"])
def test_as_an_identity_of_the_host_chosen_by(selector, az, system, host_identity):
    az.identity = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": system.ready["metadata"]}
    choice = {
        "client-id": host_identity.client_id,
        "object-id": host_identity.principal_id,
        "resource-id": host_identity.id,
    }[selector]
    az(f"login --identity --{selector}", choice)
    assert reaches_the_model(az)


@pytest.fixture(scope="module")
def host_identity(system, operator, demo):
    app = operator.create_caller(demo["id"])
    system.command("host", "attach", app.name, *system.locate())
    return app


def test_an_identity_that_the_host_does_not_have(az, system):
    az.identity = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": system.ready["metadata"]}
    assert "Identity not found" in az.refused("login --identity --client-id", system.identity("operator")["client_id"])


# --- when tokens are revoked ---


def test_az_replaces_tokens_of_a_revoked_key_by_itself(new_az, new_system):
    """The refusal says what is missing (`insufficient_claims`), and az gets a new token without bothering anybody."""
    system = new_system().start()
    admin = new_az(system).register().sign_in_as_managed_identity("operator")
    where = f"/subscriptions/{system.subscription}"
    az = (
        new_az(system)
        .register()
        .sign_in_with_secret(admin.create_application(fresh("app"), "--role", "Owner", "--scopes", where))
    )
    stolen = token(az, f"{system.ready['control']}/")
    (key,) = json.loads(system.command("keys", "list", "--json", *system.locate()).stdout)
    system.command("keys", "rotate", "--now", *system.locate())
    system.command("keys", "revoke", key["kid"], *system.locate())
    assert use(system, stolen) == (401, "insufficient_claims")
    assert "demo" in {group["name"] for group in az("group list")}
    assert "demo" in {group["name"] for group in admin("group list")}
    assert use(system, token(az, f"{system.ready['control']}/")) == (200, "")
    assert system.stop() == 0


def use(system, access_token: str) -> tuple[int, str]:
    """Status and the challenge's error of a read with a token."""
    answer = requests.get(
        f"{system.ready['control']}/subscriptions?api-version=2022-12-01",
        headers={"Authorization": f"Bearer {access_token}"},
        verify=system.ready["ca_file"],
        timeout=10,
    )
    challenge = answer.headers.get("www-authenticate", "")
    return answer.status_code, (re.findall(r'error="(\w+)"', challenge) or [""])[0]


# --- people ---


@pytest.fixture(scope="module")
def alice(admin) -> Person:
    """A person who may call the demo account's models."""
    return create_person(admin, "alice")


def create_person(admin: Az, called: str) -> Person:
    person = somebody(admin.system, called)
    admin("ad user create --display-name", called, "--user-principal-name", person.name, "--password", person.password)
    demo = admin.system.account("demo-ai")["id"]
    admin("role assignment create --assignee", person.name, "--role", OPENAI_USER, "--scope", demo)
    return person


def somebody(system, called: str) -> Person:
    """Not in the directory yet."""
    password = system.memory.remember("password of a person", f"Correct-horse-{fresh('battery')}")
    return Person(system, f"{fresh(called)}@{system.status()['tenant_domain']}", password)


def is_signed_in(az: Az, alice: Person) -> bool:
    assert az("account show")["user"] == {"name": alice.name, "type": "user"}
    assert claims_of(token(az))["upn"] == alice.name
    return reaches_the_model(az)


def test_with_a_device_code(az, alice):
    az.sign_in_with_device_code(alice)
    assert is_signed_in(az, alice)


def test_with_a_device_code_in_a_named_tenant(az, alice, system):
    az.sign_in_with_device_code(alice, "--tenant", system.ready["tenant_id"])
    assert is_signed_in(az, alice)


def test_a_person_who_is_signed_out_must_sign_in_again(az, admin, system):
    bob = create_person(admin, "bob")
    az.sign_in_with_device_code(bob)
    assert az("account list-locations")
    system.command("user", "sign-out", admin("ad user show --id", bob.name)["id"], *system.locate())
    assert "TokenIssuedBeforeRevocationTimestamp" in az.refused("account list-locations")
    said = az.refused("account get-access-token --resource", AI_RESOURCE)
    assert "AADSTS50173" in said
    assert "az login" in said


def test_the_first_administrator_is_invited_by_a_link_that_works_once(az, system):
    carol = somebody(system, "carol")
    invited = system.command("user", "invite", carol.name, "--owner", *system.locate()).stdout
    (link,) = re.findall(r"https://\S+", invited)
    carol.sign_in(link)
    assert carol.seen[-1].status == 200
    az.sign_in_with_device_code(carol)
    assert "demo" in {group["name"] for group in az("group list")}
    mallory = Person(system, carol.name, "another password of nobody")
    assert mallory.open(link).forms == []


def test_with_a_browser(az, alice, system, tmp_path):
    waiting, url = az.start_in_browser(tmp_path)
    with Browser(tmp_path, system.ready["authority"], system.ready["ca_file"]) as browser:
        browser.open(url)
        browser.fill("input[type=email]", alice.name)
        browser.fill("input[type=password]", alice.password)
        browser.press("button[type=submit]")
        _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, f"{said}\n{browser.text}"
        assert browser.url.startswith("http://localhost:")
        # What the page at the end, az's own, complains about is not ours.
        assert [said for said in browser.console() if system.ready["authority"] in said] == []
    assert is_signed_in(az, alice)


def test_a_wrong_password_in_the_browser_leads_nowhere(az, alice, system, tmp_path):
    waiting, url = az.start_in_browser(tmp_path)
    try:
        with Browser(tmp_path, system.ready["authority"], system.ready["ca_file"]) as browser:
            browser.open(url)
            browser.fill("input[type=email]", alice.name)
            browser.fill("input[type=password]", "wrong" * 8)
            browser.press("button[type=submit]")
            browser.fill("input[type=password]", "x")
            assert browser.url.startswith(system.ready["authority"])
            assert "AADSTS50126" in browser.text or "password" in browser.text.lower()
            assert waiting.poll() is None
            browser.press("button[name=cancel]")
            _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 1
        assert "AADSTS65004" in said, said
    finally:
        waiting.kill()
    assert az("account list") == []
