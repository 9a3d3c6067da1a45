"""What an unmodified program needs beside `keyless run`: the rows of docs/clients.md that no other file shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.clients import API_VERSION
from support.credentials import answers
from support.forge import claims_of
from support.issuer import POD
from support.keyless import AI_SCOPE, IDENTITY_VARIABLES, Keyless
from support.operator import fresh

ANSWER = "You said: What is the capital of France? Answer in one sentence."
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def for_rbac(admin, demo):
    """What everybody types first."""
    return admin.create_application(fresh("app"), "--role", "Cognitive Services OpenAI User", "--scopes", demo["id"])


@pytest.fixture(scope="module")
def programs(examples) -> Path:
    """The examples for Node, beside the `node_modules` that it looks for in the folders above a program."""
    folder = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"]) / "examples"
    shutil.copytree(examples / "node", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    return folder


@pytest.fixture
def languages(examples, programs) -> dict[str, list[str]]:
    """The first example, which knows nothing of Keyless, in both."""
    return {
        "python": [sys.executable, str(examples / "python" / "chat.py")],
        "node": [os.environ["KEYLESS_INTEROP_NODE"], str(programs / "chat.js")],
    }


def known(system: Keyless, demo: dict, **more: str) -> dict[str, str]:
    """The environment of a program that runs without `keyless run`."""
    bare = {name: value for name, value in os.environ.items() if name not in IDENTITY_VARIABLES}
    bundle = system.ready["ca_bundle"]
    where = {"AZURE_AUTHORITY_HOST": system.ready["authority"], "AZURE_OPENAI_ENDPOINT": demo["endpoint"], "OPENAI_API_VERSION": API_VERSION}
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), bundle)
    # What asks the public cloud whether it knows this authority fails at once, and not only where there is no internet.
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1"}
    return bare | where | trust | nowhere | more


def ran(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=90)


# --- az ad sp create-for-rbac, then DefaultAzureCredential ---


@pytest.mark.parametrize("language", ["python", "node"])
def test_an_unmodified_program_with_a_secret_is_answered(language, languages, system, demo, for_rbac):
    who = {"AZURE_CLIENT_ID": for_rbac.app_id, "AZURE_CLIENT_SECRET": for_rbac.secret, "AZURE_TENANT_ID": "adfs"}
    done = ran(languages[language], known(system, demo, **who))
    assert done.stdout.strip() == ANSWER, done.stderr


@pytest.mark.parametrize("language", ["python", "node"])
def test_an_unmodified_program_with_a_wrong_secret_is_refused(language, languages, system, demo, for_rbac):
    who = {"AZURE_CLIENT_ID": for_rbac.app_id, "AZURE_CLIENT_SECRET": "wrong" * 8, "AZURE_TENANT_ID": "adfs"}
    done = ran(languages[language], known(system, demo, **who))
    assert done.returncode == 1
    assert "AADSTS7000215" in done.stderr


@pytest.mark.parametrize(
    ("language", "plain", "switched"),
    [
        ("python", "DefaultAzureCredential()", "DefaultAzureCredential(disable_instance_discovery=True)"),
        ("node", "new DefaultAzureCredential()", "new DefaultAzureCredential({ disableInstanceDiscovery: true })"),
    ],
)
def test_with_the_tenants_id_the_program_needs_one_switch(language, plain, switched, languages, system, demo, for_rbac):
    tenant = system.ready["tenant_id"]
    env = known(system, demo, AZURE_CLIENT_ID=for_rbac.app_id, AZURE_CLIENT_SECRET=for_rbac.secret, AZURE_TENANT_ID=tenant)
    program, file = languages[language]
    assert ran([program, file], env).returncode == 1, "the switch is not needed any more: say so in docs/clients.md"
    text = Path(file).read_text()
    assert plain in text
    changed = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"], "examples", f"switched{Path(file).suffix}")
    changed.write_text(text.replace(plain, switched))
    done = ran([program, str(changed)], env)
    assert done.stdout.strip() == ANSWER, done.stderr


# --- a token of its own ---


@pytest.mark.parametrize(("language", "tenant"), [("python", "id"), ("python", "adfs"), ("node", "adfs")])
def test_an_unmodified_program_with_a_federated_token_is_answered(
    language, tenant, languages, system, demo, workload, issuer, tmp_path
):
    file = tmp_path / "token"
    who = {
        "AZURE_CLIENT_ID": workload.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
        "AZURE_TENANT_ID": tenant.replace("id", system.ready["tenant_id"]),
    }
    file.write_text(issuer.mint(POD))
    done = ran(languages[language], known(system, demo, **who))
    assert done.stdout.strip() == ANSWER, done.stderr
    file.write_text(issuer.mint("system:serviceaccount:shop:other"))
    refused = ran(languages[language], known(system, demo, **who))
    assert refused.returncode == 1
    assert "AADSTS700213" in refused.stderr


# --- GitHub's action Azure/login ---


def test_the_commands_of_azure_login(new_az, system, workload, issuer, operator):
    """`az cloud update` is the step before the action; then come the action's own commands."""
    az = new_az(system)
    operator.assign(workload, f"/subscriptions/{system.subscription}", "Owner")
    authority, control = system.ready["authority"].rstrip("/"), system.ready["control"].rstrip("/")
    az.run("cloud", "update", "-n", "AzureCloud", "--endpoint-active-directory", authority, "--endpoint-resource-manager", control)
    az.run("cloud", "set", "-n", "azurecloud")
    login = ("login", "--service-principal", "--username", workload.client_id, "--tenant", system.ready["tenant_id"])
    refused = az.run(*login, "--federated-token", issuer.mint("system:serviceaccount:shop:other"), "--output", "none", check=False)
    assert refused.returncode == 1 and "AADSTS700213" in refused.stderr
    az.run(*login, "--federated-token", issuer.mint(POD), "--output", "none")
    az.run("account", "set", "--subscription", system.subscription)
    assert "demo" in az("group list --query [].name")


