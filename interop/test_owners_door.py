"""The owner's socket: another user of the machine gets no answer from any of its routes, whatever the modes of the files say."""

import re
import socket
from pathlib import Path

from support.stranger import as_stranger, needs_root

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


def ask(path: str, route: str) -> str:
    request = f"{route} HTTP/1.1\r\nhost: keyless\r\ncontent-length: 2\r\n\r\n{{}}"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(path)
            connection.sendall(request.encode())
            return connection.recv(65536)[:12].decode()
    except PermissionError:
        return "no entry"
    except ConnectionError:
        return ""


@needs_root
def test_another_user_is_answered_by_no_route(new_system):
    system = new_system().start()
    door = system.data / "keyless.sock"
    assert ask(str(door), "GET /status") == "HTTP/1.1 200"
    assert as_stranger(ask, str(door), "GET /status") == "no entry", "the folder keeps others out"
    # The second lock, alone: as if every folder above and the socket were open to all.
    door.chmod(0o666)
    for folder in (system.data, *system.data.parents):
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(0o711)
    before = len(system.audit())
    assert len(READ) >= 5 and len(CHANGED) >= 14 and len(REMOVED) >= 2, "the routes are found in the source"
    for route in ROUTES:
        assert as_stranger(ask, str(door), route) == "", route
    assert len(system.audit()) == before, "nothing was done"
    assert ask(str(door), "GET /status") == "HTTP/1.1 200"
    assert system.stop() == 0
    system.data.chmod(0o700)
