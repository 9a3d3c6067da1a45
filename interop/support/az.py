"""The real `az`, started anew for every command, with a settings folder of its own and no way to the internet."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .keyless import IDENTITY_VARIABLES, Keyless
from .person import Person
from .waiting import until

COMMAND_TIMEOUT_SECS = 120
SCRIPT_TIMEOUT_SECS = 300
OPEN_TIMEOUT_SECS = 30
NOT_FOUND = 3
# The first command of a settings folder reads every module of az to make this index; the others need one or two.
INDEX = "commandIndex.json"
# Nobody listens there: a command that wants to leave this machine fails instead of waiting.
NOWHERE = "http://127.0.0.1:9"


class Az:
    """One person's `az`: signed in, it stays signed in. Its cloud is `system`, once registered."""

    def __init__(self, system: Keyless, home: Path, folder: Path):
        """`home` is the virtual environment that holds az; `folder` becomes its settings folder."""
        self.system, self.folder = system, folder
        self.program = home / "bin" / "az"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(home / "config" / INDEX, folder / INDEX)
        # What a managed identity is reached by; asked again by every command.
        self.identity: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        # PYTHONDONTWRITEBYTECODE, which our own runner sets, is no part of what is tested.
        ours = (*IDENTITY_VARIABLES, "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV")
        outer = {name: value for name, value in os.environ.items() if name not in ours}
        settings = {
            "PATH": f"{self.program.parent}{os.pathsep}{outer.get('PATH', '')}",
            "HOME": str(self.folder),
            "AZURE_CONFIG_DIR": str(self.folder),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "REQUESTS_CA_BUNDLE": self.system.ready["ca_bundle"],
            "HTTPS_PROXY": NOWHERE,
            "HTTP_PROXY": NOWHERE,
            "NO_PROXY": "localhost,127.0.0.1",
        }
        return outer | settings | self.identity

    # --- commands ---

    def run(
        self, *arguments: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [str(self.program), *arguments],
            env=self.env | (env or {}),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_SECS,
        )
        if check and done.returncode:
            raise AssertionError(f"az {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done

    def __call__(self, line: str, *more: str, env: dict[str, str] | None = None):
        """Runs `az LINE MORE`, LINE split at blanks and MORE as it is, and returns what it prints, parsed."""
        printed = self.run(*line.split(), *more, "--output", "json", env=env).stdout
        return json.loads(printed) if printed.strip() else None

    def refused(self, line: str, *more: str, code: int = 1, env: dict[str, str] | None = None) -> str:
        """What a command that must fail with exit code `code` says."""
        done = self.run(*line.split(), *more, check=False, env=env)
        assert done.returncode == code, (
            f"az {line} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
        )
        return done.stderr

    def start(self, line: str, *more: str, env: dict[str, str] | None = None) -> subprocess.Popen:
        """Starts a command that waits for a person. What it says comes as lines on `stderr`."""
        return subprocess.Popen(
            [str(self.program), *line.split(), *more],
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def shell(self, script: str, env: dict[str, str] | None = None) -> dict[str, str]:
        """Runs a script as an operator's shell would, up to its first failure. Returns the variables at its end."""
        left = self.folder / "variables"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"set -a\n{script}\nenv -0 > '{left}'"],
            env=self.env | (env or {}),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=SCRIPT_TIMEOUT_SECS,
        )
        assert done.returncode == 0, f"the script ended with {done.returncode}:\n{done.stderr}"
        return dict(line.split("=", 1) for line in left.read_text().split("\0") if line)

    # --- signing in ---

    def register(self) -> "Az":
        self.run("cloud", "register", "-n", "local", "--endpoint-resource-manager", self.system.ready["control"])
        self.run("cloud", "set", "-n", "local")
        return self

    def sign_in_as_managed_identity(self, name: str) -> "Az":
        """Signs in as a managed identity that is lent to this `az`, for this command and all that follow."""
        variables = self.system.env(name)
        self.identity = {name: variables[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
        self("login --identity --client-id", variables["AZURE_CLIENT_ID"])
        return self

    def sign_in_with_secret(self, application: "Application") -> "Az":
        self("login --service-principal", *application.login)
        return self

    def sign_in_with_device_code(self, person: Person, *more: str) -> "Az":
        """az shows a code, and `person` gives it to the sign-in page."""
        waiting = self.start("login --use-device-code --output json", *more)
        try:
            message = waiting.stderr.readline()
            found = re.search(
                r"open the page (\S+) and enter the code (\S+)|open (\S+) and enter (?:the code )?(\S+)", message
            )
            assert found, f"az did not show a code:\n{message}"
            url, code = found.group(1) or found.group(3), found.group(2) or found.group(4)
            last = person.sign_in(url, code)
            _, said = waiting.communicate(timeout=COMMAND_TIMEOUT_SECS)
        finally:
            waiting.kill()
        assert waiting.returncode == 0, f"az login ended with {waiting.returncode}:\n{said}\n{last.text}"
        return self

    def start_in_browser(self, folder: Path) -> tuple[subprocess.Popen, str]:
        """Starts `az login`; returns it, and the address it wants a browser to open."""
        shown, opener = folder / "url", folder / "browser"
        opener.write_text(f"#!/bin/sh\nprintf %s \"$1\" > '{shown}.part'\nmv '{shown}.part' '{shown}'\n")
        opener.chmod(0o700)
        tenant = self.system.ready["tenant_id"]
        waiting = self.start("login --output json --tenant", tenant, env={"BROWSER": f"{opener} %s"})
        until(lambda: shown.exists() or waiting.poll() is not None, OPEN_TIMEOUT_SECS, lambda: "az login opened no browser")
        assert shown.exists(), "az login ended and opened no browser"
        return waiting, shown.read_text()

    def create_application(self, name: str, *more: str) -> "Application":
        """A new application with a service principal and a secret, made as everybody makes one."""
        made = self("ad sp create-for-rbac -n", name, *more)
        self.system.memory.remember("client secret", made["password"])
        return Application(name, made["appId"], made["password"], made["tenant"])


@dataclass(frozen=True)
class Application:
    name: str
    app_id: str
    secret: str
    tenant: str

    @property
    def login(self) -> tuple[str, ...]:
        return ("-u", self.app_id, "-p", self.secret, "--tenant", self.tenant)
