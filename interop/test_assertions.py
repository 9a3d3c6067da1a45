"""Used client assertions are remembered: over a crash, and whoever presents them again."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests
from azure.identity import CertificateCredential
from requests.adapters import HTTPAdapter

from support.credentials import answers, going_to
from support.directory import Directory, key_credential, make_certificate
from support.keyless import AI_SCOPE
from support.operator import Operator

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LOOPBACK, ANOTHER_ADDRESS = "127.0.0.1", "127.0.0.2"


class From(HTTPAdapter):
    """Requests that come from one address of this machine."""

    def __init__(self, address: str):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


def assertion(system, application, certificate, algorithm: str = "RS256") -> str:
    """What MSAL signs."""
    now = int(time.time())
    claims = {
        "aud": f"{system.ready['authority']}/{system.ready['tenant_id']}/oauth2/v2.0/token",
        "iss": application.client_id,
        "sub": application.client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 600,
    }
    thumbprint = jwt.utils.base64url_encode(bytes.fromhex(certificate.sha256)).decode()
    return jwt.encode(claims, certificate.private, algorithm, headers={"x5t#S256": thumbprint})


def present(system, application, signed: str, address: str = LOOPBACK) -> requests.Response:
    system.memory.remember("client assertion", signed)
    with requests.Session() as session:
        session.trust_env, session.verify = False, system.ready["ca_file"]
        session.mount("https://", From(address))
        return session.post(
            f"{system.ready['authority'].replace('localhost', LOOPBACK)}/{system.ready['tenant_id']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": application.client_id,
                "client_assertion_type": JWT_BEARER,
                "client_assertion": signed,
                "scope": AI_SCOPE,
            },
            timeout=10,
        )


@pytest.fixture(scope="module")
def victim(new_system):
    system = new_system().start()
    yield system
    assert system.stop() == 0


@pytest.fixture(scope="module")
def registered(victim, tmp_path_factory):
    """An application with a certificate."""
    directory = Directory(victim)
    application = directory.create_application()
    return application, directory.add_certificate(application, tmp_path_factory.mktemp("certificate"))


def test_an_assertion_used_before_a_crash_is_refused_after_it_n42(victim, registered):
    application, certificate = registered
    used = assertion(victim, application, certificate)
    assert present(victim, application, used).status_code == 200
    victim.kill()
    victim.start()
    replayed = present(victim, application, used, ANOTHER_ADDRESS)
    assert (replayed.status_code, replayed.json()["error"]) == (401, "invalid_client")
    assert present(victim, application, used).status_code == 200, "the address that used it first, as MSAL does"
    fresh = assertion(victim, application, certificate)
    assert present(victim, application, fresh, ANOTHER_ADDRESS).status_code == 200


def test_an_assertion_works_once_where_the_operator_says_so_n40(victim, registered):
    application, certificate = registered
    used = assertion(victim, application, certificate)
    assert present(victim, application, used).status_code == 200
    assert victim.stop() == 0
    victim.start("--assertions-once")
    assert present(victim, application, used).status_code == 401, "used before the restart"
    fresh = assertion(victim, application, certificate)
    assert [present(victim, application, fresh).status_code for _ in range(2)] == [200, 401]


def test_of_many_who_present_an_assertion_at_once_one_is_answered_n40(victim, registered):
    application, certificate = registered
    for _ in range(5):
        signed = assertion(victim, application, certificate)
        with ThreadPoolExecutor(16) as callers:
            addresses = [f"127.0.0.{last}" for last in range(2, 18)]
            answered = list(callers.map(lambda address: present(victim, application, signed, address).status_code, addresses))
        assert sorted(answered)[0] == 200 and set(sorted(answered)[1:]) <= {401, 429}, answered


def test_a_certificate_takes_the_algorithms_registered_with_it_n7(system, operator: Operator, directory, demo, tmp_path):
    application = directory.create_application()
    operator.assign(application, demo["id"])
    certificate = make_certificate(tmp_path)
    narrow = key_credential(certificate) | {"signingAlgorithms": ["RS256"]}
    directory.ask("PATCH", f"applications/{application.id}", {"keyCredentials": [narrow]})
    shown = directory.ask("GET", f"applications/{application.id}")["keyCredentials"][0]
    assert shown["signingAlgorithms"] == ["RS256"]
    assert present(system, application, assertion(system, application, certificate, "PS256")).status_code == 401
    assert present(system, application, assertion(system, application, certificate)).status_code == 200
    credential = CertificateCredential(
        system.ready["tenant_id"], application.client_id, str(certificate.pem_file), **going_to(system)
    )
    by_azure = credential.get_token(AI_SCOPE).token
    assert answers(system, by_azure)
