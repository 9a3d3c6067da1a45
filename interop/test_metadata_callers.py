"""Who gets a token of the metadata endpoint: the owner's processes, over whatever socket they open, and nobody else on the machine."""

import array
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

RESOURCE = "https://cognitiveservices.azure.com"
JAVA_PROGRAM = Path(__file__).parent / "support" / "programs" / "Ask.java"
# Not `nobody`: where users are mapped, that is everybody without a name.
STRANGER = 61234

ASK = """
import socket, sys
family, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = socket.socket(getattr(socket, family))
connection.settimeout(10)
connection.connect((address, port))
connection.sendall(sys.stdin.buffer.read())
answer = b""
while piece := connection.recv(65536):
    answer += piece
sys.stdout.buffer.write(answer)
"""
# An IPv4 socket, and an IPv6 one to the same address, as .NET and the JVM open them.
FAMILIES = [("AF_INET", "127.0.0.1"), ("AF_INET6", "::ffff:127.0.0.1")]

as_another_user = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a program as another user")


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


def ask(system, request: bytes, family=FAMILIES[0], user: int | None = None) -> tuple[int, dict]:
    port = urlsplit(system.ready["metadata"]).port
    # The interpreter itself, not the environment's link to it: another user may not enter the folder of this one.
    python = [os.path.realpath(sys.executable), "-I", "-c", ASK, *family, str(port)]
    done = subprocess.run(python, input=request, capture_output=True, timeout=20, user=user, cwd="/", check=False)
    assert done.returncode == 0, done.stderr.decode()
    status, _, rest = done.stdout.partition(b"\r\n")
    return int(status.split()[1]), json.loads(rest.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "dual stack"])
def test_the_owners_program_gets_a_token_over_any_socket_i2_n101(family, system, loan):
    for request in (imds(system), app_service(loan)):
        status, body = ask(system, request, family)
        assert status == 200 and body["access_token"], (status, body.get("error"), body.get("message"))


@as_another_user
@pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "dual stack"])
def test_another_user_of_the_machine_gets_none_i2_n101(family, system, loan):
    status, body = ask(system, imds(system), family, STRANGER)
    assert (status, body["error"]) == (401, "unknown_source")
    status, body = ask(system, app_service(loan), family, STRANGER)
    assert (status, "access_token" in body) == (401, False), "with the header of another user's loan"
    assert system.audit()[-1]["outcome"] == "denied"


@as_another_user
@pytest.mark.parametrize("family", [name for name, _ in FAMILIES])
def test_a_connection_that_was_handed_on_is_its_openers_i2_n103(family, system, loan):
    """A stranger opens the connection and hands it to the owner's process, which asks over it."""
    address = dict(FAMILIES)[family]
    port = urlsplit(system.ready["metadata"]).port
    opener = (
        "import array, socket, sys\n"
        f"connection = socket.socket(socket.{family})\n"
        f"connection.connect(({address!r}, {port}))\n"
        "handle = array.array('i', [connection.fileno()])\n"
        "socket.socket(fileno=0).sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handle)])\n"
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        python = [os.path.realpath(sys.executable), "-I", "-c", opener]
        subprocess.run(python, stdin=theirs, user=STRANGER, cwd="/", timeout=20, check=True)
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    handles = array.array("i", ancillary[0][2])
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
