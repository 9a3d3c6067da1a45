"""After everything else has run: no secret is where it must not be. Collected last; see conftest.py."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.secrets import Memory


@pytest.fixture(autouse=True)
def something_to_leak(system, operator, demo, memory):
    """Alone, too, this file must have secrets to look for."""
    account = operator.create_account(local_auth=True)
    operator.keys(account)
    system.token("demo-app")
    operator.create_caller(demo["id"])


@pytest.mark.parametrize("what", ["access token", "identity header", "operator token", "API key of an account"])
def test_the_session_has_met_an(what, memory):
    assert what in memory.known.values()


def test_the_search_finds_what_is_there(memory):
    for secret in memory.known:
        assert memory.found_in(f"before {secret} after")
        assert memory.known_in(b"\0" + secret.encode() + b"\0")
    assert Memory().found_in("-----BEGIN PRIVATE KEY-----") == ["private key"]
    assert Memory().found_in('{"d": "abcdefghijklmnopqrstuvwxyz"}') == ["private JWK member"]
    assert Memory().found_in("nothing of interest") == []


def test_no_secret_in_what_any_system_printed(every_system, memory):
    for system in every_system:
        assert memory.found_in(system.log()) == []


def test_no_secret_in_any_ready_file(every_system, memory):
    for system in every_system:
        if system.ready_file.exists():
            assert memory.found_in(system.ready_file.read_text()) == []


def test_no_secret_in_status(system, memory):
    assert memory.found_in(system.command("status", *system.locate()).stdout) == []
    assert memory.found_in(system.command("status", *system.locate(), "--json").stdout) == []


def test_no_secret_in_the_audit(every_system, system, memory):
    assert memory.found_in(system.command("audit", "query", *system.locate(), "--json").stdout) == []
    for one in every_system:
        for file in files_below(one.data / "audit"):
            assert memory.found_in(file.read_text(errors="replace")) == [], file.name


def test_no_secret_in_clear_anywhere_in_the_data_folder(every_system, memory):
    for system in every_system:
        for file in files_below(system.data):
            assert memory.known_in(file.read_bytes()) == [], file.name


def test_no_private_key_in_clear_in_the_data_folder(every_system):
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)):
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert holds_private_key(b"..." + der) and holds_private_key(b"...." + base64.b64encode(b".." + der)), "such a key would be found"
    for system in every_system:
        for file in files_below(system.data):
            assert not holds_private_key(file.read_bytes()), file.name


# How PKCS #8 begins, after its length: version 0, then the algorithm.
PKCS8 = [bytes.fromhex("020100" + algorithm) for algorithm in ("300d06092a864886f70d010101", "301306072a8648ce3d0201")]


def holds_private_key(data: bytes) -> bool:
    """Whether there is a JWK, or PKCS #8 as it is or in base64, wherever in the base64 it begins."""
    runs = [run.replace(b"\n", b"") for run in re.findall(rb"[A-Za-z0-9+/\n]{64,}", data)]
    decoded = [base64.b64decode(run[shift : shift + (len(run) - shift) // 4 * 4]) for run in runs for shift in range(4)]
    return any(part in text for text in (data, *decoded) for part in (b'"dp":', *PKCS8))


def test_data_folder_is_closed_to_others(every_system):
    # A start that was refused made none.
    for system in (system for system in every_system if system.data.exists()):
        assert system.data.stat().st_mode & 0o077 == 0
        for file in files_below(system.data):
            assert file.stat().st_mode & 0o022 == 0, f"{file.name} may be written by others"


def test_the_upstream_never_saw_a_secret(upstream, memory):
    assert upstream.requests
    for request in upstream.requests:
        assert memory.found_in(f"{request.path} {request.headers} {request.body!r}") == []


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]
