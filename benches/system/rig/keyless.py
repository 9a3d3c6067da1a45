"""A Keyless system in a throw-away folder, and an application in it that may call the model."""

import json
import os
import re
import subprocess
import time
import urllib.parse
import uuid

from . import wrk
from .processes import Child, free_port
from .wire import Client

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
AI_SCOPE = "https://cognitiveservices.azure.com/.default"
ARM_SCOPE = "https://management.azure.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
API_VERSION = "2024-10-21"


class Keyless:
    """`keyless up` on its own ports, with `more` options. `start` may be called again after `stop`: the data stays."""

    def __init__(self, program, folder, upstream_url, more=()):
        self.program, self.folder = program, folder
        self.data, self.ready_file = folder / "data", folder / "ready.json"
        self.port, self.metadata_port, self.gateway_port = free_port(), free_port(), free_port()
        self.arguments = [
            program, "up", "--data", self.data, "--port", self.port, "--metadata-port", self.metadata_port,
            "--gateway-http", self.gateway_port, "--upstream", upstream_url, "--ready-file", self.ready_file, *more,
        ]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("KEYLESS_", "AZURE_"))}
        self.child = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, seconds=60):
        """Starts it and waits for the ready file. Returns how long that took, in seconds."""
        self.ready_file.unlink(missing_ok=True)
        began = time.perf_counter()
        self.child = Child(self.arguments, self.folder / "keyless.log", self.env)
        while not self.ready_file.exists():
            if not self.child.alive() or time.perf_counter() - began > seconds:
                self.child.stop()
                raise RuntimeError(f"keyless up did not get ready:\n{self.child.tail()}")
            time.sleep(0.0005)
        took = time.perf_counter() - began
        self.status = json.loads(self.ready_file.read_text())
        self.client = Client(self.status["ca_file"])
        return took

    def stop(self):
        """SIGTERM. A system that does not end with 0 has not drained."""
        if self.child:
            code = self.child.stop()
            if code != 0:
                raise RuntimeError(f"keyless up ended with {code}:\n{self.child.tail()}")

    def cpu_seconds(self):
        """CPU time of the running process, since its last start."""
        return self.child.cpu_seconds()

    def rss_kib(self):
        return self.child.rss_kib()

    def peak_rss_kib(self):
        return self.child.peak_rss_kib()

    def tail(self):
        return self.child.tail()

    def restart(self):
        """Ends it and starts it again on the same data: caches are empty afterwards."""
        self.stop()
        return self.start()

    def command(self, *arguments):
        """Runs a keyless command against this system; returns its stdout."""
        done = subprocess.run(
            [str(part) for part in (self.program, *arguments, "--data", self.data)],
            env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"keyless {' '.join(map(str, arguments))} failed: {done.stderr[-1000:]}")
        return done.stdout

    def operator_token(self, scope):
        """A token of the operator identity."""
        printed = self.command("token", "--as", "operator", "--scope", scope)
        return re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", printed).group()

    @property
    def tenant_url(self):
        authority, tenant = self.status["authority"].rstrip("/"), self.status["tenant_id"]
        return authority if authority.endswith(tenant) else f"{authority}/{tenant}"

    @property
    def account(self):
        return self.status["accounts"][0]

    def chat_url(self):
        """The chat completion address on the plain HTTP listener."""
        path = re.sub(r"^https?://[^/]+", "", self.account["endpoint"]).rstrip("/")
        return (f"http://127.0.0.1:{self.gateway_port}{path}/openai/deployments/chat/chat/completions"
                f"?api-version={API_VERSION}")

    def jwks(self):
        return self.client.json("GET", f"{self.tenant_url}/discovery/v2.0/keys")


class Application:
    """An application with a secret and the right to call the model."""

    def __init__(self, system):
        self.system = system
        graph = system.operator_token(GRAPH_SCOPE)
        base = f"{system.status['control'].rstrip('/')}/v1.0"
        call = system.client.json
        application = call("POST", f"{base}/applications", token=graph, body={"displayName": "bench"})
        self.client_id = application["appId"]
        password = call("POST", f"{base}/applications/{application['id']}/addPassword", token=graph,
                        body={"passwordCredential": {"displayName": "bench"}})
        self.secret = password["secretText"]
        self.object_id = call("POST", f"{base}/servicePrincipals", token=graph, body={"appId": self.client_id})["id"]
        self.assignment = None
        self.grant()

    def _assignment_url(self):
        return (f"{self.system.status['control'].rstrip('/')}{self.system.account['id']}"
                f"/providers/Microsoft.Authorization/roleAssignments/{self.assignment}?api-version=2022-04-01")

    def grant(self, arm=None):
        """Assigns "Cognitive Services OpenAI User" on the account."""
        self.assignment = uuid.uuid4()
        role = (f"/subscriptions/{self.system.status['subscription_id']}/providers/Microsoft.Authorization"
                f"/roleDefinitions/{OPENAI_USER}")
        properties = {"roleDefinitionId": role, "principalId": self.object_id, "principalType": "ServicePrincipal"}
        self.system.client.json("PUT", self._assignment_url(), token=arm or self.system.operator_token(ARM_SCOPE),
                                body={"properties": properties})

    def revoke(self, arm):
        """Takes the role away again."""
        self.system.client.json("DELETE", self._assignment_url(), token=arm)

    def form(self, scope=AI_SCOPE):
        return {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret,
                "scope": scope}

    def token_url(self):
        return f"{self.system.tenant_url}/oauth2/v2.0/token"

    def token(self, scope=AI_SCOPE):
        """A fresh token, for the model unless said otherwise."""
        return self.system.client.json("POST", self.token_url(), form=self.form(scope))["access_token"]

    def mint(self, file, count):
        """Writes at least `count` distinct tokens to `file`, one per line; returns how many."""
        answers = file.with_suffix(".answers")
        seen = set()
        with open(file, "w", encoding="ascii") as out:
            while len(seen) < count:
                before = len(seen)
                wrk.run(self.token_url(), 8, 5, method="POST", body=urllib.parse.urlencode(self.form()), save=answers,
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
                with open(answers, encoding="ascii") as lines:
                    for line in lines:
                        token = json.loads(line)["access_token"]
                        # The signature is enough to tell tokens apart, and small enough to remember.
                        signature = token.rpartition(".")[2]
                        if signature not in seen:
                            seen.add(signature)
                            out.write(token + "\n")
                if len(seen) == before:
                    raise RuntimeError("the authority issues no new tokens: same answer every time, or none at all")
        answers.unlink()
        return len(seen)
