"""Providers at which people sign in: a real one, one that says wrong things, and a person who walks between it and Keyless."""

import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import msal
import requests

from .issuer import Handler, Issuer
from .keyless import Keyless
from .other_https import make_certificate
from .person import Page, Reader

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
CLIENT_ID = "keyless"
MOST_STEPS = 20


def callback(system: Keyless) -> str:
    return f"{system.ready['authority']}/common/provider/callback"


class OpenIdProvider:
    """npm `oidc-provider` at `url`, which knows `system` and lets anybody in under any name."""

    def __init__(self, folder: Path, system: Keyless):
        self.ca_file, identity = folder / "provider-root.pem", folder / "provider.pem"
        make_certificate(self.ca_file, identity)
        secret = system.memory.remember("client secret of a provider", uuid.uuid4().hex)
        self.secret_file = folder / "client-secret"
        self.secret_file.write_text(f"{secret}\n")
        # Beside the `node_modules` that Node looks for in the folders above a program.
        home = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"]) / "provider"
        home.mkdir(exist_ok=True)
        program = shutil.copy(Path(__file__).parent.parent / "node" / "provider.js", home)
        self.log = open(folder / "provider.log", "w+")
        self._process = subprocess.Popen(
            [os.environ["KEYLESS_INTEROP_NODE"], program, identity, CLIENT_ID, secret, callback(system)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.url = self._process.stdout.readline().strip()
        self.log.seek(0)
        assert self.url, f"the provider did not start:\n{self.log.read()}"

    @property
    def flags(self) -> list[str]:
        """How `keyless up` is told about it."""
        return sign_in_with(self.url, self.ca_file, "--sign-in-client-secret-file", str(self.secret_file))

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self.log.close()


class CrookedProvider(Issuer):
    """Says in its id tokens whatever `claims` adds to the honest ones."""

    def __init__(self, folder: Path):
        self.claims: dict = {}
        self.codes: list[str] = []
        super().__init__(folder, handler=TokenEndpoint)

    def discovery(self) -> dict:
        endpoints = {"authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"}
        return super().discovery() | endpoints | {"response_types_supported": ["code"]}

    @property
    def flags(self) -> list[str]:
        return sign_in_with(self.url, self.ca_file)


class TokenEndpoint(Handler):
    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.issuer.codes += form["code"]
        token = self.issuer.mint("ada", form["client_id"][0], **self.issuer.claims)
        self.answer({"access_token": "x", "token_type": "Bearer", "id_token": token})


def sign_in_with(issuer: str, ca_file: Path, *more: str) -> list[str]:
    named = ["--sign-in-with", issuer, "--sign-in-client-id", CLIENT_ID, "--sign-in-name", "Corp"]
    return [*named, "--sign-in-ca", str(ca_file), *more]


class Visitor:
    """A browser of its own, which signs in to Microsoft's library through Keyless and its provider."""

    def __init__(self, system: Keyless, provider: OpenIdProvider | CrookedProvider):
        self.system, self.provider = system, provider
        self.session = requests.Session()
        self.session.trust_env = False
        # This machine's own REQUESTS_CA_BUNDLE would otherwise decide.
        library = requests.Session()
        library.trust_env, library.verify = False, system.ready["ca_file"]
        self.msal = msal.PublicClientApplication(
            AZURE_CLI,
            authority=f"{system.ready['authority']}/{system.ready['tenant_id']}",
            instance_discovery=False,
            http_client=library,
        )
        self.flow: dict = {}

    def ask_provider(self) -> str:
        """Goes as far as Keyless sends the browser to the provider; returns that address."""
        self.flow = self.msal.initiate_auth_code_flow(
            ["https://management.azure.com/.default"], "http://localhost:35625", response_mode="form_post"
        )
        page = self._send("GET", self.flow["auth_uri"])
        assert "Sign in with Corp" in page.text, page.text
        (link,) = re.findall(r'href="(/common/provider[^"]+)"', page.text)
        sent = self._send("GET", urljoin(page.url, link))
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]

    def sign_in_at_provider(self, url: str, name: str) -> str:
        """Answers the provider's pages; returns the address at Keyless to which it sends the browser in the end."""
        answer = self._send("GET", url)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                url = urljoin(answer.url, answer.headers["location"])
                if url.startswith(callback(self.system)):
                    return url
                answer = self._send("GET", url)
                continue
            (form,) = read(answer).forms
            filled = {"login": name, "password": "any"}
            fields = {field: filled.get(field, value) for field, value in form["fields"].items()}
            answer = self._send("POST", urljoin(answer.url, form["action"]), data=fields)
        raise AssertionError(f"the provider never sends the browser back: {answer.url}")

    def come_back(self, url: str) -> Page:
        return read(self._send("GET", url))

    def sign_in(self, name: str) -> Page:
        return self.come_back(self.sign_in_at_provider(self.ask_provider(), name))

    def token(self, page: Page) -> dict:
        """What the library makes of the last page, which is sent on to it."""
        (form,) = page.forms
        return self.msal.acquire_token_by_auth_code_flow(self.flow, form["fields"])

    def _send(self, method: str, url: str, **body) -> requests.Response:
        ours = urlsplit(url).netloc == urlsplit(self.system.ready["authority"]).netloc
        trusted = self.system.ready["ca_file"] if ours else str(self.provider.ca_file)
        return self.session.request(method, url, verify=trusted, allow_redirects=False, timeout=10, **body)


def read(answer: requests.Response) -> Page:
    reader = Reader(Page(answer.url, answer.status_code))
    reader.feed(answer.text)
    return reader.finish()
