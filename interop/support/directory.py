"""Applications, credentials and people, made through Graph as an administrator makes them."""

import base64
import datetime
import uuid
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .issuer import EXCHANGE
from .keyless import Keyless
from .operator import fresh
from .waiting import next_second

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@dataclass(frozen=True)
class Registered:
    """An application with its service principal; both are addressed by `client_id` outside of Graph."""

    id: str
    client_id: str
    principal_id: str
    name: str


@dataclass(frozen=True)
class User:
    name: str
    password: str
    principal_id: str


@dataclass(frozen=True)
class Certificate:
    """A key and its certificate: both in `pem_file`, the certificate alone in `public`."""

    pem_file: Path
    public: str
    thumbprint: str
    sha256: str
    private: str


class Directory:
    def __init__(self, system: Keyless):
        self.system = system
        self._token = system.operator_token(GRAPH_SCOPE)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        answer = requests.request(
            method,
            f"{self.system.ready['control']}/v1.0/{path}",
            headers={"Authorization": f"Bearer {self._token}"},
            json=body,
            verify=self.system.ready["ca_file"],
            timeout=10,
        )
        assert answer.ok, f"{method} {path} was answered {answer.status_code}: {answer.text}"
        return answer.json() if answer.content else {}

    # --- applications ---

    def create_application(self, **properties) -> Registered:
        made = self.ask("POST", "applications", {"displayName": fresh("app")} | properties)
        principal = self.ask("POST", "servicePrincipals", {"appId": made["appId"]})
        return Registered(made["id"], made["appId"], principal["id"], made["displayName"])

    def add_secret(self, application: Registered) -> str:
        made = self.ask(
            "POST", f"applications/{application.id}/addPassword", {"passwordCredential": {"displayName": "test"}}
        )
        return self.system.memory.remember("client secret", made["secretText"])

    def add_certificate(self, application: Registered, folder: Path) -> Certificate:
        certificate = make_certificate(folder)
        self.ask("PATCH", f"applications/{application.id}", {"keyCredentials": [key_credential(certificate)]})
        return certificate

    def trust(self, application: Registered, issuer: str, subject: str) -> None:
        """Lets the bearer of the issuer's token about `subject` be the application."""
        credential = {"name": "workload", "issuer": issuer, "subject": subject, "audiences": [EXCHANGE]}
        self.ask("POST", f"applications/{application.id}/federatedIdentityCredentials", credential)

    # --- people ---

    def create_user(self) -> User:
        password = self.system.memory.remember("password of a person", f"Correct-horse-{uuid.uuid4().hex}")
        name = f"{fresh('person')}@{self.system.status()['tenant_domain']}"
        profile = {"password": password, "forceChangePasswordNextSignIn": False}
        body = {
            "userPrincipalName": name,
            "displayName": "A person",
            "mailNickname": name.split("@")[0],
            "accountEnabled": True,
        }
        made = self.ask("POST", "users", body | {"passwordProfile": profile})
        next_second()
        return User(name, password, made["id"])


def key_credential(certificate: Certificate) -> dict:
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate.public, "displayName": "test"}


def make_certificate(folder: Path) -> Certificate:
    """A certificate that signed itself, for a day."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a workload")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(minutes=5),
        not_valid_after=now + datetime.timedelta(days=1),
    ).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{uuid.uuid4().hex}.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    der = made.public_bytes(serialization.Encoding.DER)
    thumbprint, sha256 = made.fingerprint(hashes.SHA1()).hex(), made.fingerprint(hashes.SHA256()).hex()
    return Certificate(file, base64.b64encode(der).decode(), thumbprint, sha256, private.decode())
