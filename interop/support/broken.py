"""A system some of whose endpoints are broken: its owner's socket, with other addresses in its status."""

import http.client
import json
import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread

from .keyless import Keyless


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


class UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def broken(system: Keyless, folder: Path, planes: tuple[str, ...], status: int, body: bytes):
    """A data folder whose system is `system`, except that `planes` answer everything with `status`. Yields the folder."""

    class Broken(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    class Door(BaseHTTPRequestHandler):
        def forward(self):
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            upstream = UnixConnection(system.data / "keyless.sock")
            upstream.request(self.command, self.path, sent, {"content-type": "application/json"})
            answer = upstream.getresponse()
            text = answer.read()
            if self.path == "/status":
                text = json.dumps(json.loads(text) | dict.fromkeys(planes, url)).encode()
            self.send_response(answer.status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = forward

        def address_string(self):
            return "local"

        def log_message(self, *_):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    url = f"http://127.0.0.1:{web.server_port}"
    data = folder / "broken"
    data.mkdir()
    # The drill reads the log beside the socket.
    (data / "audit").symlink_to(system.data / "audit")
    door = UnixServer(str(data / "keyless.sock"), Door)
    servers = (web, door)
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield data
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