# --- OAuth's own libraries ---

AUTHLIB = """
from authlib.integrations.requests_client import OAuth2Session
session = OAuth2Session(ID, SECRET, scope=SCOPE)
print(session.fetch_token(ENDPOINT, grant_type="client_credentials")["access_token"])
"""
OAUTHLIB = """
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
session = OAuth2Session(client=BackendApplicationClient(ID, scope=[SCOPE]))
print(session.fetch_token(ENDPOINT, client_secret=SECRET, include_client_id=True)["access_token"])
"""
LIBRARIES = ["authlib", "oauthlib", "openid-client"]


def fetched(library: str, system: Keyless, demo: dict, client: str, secret: str) -> subprocess.CompletedProcess:
    authority, tenant = system.ready["authority"].rstrip("/"), system.ready["tenant_id"]
    if library == "openid-client":
        folder = Path(os.environ["KEYLESS_INTEROP_NODE_FRAMEWORKS"])
        program = shutil.copy(HERE / "node-frameworks" / "openid-client.js", folder)
        command = [os.environ["KEYLESS_INTEROP_NODE"], program, authority, tenant, client, secret, AI_SCOPE]
    else:
        given = {
            "ID": client,
            "SECRET": secret,
            "SCOPE": AI_SCOPE,
            "ENDPOINT": f"{authority}/{tenant}/oauth2/v2.0/token",
        }
        lines = "".join(f"{name} = {value!r}\n" for name, value in given.items())
        command = [os.environ["KEYLESS_INTEROP_FRAMEWORKS"], "-c", lines + {"authlib": AUTHLIB, "oauthlib": OAUTHLIB}[library]]
    return ran(command, known(system, demo))


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_oauth_library_gets_a_token(library, system, demo, application, secret):
    done = fetched(library, system, demo, application.client_id, secret)
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    assert answers(system, token)
    assert claims_of(token)["oid"] == application.principal_id


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_oauth_library_says_that_the_secret_is_wrong(library, system, demo, application):
    done = fetched(library, system, demo, application.client_id, "wrong" * 8)
    assert done.returncode == 1
    assert re.search("AADSTS7000215|invalid_client", done.stderr), done.stderr
