"""An OpenAI-compatible model server that needs no model, so that tests know every answer beforehand.

It answers a chat with "You said: <last message>", one frame per word when streaming, counts a token per word,
remembers each request it saw, and can be told to be slow, to fail, to hang up, or to stream only when told.
It knows nothing of Azure or of identities.
"""

import email
import json
import select
import socket
import ssl
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .answers import ROUTES, UPLOADS


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, bytes]:
        """The parts of an upload by their names, read by Python's own parser."""
        head = f"content-type: {dict(self.headers)['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + self.body).get_payload()
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}


class Normal:
    """Answers at once."""

    def before_answer(self, handler: "Handler") -> bool:
        """Called before a byte is sent; False when this behaviour has dealt with the request itself."""
        return True

    def before_frame(self, handler: "Handler", index: int) -> bool:
        """Called before each frame of a stream; False ends the connection."""
        return True


class Slow(Normal):
    """Answers after `secs`."""

    def __init__(self, secs: float):
        self.secs = secs

    def before_answer(self, handler):
        time.sleep(self.secs)
        return True


class Failing(Normal):
    """Answers every request with `status`, an OpenAI error body and `headers`."""

    def __init__(self, status: int, message: str = "the model is on fire", headers: dict[str, str] | None = None):
        self.status, self.message, self.headers = status, message, headers or {}

    def before_answer(self, handler):
        handler.send_json({"error": {"message": self.message, "type": "server_error"}}, self.status, self.headers)
        return False


class Dead(Normal):
    """Closes the connection without an answer."""

    def before_answer(self, handler):
        handler.hang_up()
        return False


class HangsUpAfter(Normal):
    """Breaks a stream off after `frames`, without its end."""

    def __init__(self, frames: int):
        self.frames = frames

    def before_frame(self, handler, index):
        if index == self.frames:
            handler.hang_up()
            return False
        return True


@dataclass
class Stepwise(Normal):
    """Sends the first frame at once and each further one when `step()` is called.

    `sent` counts frames handed to the network. `caller_left` is set when the other side closes while waiting.
    """

    sent: int = 0
    caller_left: threading.Event = field(default_factory=threading.Event)
    _steps: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def step(self, frames: int = 1) -> None:
        self._steps.release(frames)

    def before_frame(self, handler, index):
        while not self._steps.acquire(timeout=0.02):
            if handler.caller_has_left():
                self.caller_left.set()
                return False
        self.sent += 1
        return True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 drops connections when a test calls from many threads at once.
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Upstream:
    """The server; `url` is its base, without `/v1`.

    With `identity`, a file of key and certificate, it speaks HTTPS. It lists `models`, and answers to any name unless it is `strict` (as Ollama is, and llama.cpp is not).
    """

    def __init__(
        self, models: tuple[str, ...] = ("stub",), strict: bool = False, port: int = 0, identity: Path | None = None
    ):
        self.models, self.strict = models, strict
        self.requests: list[Seen] = []
        self.behaviour = Normal()
        self._server = Server(("127.0.0.1", port), type("BoundHandler", (Handler,), {"upstream": self}))
        self._scheme = "https" if identity else "http"
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host}:{port}"

    @contextmanager
    def behaving(self, behaviour: Normal):
        self.behaviour = behaviour
        try:
            yield behaviour
        finally:
            self.behaviour = Normal()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this, Nagle's algorithm holds back small frames and the streaming tests measure the kernel.
    disable_nagle_algorithm = True
    upstream: Upstream

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        # Whoever watches the server asks for its models at any time; what a test looks for is a call.
        if self.path.split("?")[0] == "/v1/models":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "stub"} for name in self.upstream.models]
            self.send_json({"object": "list", "data": models})
        else:
            self.record(b"")
            self.not_found()

    def do_POST(self):
        seen = self.record(self.read_body())
        behaviour = self.upstream.behaviour
        path = seen.path.split("?")[0]
        answer, upload = ROUTES.get(path), UPLOADS.get(path)
        if not behaviour.before_answer(self):
            return
        if upload:
            self.send_json(upload(seen.form))
        elif answer is None or (self.upstream.strict and seen.json["model"] not in self.upstream.models):
            self.not_found()
        elif (made := answer(seen.json)) and "frames" in made:
            self.send_stream(made["frames"], behaviour)
        else:
            self.send_json(made)

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def record(self, body: bytes) -> Seen:
        seen = Seen(self.command, self.path, tuple(self.headers.items()), body)
        self.upstream.requests.append(seen)
        return seen

    def send_json(self, body: dict, status: int = 200, headers: dict[str, str] | None = None) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def send_stream(self, frames: list[str], behaviour: Normal) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for index, frame in enumerate(frames):
                if not behaviour.before_frame(self, index):
                    self.close_connection = True
                    return
                payload = frame.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            # The caller went away in mid-stream; there is nobody left to answer.
            self.close_connection = True

    def not_found(self) -> None:
        self.send_json({"error": {"message": f"no such route: {self.path}", "type": "invalid_request_error"}}, 404)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def caller_has_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
