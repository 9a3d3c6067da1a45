"""Who gets a token of the metadata endpoint: the owner's processes, over whatever socket they open, and nobody else on the machine."""

import json
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from support.stranger import as_stranger, needs_root

RESOURCE = "https://cognitiveservices.azure.com"
JAVA_PROGRAM = Path(__file__).parent / "support" / "programs" / "Ask.java"
# An IPv4 socket, and an IPv6 one to the same address, as .NET and the JVM open them.
FAMILIES = [("AF_INET", "127.0.0.1"), ("AF_INET6", "::ffff:127.0.0.1")]


@pytest.fixture(scope="module")
def system(new_system):
    """One of its own: of a stranger's refusals, the first few have an event of their own."""
    system = new_system().start()
    yield system
    assert system.stop() == 0, system.log()


@pytest.fixture(scope="module")
def loan(system) -> dict:
    return system.env("demo-app")


def head(target: str, *lines: str, method: str = "GET", host: str | None = None) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]).encode()


def imds(system, *more: str, **changed) -> bytes:
    target = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={quote(RESOURCE, safe='')}"
    return head(target, "Metadata: true", *more, host=urlsplit(system.ready["metadata"]).netloc, **changed)


def app_service(loan) -> bytes:
    target = f"/msi/token?api-version=2019-08-01&resource={quote(RESOURCE, safe='')}"
    return head(target, f"X-IDENTITY-HEADER: {loan['IDENTITY_HEADER']}", host=urlsplit(loan["IDENTITY_ENDPOINT"]).netloc)


def exchange(request: bytes, family: str, address: str, port: int) -> bytes:
    """All that comes back over a socket of this family."""
    with socket.socket(getattr(socket, family)) as connection:
        connection.settimeout(10)
        connection.connect((address, port))
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def open_and_hand_on(family: str, address: str, port: int, path: str) -> None:
    with socket.socket(getattr(socket, family)) as connection, socket.socket(socket.AF_UNIX) as there:
        connection.connect((address, port))
        there.connect(path)
        socket.send_fds(there, [b"x"], [connection.fileno()])


def ask(system, request: bytes, family=FAMILIES[0], way=lambda function, *arguments: function(*arguments)) -> tuple[int, dict]:
    answer = way(exchange, request, *family, urlsplit(system.ready["metadata"]).port)
    status, _, rest = answer.partition(b"\r\n")
    return int(status.split()[1]), json.loads(rest.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "dual stack"])
def test_the_owners_program_gets_a_token_over_any_socket_i2_n101(family, system, loan):
    for request in (imds(system), app_service(loan)):
        status, body = ask(system, request, family)
        assert status == 200 and body["access_token"], (status, body.get("error"), body.get("message"))


@needs_root
@pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "dual stack"])
def test_another_user_of_the_machine_gets_none_i2_n101(family, system, loan):
    status, body = ask(system, imds(system), family, as_stranger)
    assert (status, body["error"]) == (401, "unknown_source")
    status, body = ask(system, app_service(loan), family, as_stranger)
    assert (status, "access_token" in body) == (401, False), "with the header of another user's loan"
    assert system.audit()[-1]["outcome"] == "denied"


@needs_root
@pytest.mark.parametrize("family", [name for name, _ in FAMILIES])
def test_a_connection_that_was_handed_on_is_its_openers_i2_n103(family, system, loan):
    """A stranger opens the connection and hands it to the owner's process, which asks over it."""
    port = urlsplit(system.ready["metadata"]).port
    # An abstract name: they need no folder of this user's.
    meeting = f"\0{secrets.token_hex(16)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(meeting)
        listener.listen()
        as_stranger(open_and_hand_on, family, dict(FAMILIES)[family], port, meeting)
        with listener.accept()[0] as theirs:
            _, handles, _, _ = socket.recv_fds(theirs, 1, 1)
    with socket.socket(fileno=handles[0]) as connection:
        connection.settimeout(10)
        connection.sendall(app_service(loan))
        assert connection.recv(64).split()[1] == b"401"


def test_a_program_on_the_jvm_gets_a_token_i2_n101(system, loan):
    def asked(url: str, *headers: str) -> tuple[int, dict]:
        command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", str(JAVA_PROGRAM), url, *headers]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        status, _, body = done.stdout.partition(" ")
        return int(status), json.loads(body)

    resource = quote(RESOURCE, safe="")
    url = f"{system.ready['metadata']}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}"
    status, body = asked(url, "Metadata", "true")
    assert status == 200 and body["access_token"], body
    url = f"{loan['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource={resource}"
    status, body = asked(url, "X-IDENTITY-HEADER", loan["IDENTITY_HEADER"])
    assert status == 200 and body["access_token"], body


def test_requests_for_a_proxy_are_refused_on_the_wire_n98(system):
    host = urlsplit(system.ready["metadata"]).netloc
    absolute = f"{system.ready['metadata']}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={RESOURCE}"
    for request in (head(absolute, "Metadata: true", host=host), head(host, host=host, method="CONNECT")):
        status, body = ask(system, request)
        assert (status, body["error"]) == (400, "invalid_request"), request


def test_the_endpoint_is_not_there_for_other_machines_n100(system):
    """The kernel's list of listening sockets: this port is open on loopback only, so TCP itself refuses everybody else."""
    port, listening = urlsplit(system.ready["metadata"]).port, "0A"
    addresses = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            local, state = line.split()[1], line.split()[3]
            if state == listening and int(local.rpartition(":")[2], 16) == port:
                addresses.add(local.rpartition(":")[0])
    assert addresses == {socket.inet_aton("127.0.0.1")[:: 1 if sys.byteorder == "big" else -1].hex().upper()}
