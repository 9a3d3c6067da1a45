"""What the listener refuses before any handler is asked: old protocols, and heads that are too large."""

import shutil
import socket
import ssl
import subprocess
from urllib.parse import urlsplit

import pytest
import requests

ALERT, HANDSHAKE, PROTOCOL_VERSION = 21, 22, 70


def address(system) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(system.ready["gateway"]).port


def connect(system, context: ssl.SSLContext) -> ssl.SSLSocket:
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(address(system), timeout=10))


def client_hello(version: tuple[int, int]) -> bytes:
    """A client's greeting, byte by byte: the TLS library of this machine may refuse to write one of an old version."""
    suites = bytes.fromhex("c02bc02fc009c013002f000a00ff")
    groups, points, signatures = "000a0006000400170018", "000b00020100", "000d00080006040304010804"
    extensions = bytes.fromhex(groups + points + signatures)
    body = bytes(version) + bytes(32) + b"\0" + len(suites).to_bytes(2, "big") + suites + b"\x01\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake


def greeted(system, version: tuple[int, int]) -> bytes:
    with socket.create_connection(address(system), timeout=10) as plain:
        plain.sendall(client_hello(version))
        return plain.recv(7)


@pytest.mark.parametrize("version", [(3, 0), (3, 1), (3, 2)], ids=["SSL 3.0", "TLS 1.0", "TLS 1.1"])
def test_an_old_protocol_is_refused_n133(version, system):
    answer = greeted(system, version)
    assert answer[0] == ALERT and answer[6] == PROTOCOL_VERSION, answer
    assert greeted(system, (3, 3))[0] == HANDSHAKE, "the same greeting with TLS 1.2 in it is answered"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_current_protocols_are_spoken(version, system):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    with connect(system, context) as encrypted:
        assert encrypted.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_renegotiation_is_refused_n133(system):
    openssl = shutil.which("openssl")
    assert openssl, "install openssl: no other client asks for a renegotiation"
    done = subprocess.run(
        [openssl, "s_client", "-connect", "{}:{}".format(*address(system)), "-tls1_2"],
        input="R\n",
        capture_output=True,
        text=True,
        timeout=20,
    )
    said = done.stdout + done.stderr
    assert "RENEGOTIATING" in said, said
    assert "no renegotiation" in said, said


@pytest.mark.parametrize("size", [150_000, 1_000_000])
def test_a_head_that_is_too_large_is_answered_431_n81(size, system):
    head = f"GET /subscriptions HTTP/1.1\r\nhost: localhost\r\nx-large: {'a' * size}\r\n\r\n"
    assert answer_whatever_was_sent(system, head.encode())[:12] == b"HTTP/1.1 431"


def answer_whatever_was_sent(system, data: bytes) -> bytes:
    """The answer, which may come, and the connection end, before all is sent. TLS is done beside the socket: what fails there fails a write only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(system.ready["ca_file"])
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, sent, server_hostname="localhost")
    with socket.create_connection(address(system), 20) as plain:

        def until(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    if sent.pending:
                        plain.sendall(sent.read())
                    received.write(plain.recv(16384))

        until(tls.do_handshake)
        tls.write(data)
        try:
            plain.sendall(sent.read())
        except ConnectionError:
            pass
        return until(lambda: tls.read(4096))


def test_more_than_a_hundred_headers_are_answered_431_n81(system):
    head = "GET /subscriptions HTTP/1.1\r\nhost: localhost\r\n" + "".join(f"x-{n}: 1\r\n" for n in range(101)) + "\r\n"
    with connect(system, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as encrypted:
        encrypted.sendall(head.encode())
        assert encrypted.recv(12) == b"HTTP/1.1 431"


@pytest.mark.parametrize("path", ["/ai/demo-ai/openai/deployments/chat/chat/completions", "/subscriptions", "/v1.0/users", "/adfs/oauth2/token"])
def test_a_request_that_is_refused_before_its_body_was_read_sees_its_answer(path, system):
    """A client that sends 300 kB before it looks for an answer never finds the connection reset."""
    for _ in range(50):
        answer = requests.post(system.ready["gateway"] + path, data=b"x" * 300_000, verify=system.ready["ca_file"], timeout=20)
        assert 400 <= answer.status_code < 500, answer.text
