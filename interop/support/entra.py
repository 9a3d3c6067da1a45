"""A company's Entra: two tenants under one set of keys, v1 and v2 tokens, and a token endpoint for the official clients."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt

from .faulty_issuer import hang
from .issuer import Handler, Issuer
from .secrets import Memory

AI = "https://cognitiveservices.azure.com"
ARM = "https://management.azure.com/"
# Entra writes this much of the past into `iat` and `nbf`.
BACKDATED_SECS = 300
TOO_LARGE_BYTES = 300 * 1024


@dataclass(frozen=True)
class Application:
    """As Entra knows it; `principal_id` is its service principal's object id in the company's tenant."""

    client_id: str
    secret: str
    principal_id: str


class Entra(Issuer):
    """Tenants `tenant` and `other_tenant`. Set `trouble` to `hang`, `500` or `huge` to have no keys."""

    def __init__(self, folder: Path, memory: Memory):
        self.memory = memory
        self.tenant, self.other_tenant = str(uuid.uuid4()), str(uuid.uuid4())
        self.applications: dict[str, Application] = {}
        self.trouble = ""
        super().__init__(folder, handler=EntraHandler)

    def register(self) -> Application:
        secret = self.memory.remember("client secret at Entra", f"secret-{uuid.uuid4().hex}")
        made = Application(str(uuid.uuid4()), secret, str(uuid.uuid4()))
        self.applications[made.client_id] = made
        return made

    @property
    def key_requests(self) -> int:
        return sum(path.endswith("/discovery/v2.0/keys") for path in self.seen)

    def issuer_of(self, version: str, tenant: str = "") -> str:
        tenant = tenant or self.tenant
        return f"https://sts.windows.net/{tenant}/" if version == "1.0" else f"{self.url}/{tenant}/v2.0"

    def claims(self, application: Application, audience: str = AI, version: str = "1.0", **changes) -> dict:
        """What Entra says in a program's token."""
        now = int(time.time()) - BACKDATED_SECS
        named = "appid" if version == "1.0" else "azp"
        return {
            "aud": audience,
            "iss": self.issuer_of(version),
            "iat": now,
            "nbf": now,
            "exp": now + BACKDATED_SECS + 3600,
            "aio": "k2RgYA==",
            named: application.client_id,
            f"{named}acr": "1",
            "idtyp": "app",
            "oid": application.principal_id,
            "rh": "0.AbCd",
            "sub": application.principal_id,
            "tid": self.tenant,
            "uti": uuid.uuid4().hex,
            "ver": version,
            "xms_idrel": "7 24",
        } | changes

    def token(self, application: Application, audience: str = AI, version: str = "1.0", **changes) -> str:
        return self.sign(self.claims(application, audience, version, **changes))

    def sign(self, claims: dict, **headers) -> str:
        key = self._keys[0]
        token = jwt.encode(claims, key.private, "RS256", headers={"kid": key.kid, "x5t": key.kid} | headers)
        return self.memory.remember("token of Entra", token)

    def forge(self, claims: dict, algorithm: str) -> str:
        """What a stranger can make who has nothing but the public keys."""
        public = self._keys[0].public
        secret = {"none": None, "HS256": public["n"]}[algorithm]
        return jwt.encode(claims, secret, algorithm, headers={"kid": public["kid"]})

    # --- what it serves ---

    def discovery_of(self, tenant: str) -> dict:
        """As real Entra answers, shortened."""
        return {
            "issuer": self.issuer_of("2.0", tenant),
            "jwks_uri": f"{self.url}/{tenant}/discovery/v2.0/keys",
            "authorization_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/token",
        }

    def keys_of(self, _tenant: str) -> dict:
        issuer = self.url + "/{tenantid}/v2.0"
        # Entra leaves `alg` out and says for whom each key signs.
        return {
            "keys": [
                {name: value for name, value in key.public.items() if name != "alg"} | {"issuer": issuer}
                for key in self._keys
            ]
        }


class EntraHandler(Handler):
    issuer: Entra

    def do_GET(self):
        path = urlsplit(self.path).path
        self.issuer.seen.append(path)
        tenant, _, rest = path.removeprefix("/").partition("/")
        if tenant not in (self.issuer.tenant, self.issuer.other_tenant):
            self.answer({"error": "invalid_tenant"}, 400)
        elif rest == "v2.0/.well-known/openid-configuration":
            self.answer(self.issuer.discovery_of(tenant))
        elif rest != "discovery/v2.0/keys":
            self.answer({"error": "not_found"}, 404)
        elif self.issuer.trouble == "hang":
            hang(self)
        elif self.issuer.trouble == "500":
            self.answer({"error": "server_error"}, 500)
        elif self.issuer.trouble == "huge":
            self.answer(self.issuer.keys_of(tenant) | {"padding": "x" * TOO_LARGE_BYTES})
        else:
            self.answer(self.issuer.keys_of(tenant))

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        application = self.issuer.applications.get(form["client_id"][0])
        if application is None or form.get("client_secret") != [application.secret]:
            return self.answer({"error": "invalid_client", "error_description": "AADSTS7000215"}, 401)
        audience = form["scope"][0].split()[0].removesuffix("/.default")
        token = self.issuer.token(application, audience)
        return self.answer({"token_type": "Bearer", "expires_in": 3599, "access_token": token})
