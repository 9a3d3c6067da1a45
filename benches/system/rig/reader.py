"""A client that reads streams byte by byte and takes the time: raw sockets, no library in between."""

import json
import re
import socket
import time

STAMP = re.compile(rb'"created": ?(\d+)')


class Reader:
    """One connection to one address; requests one after the other."""

    def __init__(self, port, path, headers):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
        self.head = "\r\n".join(lines + [f"{name}: {value}" for name, value in headers.items()])

    def close(self):
        self.socket.close()

    def ask(self, mode):
        """Sends a request. Returns when the first frame arrived: (seconds until then, bytes so far)."""
        body = json.dumps({"messages": [{"role": "user", "content": "Go."}], "stream": True, "user": mode})
        request = f"{self.head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        began = time.perf_counter()
        self.socket.sendall(request)
        seen = b""
        while b"data: " not in seen:
            part = self.socket.recv(65536)
            if not part:
                raise RuntimeError(f"the connection ended before the first frame: {seen[:300]!r}")
            seen += part
            if not seen.startswith(b"HTTP/1.1 200"[: len(seen)]):
                raise RuntimeError(f"refused: {seen[:500]!r}")
        return time.perf_counter() - began, seen

    def first_byte(self):
        """Seconds from sending the request to the first frame; the rest of the answer is read afterwards."""
        took, seen = self.ask("first")
        while not seen.endswith(b"0\r\n\r\n"):
            seen += self.socket.recv(65536)
        return took

    def frame_delays(self):
        """Per frame of a paced stream: seconds from leaving the upstream to arriving here."""
        _, seen = self.ask("paced")
        delays = _delays(seen)
        while not seen.endswith(b"0\r\n\r\n"):
            part = self.socket.recv(65536)
            delays += _delays(part)
            seen = (seen + part)[-64:]
        return delays


def _delays(part):
    now = time.monotonic_ns()
    return [(now - int(stamp)) / 1e9 for stamp in STAMP.findall(part)]
