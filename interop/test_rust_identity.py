"""Rust's official `azure_identity`: every credential that it has for programs, against a running system."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from support.clients import API_VERSION, QUESTION
from support.directory import make_certificate
from support.forge import claims_of
from support.issuer import POD
from support.keyless import AI_SCOPE, ARM_SCOPE, IDENTITY_VARIABLES, Keyless
from support.link_local import LinkLocal

TIMEOUT_SECS = 60


class Rust:
    """The program in `rust/`, as a process with an environment of its own."""

    def __init__(self, system: Keyless, program: Path):
        self.system, self.program = system, program

    def run(self, credential: str, verb: str, thing: str, env: dict[str, str]) -> subprocess.CompletedProcess:
        ours = {*IDENTITY_VARIABLES, "SSL_CERT_DIR"}
        bare = {name: value for name, value in os.environ.items() if name not in ours}
        # Where Rust's TLS finds the roots: the one variable that `keyless env` sets for that.
        trust = {"SSL_CERT_FILE": self.system.ready["ca_file"], "AZURE_AUTHORITY_HOST": self.system.ready["authority"]}
        command = [str(self.program), credential, verb, thing]
        return subprocess.run(command, env=bare | trust | env, capture_output=True, text=True, timeout=TIMEOUT_SECS)

    def token(self, credential: str, env: dict[str, str], scope: str = AI_SCOPE) -> str:
        done = self.run(credential, "token", scope, env)
        assert done.returncode == 0, done.stderr
        return self.system.memory.remember("access token", done.stdout.strip())

    def chat(self, credential: str, env: dict[str, str]) -> tuple[str, str]:
        """Status and body of the model's answer."""
        done = self.run(credential, "chat", chat_url(self.system), env)
        assert done.returncode == 0, done.stderr
        status, _, body = done.stdout.partition("\n")
        return status, body

    def refused(self, credential: str, env: dict[str, str], scope: str = AI_SCOPE) -> str:
        """What the client says when it gets no token."""
        done = self.run(credential, "token", scope, env)
        assert done.returncode == 1 and not done.stdout, "there is a token"
        return done.stderr


def chat_url(system: Keyless) -> str:
    endpoint = system.account("demo-ai")["endpoint"]
    return f"{endpoint}/openai/deployments/chat/chat/completions?api-version={API_VERSION}"


@pytest.fixture(scope="module")
def rust(system) -> Rust:
    return Rust(system, Path(os.environ["KEYLESS_INTEROP_RUST"]))


@pytest.fixture(scope="module")
def app(operator, demo):
    """An identity that may call the demo account's models."""
    return operator.create_caller(demo["id"])


@pytest.fixture
def by_secret(system, application, secret) -> dict[str, str]:
    known = {"AZURE_TENANT_ID": system.ready["tenant_id"], "AZURE_CLIENT_ID": application.client_id}
    return known | {"AZURE_CLIENT_SECRET": secret}


@pytest.fixture
def by_certificate(by_secret, certificate, tmp_path) -> dict[str, str]:
    return {**by_secret, "AZURE_CLIENT_CERTIFICATE_PATH": str(as_pkcs12(certificate.pem_file, tmp_path / "identity.pfx"))}


def as_pkcs12(pem_file: Path, file: Path) -> Path:
    """The one form that the crate reads: PKCS #12 without a password."""
    pem = pem_file.read_bytes()
    key, public = serialization.load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"", key, public, None, serialization.NoEncryption()))
    return file


@pytest.fixture
def pod(system, workload, issuer, tmp_path) -> dict[str, str]:
    """The environment of a pod that runs as the workload, as Kubernetes and its webhook set it."""
    return pod_of(system, workload, issuer, tmp_path / "token", POD)


def pod_of(system, workload, issuer, file: Path, subject: str) -> dict[str, str]:
    file.write_text(issuer.mint(subject))
    known = {"AZURE_TENANT_ID": system.ready["tenant_id"], "AZURE_CLIENT_ID": workload.client_id}
    return known | {"AZURE_FEDERATED_TOKEN_FILE": str(file)}


def answers(reply: tuple[str, str]) -> bool:
    status, body = reply
    return status == "200" and QUESTION in body


# --- who comes in ---


def test_client_secret(rust, by_secret, application):
    assert answers(rust.chat("client-secret", by_secret))
    claims = claims_of(rust.token("client-secret", by_secret))
    assert (claims["oid"], claims["aud"]) == (application.principal_id, AI_SCOPE.removesuffix("/.default"))
    assert claims_of(rust.token("client-secret", by_secret, ARM_SCOPE))["aud"].startswith("https://management.azure.com")


