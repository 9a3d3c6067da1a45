"""A running `keyless up`, and the commands that find it by its data folder.

Everything here goes through the command line or the ready file, as a user's script would.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from azure.identity import ManagedIdentityCredential

from .secrets import Memory
from .waiting import until

START_TIMEOUT_SECS = 30
COMMAND_TIMEOUT_SECS = 60
AI_SCOPE = "https://cognitiveservices.azure.com/.default"
ARM_SCOPE = "https://management.azure.com/.default"


class Keyless:
    """One system on one data folder; may be stopped, killed and started again."""

    def __init__(self, binary: Path, folder: Path, upstream: str, memory: Memory):
        self.binary, self.folder, self.upstream, self.memory = binary, folder, upstream, memory
        self.data = folder / "data"
        self.ready_file = folder / "ready.json"
        self.log_file = folder / "keyless.log"
        self.ready: dict = {}
        # `serve` in place of it is the same without anything to try.
        self.verb = "up"
        self.process: subprocess.Popen | None = None

    # --- life ---

    def start(self, *extra: str, env: dict[str, str] | None = None) -> "Keyless":
        """Starts on free ports; started again, on the ports of the first time, so that its addresses stay true."""
        port, metadata_port = ("0", "0")
        if self.ready:
            port, metadata_port = (str(urlsplit(self.ready[plane]).port) for plane in ("gateway", "metadata"))
        self.ready_file.unlink(missing_ok=True)
        source = [] if "--model" in extra else ["--upstream", self.upstream]
        command = [self.verb, *self.locate(), "--port", port, "--metadata-port", metadata_port]
        command += ["--ready-file", str(self.ready_file), *source, *extra]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self._wait_until_ready()
        return self

    def _wait_until_ready(self, timeout: float = START_TIMEOUT_SECS) -> None:
        try:
            until(lambda: self.ready_file.exists() or self.process.poll() is not None, timeout)
        except AssertionError:
            self.kill()
            raise AssertionError(f"keyless up was not ready after {timeout} s:\n{self.log()}") from None
        if not self.ready_file.exists():
            raise AssertionError(f"keyless up ended with {self.process.returncode}:\n{self.log()}")
        self.ready = json.loads(self.ready_file.read_text())

    def stop(self) -> int:
        """Asks it to end and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"keyless up ignored SIGTERM:\n{self.log()}") from None

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        """All that it printed so far; nothing when it was never started."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_for_log(self, pattern: str, times: int = 1, within_secs: float = 10) -> list[str]:
        """What it printed that matches, at least so many times. The welcome comes after the ready file."""

        def found() -> list[str] | None:
            matches = re.findall(pattern, self.log())
            return matches if len(matches) >= times else None

        return until(found, within_secs, lambda: f"{pattern} is not there {times} times:\n{self.log()}")

    # --- commands ---

    def locate(self) -> list[str]:
        return ["--data", str(self.data)]

    def command(self, *arguments: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Runs `keyless ARGUMENTS`; with `check`, a failure is an assertion that shows what it said."""
        options = {"capture_output": True, "text": True, "timeout": COMMAND_TIMEOUT_SECS} | options
        done = subprocess.run([str(self.binary), *arguments], **options)
        if check and done.returncode:
            raise AssertionError(f"keyless {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done

    def run_command(self, identity: str, *command: str, account: str | None = None) -> list[str]:
        """The whole command line of `keyless run`."""
        which = ["--account", account] if account else []
        return [str(self.binary), "run", "--as", identity, *which, *self.locate(), "--", *command]

    def run(self, identity: str, *command: str, account: str | None = None, **options) -> subprocess.CompletedProcess:
        return self.command(*self.run_command(identity, *command, account=account)[1:], **options)

    def env(self, identity: str) -> dict[str, str]:
        """The variables that make a shell act as `identity`."""
        done = self.command("env", "--as", identity, *self.locate(), "--shell", "json")
        variables = json.loads(done.stdout)
        self.memory.remember("identity header", variables["IDENTITY_HEADER"])
        return variables

    def status(self) -> dict:
        return json.loads(self.command("status", *self.locate(), "--json").stdout)

    def audit(self, *filters: str) -> list[dict]:
        """Audit events, oldest first."""
        text = self.command("audit", "query", *self.locate(), *filters, "--json").stdout
        records = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
        return [record.get("event", record) for record in records]

    def calls(self) -> list[dict]:
        """The audit events of calls to models."""
        return [event for event in self.audit() if event["category"] == "data"]

    def call(self, request_id: str, within_secs: float = 0) -> dict:
        """The one audit event of an answered call. It is there at once, unless the caller left before the answer ended."""
        deadline = time.monotonic() + within_secs
        while True:
            found = [event for event in self.calls() if event["requestId"] == request_id]
            if found or time.monotonic() >= deadline:
                assert len(found) == 1, f"{len(found)} audit events for request {request_id}"
                return found[0]

    # --- what it told us ---

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ready["ca_file"])

    @property
    def subscription(self) -> str:
        return self.ready["subscription_id"]

    def account(self, name: str) -> dict:
        return named(self.ready["accounts"], name)

    def identity(self, name: str) -> dict:
        return named(self.ready["identities"], name)

    # --- tokens ---

    def token(self, identity: str, scope: str = AI_SCOPE) -> str:
        """A token the official client gets as `identity`, through the endpoint `keyless env` names."""
        variables = self.env(identity)
        with environment(variables):
            credential = ManagedIdentityCredential(client_id=variables["AZURE_CLIENT_ID"])
            return self.memory.remember("access token", credential.get_token(scope).token)

    def operator_token(self, scope: str = ARM_SCOPE) -> str:
        done = self.command("token", *self.locate(), "--as", "operator", "--scope", scope)
        return self.memory.remember("operator token", done.stdout.strip())


def named(items: list[dict], name: str) -> dict:
    return next(item for item in items if item["name"] == name)


# Whatever of these the developer's own shell has set must not decide a test.
IDENTITY_VARIABLES = (
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
    "OPENAI_API_KEY",
    "OPENAI_API_VERSION",
)


@contextmanager
def environment(variables: dict[str, str]):
    """This process's environment with `variables` and no other word about identities."""
    bare = {name: value for name, value in os.environ.items() if name not in IDENTITY_VARIABLES}
    with mock.patch.dict(os.environ, bare | variables, clear=True):
        yield
