"""The owner's socket: another user of the machine gets no answer from any of its routes, whatever the modes of the files say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STRANGER = 61234
ASK = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(10)
try:
    connection.connect(sys.argv[1])
    connection.sendall(sys.argv[2].encode())
    print(connection.recv(65536)[:12])
except PermissionError:
    print("no entry")
except ConnectionError:
    print(b"")
"""
DOOR = Path(__file__).resolve().parent.parent / "crates" / "server" / "src" / "local" / "door.rs"
# Read from the source, so that a new route is asked as soon as it is there.
READ = re.findall(r'Method::GET, "(/[a-z/-]+)"', DOOR.read_text())
CHANGED = re.findall(r'^ +"(/[a-z/-]+)" => ', DOOR.read_text(), re.MULTILINE)
REMOVED = re.findall(r'named\("(/[a-z/-]+/)"\)', DOOR.read_text())
ROUTES = [
    *(f"GET {path}" for path in READ),
    *(f"POST {path}" for path in CHANGED),
    *(f"DELETE {path}x" for path in REMOVED),
]


def ask(path: str, route: str, user: int | None) -> str:
    request = f"{route} HTTP/1.1\r\nhost: keyless\r\ncontent-length: 2\r\n\r\n{{}}"
    python = [os.path.realpath(sys.executable), "-I", "-c", ASK, path, request]
    done = subprocess.run(python, user=user, cwd="/", capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a program as another user")
def test_another_user_is_answered_by_no_route(new_system):
    system = new_system().start()
    door = system.data / "keyless.sock"
    assert ask(str(door), "GET /status", None) == "b'HTTP/1.1 200'"
    assert ask(str(door), "GET /status", STRANGER) == "no entry", "the folder keeps others out"
    # The second lock, alone: as if every folder above and the socket were open to all.
    door.chmod(0o666)
    for folder in (system.data, *system.data.parents):
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(0o711)
    before = len(system.audit())
    assert len(READ) >= 5 and len(CHANGED) >= 14 and len(REMOVED) >= 2, "the routes are found in the source"
    for route in ROUTES:
        assert ask(str(door), route, STRANGER) == "b''", route
    assert len(system.audit()) == before, "nothing was done"
    assert ask(str(door), "GET /status", None) == "b'HTTP/1.1 200'"
    assert system.stop() == 0
    system.data.chmod(0o700)
