"""An OIDC issuer that is not ours: GitHub Actions, or a Kubernetes cluster, as far as a token exchange can tell."""

import base64
import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .other_https import make_certificate

EXCHANGE = "api://AzureADTokenExchange"
TOKEN_TTL_SECS = 300
# What a Kubernetes cluster calls a pod, by its service account.
POD = "system:serviceaccount:shop:api"


class Issuer:
    """Serves discovery, keys and GitHub's token endpoint at `url`, trusted by those who trust `ca_file`."""

    def __init__(self, folder: Path, kid: str = "", handler: "type[Handler] | None" = None, host: str = "", address: str = "127.0.0.1"):
        """`kid` names the first key; two issuers may well give theirs the same name. `handler` answers otherwise. `host` is a name under which
        it is reached at the usual port of `address`."""
        self.ca_file = folder / "issuer-root.pem"
        identity = folder / "issuer.pem"
        make_certificate(self.ca_file, identity, (host,) if host else ())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity)
        self._server = ThreadingHTTPServer((address, 443 if host else 0), type("BoundHandler", (handler or Handler,), {"issuer": self}))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{host}" if host else f"https://127.0.0.1:{self._server.server_port}"
        # Whose token a job gets: what GitHub knows about the job that asks.
        self.job_subject = ""
        self.request_token = uuid.uuid4().hex
        self.seen: list[str] = []
        # The first signs; the second is published already, as issuers do before they rotate.
        self._keys = [Key(kid), Key()]
        self._curve = CurveKey()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate(self) -> None:
        """Signs with the next key from now on, and forgets the one before."""
        self._keys = [self._keys[1], Key()]

    @property
    def kid(self) -> str:
        """The name of the key that signs."""
        return self._keys[0].kid

    def mint(self, subject: str, audience: str = EXCHANGE, algorithm: str = "RS256", **changes) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "nbf": now - 60,
            "exp": now + TOKEN_TTL_SECS,
            "jti": str(uuid.uuid4()),
        }
        key = self._keys[0] if algorithm == "RS256" else self._curve
        return jwt.encode(claims | changes, key.private, algorithm, headers={"kid": key.kid})

    def job_env(self, subject: str) -> dict[str, str]:
        """The variables that GitHub gives to a job with `permissions: id-token: write`."""
        self.job_subject = subject
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/actions/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }

    # --- what it serves ---

    def serve(self, handler: "Handler") -> bool:
        """Whether a request was dealt with in another way than issuers do."""
        return False

    def discovery(self) -> dict:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self) -> dict:
        return {"keys": [key.public for key in (*self._keys, self._curve)]}


class Key:
    def __init__(self, kid: str = ""):
        self.private, self.kid = rsa.generate_private_key(public_exponent=65537, key_size=2048), kid or uuid.uuid4().hex

    @property
    def public(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid}
        return key | {"n": base64url_number(numbers.n), "e": base64url_number(numbers.e)}


class CurveKey:
    """P-256, for ES256."""

    def __init__(self):
        self.private, self.kid = ec.generate_private_key(ec.SECP256R1()), uuid.uuid4().hex

    @property
    def public(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid}
        return key | {"x": base64url_number(numbers.x, 32), "y": base64url_number(numbers.y, 32)}


class Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        self.issuer.seen.append(url.path)
        if self.issuer.serve(self):
            return
        if url.path == "/.well-known/openid-configuration":
            self.answer(self.issuer.discovery())
        elif url.path == "/keys":
            self.answer(self.issuer.keys())
        elif url.path != "/actions/token":
            self.answer({"message": "not found"}, 404)
        elif self.headers.get("authorization", "").lower() != f"bearer {self.issuer.request_token}":
            self.answer({"message": "unauthorized"}, 401)
        else:
            (audience,) = parse_qs(url.query).get("audience", [self.issuer.url])
            self.answer({"count": 1, "value": self.issuer.mint(self.issuer.job_subject, audience)})

    def answer(self, body: dict, status: int = 200) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def base64url_number(number: int, length: int = 0) -> str:
    data = number.to_bytes(max(length, (number.bit_length() + 7) // 8), "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
