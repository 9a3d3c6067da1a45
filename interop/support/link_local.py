"""Routes 169.254.169.254 to a system, as a host's firewall would, for a client that cannot be told another address.

It is reached as an HTTP proxy, so that not one packet is sent to the real address, which in a cloud is somebody's metadata service.
"""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LINK_LOCAL = "169.254.169.254"


class LinkLocal:
    """Passes on what is for the metadata address, unchanged, and nothing else; `env` leads a client here."""

    def __init__(self, metadata: str):
        bound = type("BoundHandler", (Handler,), {"metadata": urlsplit(metadata).netloc})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        url = f"http://127.0.0.1:{self._server.server_port}"
        self.env = {"HTTP_PROXY": url, "http_proxy": url}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "LinkLocal":
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    metadata: str

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        if url.netloc != LINK_LOCAL:
            return self.send_error(502)
        onward = http.client.HTTPConnection(self.metadata, timeout=10)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        onward.request("GET", f"{url.path}?{url.query}", headers=headers)
        answer = onward.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name in ("content-type", "retry-after"):
            if answer.headers[name]:
                self.send_header(name, answer.headers[name])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)
