"""A real browser without a window: Chromium, told what to do by its own driver in the words of W3C WebDriver."""

import base64
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .waiting import until

PATIENCE_SECS = 30
# The key under which WebDriver hides an element's id.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window with a fresh profile. It trusts the server at `base` by the key that `ca_file` vouches for, and others alike."""

    def __init__(self, folder: Path, base: str, ca_file: str, *others: tuple[str, str]):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        assert driver and chromium, "no browser: apt-get install chromium chromium-driver"
        self._driver = subprocess.Popen(
            [driver, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        )
        port = next(
            line.rsplit(" ", 1)[1].strip(". \n")
            for line in self._driver.stdout
            if "started successfully on port" in line
        )
        self._url = f"http://127.0.0.1:{port}"
        arguments = [
            "--headless=new",
            # There is no sandbox within the sandbox that tests run in, and nothing but our own pages is opened.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={','.join(key_digest(*one) for one in ((base, ca_file), *others))}",
            f"--user-data-dir={folder / 'profile'}",
        ]
        options = {"goog:chromeOptions": {"binary": chromium, "args": arguments}}
        self._url += (
            "/session/" + self._ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_):
        self._ask("DELETE", "")
        self._driver.terminate()
        self._driver.wait(10)
        self._driver.stdout.close()

    def open(self, url: str) -> None:
        self._ask("POST", "/url", {"url": url})

    def fill(self, selector: str, text: str) -> None:
        self._ask("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def press(self, selector: str) -> None:
        """Presses what leads to another page, and comes back when the page it was on is gone.

        A driver answers a click before the form's answer has replaced the page, so that whoever looks
        next could still find the old one.
        """
        page = self._find("html")
        self._ask("POST", f"/element/{self._find(selector)}/click", {})
        until(lambda: not self._is_there(page), PATIENCE_SECS, lambda: f"{self.url} is still open after pressing {selector}")

    @property
    def url(self) -> str:
        return self._ask("GET", "/url")

    @property
    def text(self) -> str:
        return self._ask("GET", f"/element/{self._find('body')}/text")

    def console(self) -> list[str]:
        """What the browser has to complain about: blocked scripts, broken addresses."""
        return [entry["message"] for entry in self._ask("POST", "/se/log", {"type": "browser"})]

    def _find(self, selector: str) -> str:
        """The element, as soon as the page has it."""
        query = {"using": "css selector", "value": selector}
        found = until(lambda: self._ask("POST", "/elements", query), PATIENCE_SECS, lambda: f"{self.url} has no {selector}")
        return found[0][ELEMENT]

    def _is_there(self, element: str) -> bool:
        answer = self._send("GET", f"/element/{element}/name")
        return not (isinstance(answer, dict) and answer.get("error") == "stale element reference")

    def _ask(self, method: str, path: str, body: dict | None = None):
        answer = self._send(method, path, body)
        assert not (isinstance(answer, dict) and "error" in answer), json.dumps(answer)[:2000]
        return answer

    def _send(self, method: str, path: str, body: dict | None = None):
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self._url + path, json=body, timeout=PATIENCE_SECS).json()["value"]


def key_digest(base: str, ca_file: str) -> str:
    address = urlsplit(base)
    context = ssl.create_default_context(cafile=ca_file)
    with (
        socket.create_connection((address.hostname, address.port), PATIENCE_SECS) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as secured,
    ):
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True))
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