def test_client_certificate(rust, by_certificate, application):
    assert answers(rust.chat("client-certificate", by_certificate))
    assert claims_of(rust.token("client-certificate", by_certificate))["oid"] == application.principal_id


def test_async_openai(rust, system, app):
    """Not an Azure library: it takes a base URL and a key, and the token stands where the key would."""
    endpoint = f"{system.account('demo-ai')['endpoint']}/openai/v1"
    done = rust.run("managed-identity", "openai", endpoint, system.env(app.name))
    assert done.stdout.strip() == f"You said: {QUESTION}", done.stderr


def test_managed_identity_of_app_service(rust, system, app):
    variables = system.env(app.name)
    assert answers(rust.chat("managed-identity", variables))
    assert claims_of(rust.token("managed-identity", variables))["oid"] == app.principal_id


def test_managed_identity_of_imds(rust, system, app):
    """The crate asks 169.254.169.254, whatever it is told."""
    with LinkLocal(system.ready["metadata"]) as link_local:
        variables = link_local.env | {"AZURE_CLIENT_ID": app.client_id}
        assert "has not been assigned to this resource" in rust.refused("managed-identity", variables)
        system.command("host", "attach", app.name, *system.locate())
        assert claims_of(rust.token("managed-identity", variables))["oid"] == app.principal_id
        assert answers(rust.chat("managed-identity", variables | {"NO_PROXY": "localhost"}))


def test_workload_identity(rust, pod, workload):
    assert answers(rust.chat("workload-identity", pod))
    assert claims_of(rust.token("workload-identity", pod))["oid"] == workload.principal_id


def test_developer_tools(rust, admin, system):
    token = rust.token("developer-tools", admin.env | {"PATH": f"{admin.program.parent}:{os.environ['PATH']}"})
    assert claims_of(token)["oid"] == system.identity("operator")["principal_id"]


# --- who does not ---


def test_a_wrong_secret(rust, by_secret):
    assert "AADSTS7000215" in rust.refused("client-secret", by_secret | {"AZURE_CLIENT_SECRET": "wrong"})


def test_a_certificate_that_is_not_registered(rust, by_certificate, tmp_path):
    stranger = as_pkcs12(make_certificate(tmp_path).pem_file, tmp_path / "stranger.pfx")
    told = rust.refused("client-certificate", by_certificate | {"AZURE_CLIENT_CERTIFICATE_PATH": str(stranger)})
    assert "AADSTS700027" in told


def test_async_openai_without_a_role(rust, system, operator):
    endpoint = f"{system.account('demo-ai')['endpoint']}/openai/v1"
    done = rust.run("managed-identity", "openai", endpoint, system.env(operator.create_identity().name))
    assert done.returncode == 1
    assert "lacks the required data action" in done.stderr


def test_an_unknown_application(rust, by_secret):
    assert "AADSTS700016" in rust.refused("client-secret", by_secret | {"AZURE_CLIENT_ID": by_secret["AZURE_TENANT_ID"]})


def test_an_unknown_tenant(rust, by_secret):
    assert "AADSTS90002" in rust.refused("client-secret", by_secret | {"AZURE_TENANT_ID": by_secret["AZURE_CLIENT_ID"]})


def test_an_unknown_resource(rust, by_secret):
    assert "AADSTS500011" in rust.refused("client-secret", by_secret, "https://unknown.example/.default")


def test_no_role(rust, system, operator):
    status, body = rust.chat("managed-identity", system.env(operator.create_identity().name))
    assert (status, "PermissionDenied" in body) == ("401", True)


def test_a_deleted_identity(rust, system, operator, demo):
    app = operator.create_caller(demo["id"])
    variables = system.env(app.name)
    assert answers(rust.chat("managed-identity", variables))
    operator.delete_identity(app)
    assert "ManagedIdentityCredential" in rust.refused("managed-identity", variables)


def test_a_wrong_identity_header(rust, system, app):
    variables = system.env(app.name) | {"IDENTITY_HEADER": "0" * 43}
    assert "ManagedIdentityCredential" in rust.refused("managed-identity", variables)


def test_another_identity_than_the_one_lent(rust, system, app):
    variables = system.env(app.name) | {"AZURE_CLIENT_ID": system.identity("operator")["client_id"]}
    assert "ManagedIdentityCredential" in rust.refused("managed-identity", variables)


def test_another_pod(rust, system, workload, issuer, tmp_path):
    stranger = pod_of(system, workload, issuer, tmp_path / "token", "system:serviceaccount:shop:other")
    assert "AADSTS700213" in rust.refused("workload-identity", stranger)


def test_a_system_whose_certificate_nobody_vouches_for(rust, by_secret, issuer):
    told = rust.refused("client-secret", by_secret | {"SSL_CERT_FILE": str(issuer.ca_file)})
    assert "certificate" in told.lower()
