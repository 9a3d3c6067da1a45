"""Somebody who trusts Keyless as an issuer: a cloud's token service, as far as a workload can tell (RFC 8693, token exchange)."""

import json
import ssl
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt
import requests

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"


class UnknownSubject(jwt.InvalidTokenError):
    """The token is genuine, and nobody's here."""


class RelyingParty:
    """Gives an access token of its own for a token that `issuer` issued about `subject` to `audience`.

    Whom it trusts is all that an operator configures there: it finds the keys through the issuer's discovery document, and PyJWT
    judges the token.
    """

    def __init__(self, issuer: str, ca_file: str, audience: str, subject: str):
        self.issuer, self.audience, self.subject = issuer, audience, subject
        tls = ssl.create_default_context(cafile=ca_file)
        with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", context=tls, timeout=10) as answer:
            self.discovery = json.load(answer)
        assert self.discovery["issuer"] == issuer
        self.keys = jwt.PyJWKClient(self.discovery["jwks_uri"], ssl_context=tls)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Exchange,), {"party": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/token"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "RelyingParty":
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def judge(self, token: str) -> dict:
        """The claims of a token that counts here.

        Raises jwt.PyJWTError for every other one.
        """
        claims = jwt.decode(
            token,
            self.keys.get_signing_key_from_jwt(token),
            algorithms=self.discovery["id_token_signing_alg_values_supported"],
            audience=self.audience,
            issuer=self.issuer,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "strict_aud": True},
        )
        if claims["sub"] != self.subject:
            raise UnknownSubject("no mapping for this subject")
        return claims

    def exchange(self, token: str) -> requests.Response:
        """What a workload sends."""
        form = {"grant_type": EXCHANGE, "subject_token_type": JWT, "subject_token": token, "audience": self.audience}
        with requests.Session() as session:
            session.trust_env = False
            return session.post(self.url, data=form, timeout=10)


class Exchange(BaseHTTPRequestHandler):
    party: RelyingParty

    def log_message(self, format, *args):
        pass

    def do_POST(self):
        form = {name: value for name, (value,) in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()}
        if (form["grant_type"], form["subject_token_type"]) != (EXCHANGE, JWT):
            return self.answer({"error": "unsupported_grant_type"}, 400)
        try:
            claims = self.party.judge(form["subject_token"])
        except jwt.PyJWTError as error:
            return self.answer({"error": "invalid_grant", "error_description": type(error).__name__}, 400)
        return self.answer({"access_token": f"for {claims['sub']}", "token_type": "Bearer", "expires_in": 3600})

    def answer(self, body: dict, status: int = 200) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
