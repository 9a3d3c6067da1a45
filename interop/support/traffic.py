"""An application in a hurry: a new token at every request, and plain calls with it. Official clients would remember tokens."""

import threading

import requests

from .clients import API_VERSION, QUESTION
from .directory import Registered
from .keyless import AI_SCOPE, Keyless


class Traffic:
    """Keeps one connection; not for several threads."""

    def __init__(self, system: Keyless, application: Registered, secret: str):
        self.system, self.application, self.secret = system, application, secret
        self._session = requests.Session()
        self._session.verify = system.ready["ca_file"]
        # No proxy, and no `.netrc`: everything is on this machine.
        self._session.trust_env = False

    def again(self) -> "Traffic":
        """The same application on a connection of its own."""
        return Traffic(self.system, self.application, self.secret)

    def token(self, scope: str = AI_SCOPE) -> str:
        answer = self.token_answer(scope)
        assert answer.ok, f"no token: {answer.status_code} {answer.text}"
        return answer.json()["access_token"]

    def token_answer(self, scope: str = AI_SCOPE) -> requests.Response:
        """The answer to the request for a token, whatever it is."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.application.client_id,
            "client_secret": self.secret,
            "scope": scope,
        }
        return self._post_token(form)

    def exchange(self, assertion: str) -> requests.Response:
        """Another issuer's token for one of ours, whatever comes of it."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.application.client_id,
            "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "scope": AI_SCOPE,
        }
        return self._post_token(form)

    def _post_token(self, form: dict) -> requests.Response:
        url = f"{self.system.ready['authority'].rstrip('/')}/{self.system.ready['tenant_id']}/oauth2/v2.0/token"
        return self._session.post(url, data=form, timeout=20)

    def close(self) -> None:
        self._session.close()

    def chat(self, token: str) -> int:
        """The status of a call to the demo account's model."""
        endpoint = self.system.account("demo-ai")["endpoint"]
        url = f"{endpoint}/openai/deployments/chat/chat/completions?api-version={API_VERSION}"
        body = {"messages": [{"role": "user", "content": QUESTION}]}
        return self._session.post(url, json=body, headers=bearer(token), timeout=20).status_code

    def manage(self, token: str) -> int:
        """The status of a call to the control plane; `token` is one for ARM."""
        url = f"{self.system.ready['control']}/subscriptions?api-version=2022-12-01"
        return self._session.get(url, headers=bearer(token), timeout=20).status_code

    def key_set(self) -> requests.Response:
        url = f"{self.system.ready['authority'].rstrip('/')}/{self.system.ready['tenant_id']}/discovery/v2.0/keys"
        answer = self._session.get(url, timeout=20)
        answer.raise_for_status()
        return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Repeated:
    """Does something again and again in threads, until the `with` block ends; a failure of it is raised there.

    `every_secs` is the pause after each time.
    """

    def __init__(self, actions, every_secs: float = 0):
        self._actions, self._over, self._failure = actions, threading.Event(), None
        self._every_secs = every_secs

    def __enter__(self) -> "Repeated":
        self._threads = [threading.Thread(target=self._run, args=(action,), daemon=True) for action in self._actions]
        for thread in self._threads:
            thread.start()
        return self

    def _run(self, action) -> None:
        while not self._over.wait(self._every_secs):
            try:
                action()
            except Exception as failure:  # noqa: BLE001 - raised where the block ends
                self._failure = self._failure or failure
                return

    def __exit__(self, kind, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        if self._failure and kind is None:
            raise self._failure


def percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) * percent // 100]

