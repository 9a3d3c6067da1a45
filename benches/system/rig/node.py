"""The peers that come from npm: installed once, from a lock file, below `target/bench`."""

import importlib.util
import os
import pathlib
import shutil
import subprocess

from .peers import Server, ready
from .processes import Child, free_port
from .wire import Client

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = ROOT / "benches" / "peers" / "node"


def _interop():
    """`interop/run.py`, which knows how to get Node and install a lock file."""
    spec = importlib.util.spec_from_file_location("interop_run", ROOT / "interop" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install(out):
    """(node, the folder whose `node_modules` holds the peers)."""
    interop = _interop()
    interop.TARGET.mkdir(parents=True, exist_ok=True)
    with interop.only_one_at_a_time():
        node, npm = interop.node_commands()
        return node, interop.node_modules(node, npm, SOURCE, out / "node")


def certificate(folder):
    """A P-256 key and a certificate for it, as our own listener has; nobody verifies it here."""
    key, cert = folder / "peer-key.pem", folder / "peer-cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


class OidcProvider(Server):
    """npm `oidc-provider` over TLS, with one client."""

    RESOURCES = {"RS256": "https://rs256.example", "ES256": "https://es256.example"}

    def __init__(self, out, folder):
        node, home = install(out)
        shutil.copy(SOURCE / "oidc-provider.js", home)
        key, cert = certificate(folder)
        self.secret, port = os.urandom(24).hex(), free_port()
        self.client = Client(cert)
        child = Child([node, home / "oidc-provider.js", port, key, cert, "bench", self.secret],
                      folder / "oidc-provider.log", {**os.environ, "NODE_ENV": "production"})
        super().__init__("oidc-provider", child, port)
        ready(self)

    def token_url(self):
        return f"https://127.0.0.1:{self.port}/token"

    def form(self, algorithm):
        return {"grant_type": "client_credentials", "client_id": "bench", "client_secret": self.secret,
                "resource": self.RESOURCES[algorithm]}

    def token(self, algorithm):
        """A fresh token; a wrong secret must give none."""
        status, _ = self.client.call("POST", self.token_url(), form={**self.form(algorithm), "client_secret": "wrong"})
        if status != 401:
            raise RuntimeError(f"oidc-provider answered {status} to a wrong secret")
        return self.client.json("POST", self.token_url(), form=self.form(algorithm))["access_token"]


class Cerbos(Server):
    """The Cerbos server with the policies in a folder, over HTTP."""

    CONFIG = """
server:
  httpListenAddr: "127.0.0.1:{port}"
  grpcListenAddr: "127.0.0.1:{grpc}"
storage:
  driver: disk
  disk:
    directory: {policies}
    watchForChanges: false
compile:
  cacheSize: 100000
audit:
  enabled: false
telemetry:
  disabled: true
"""

    def __init__(self, out, folder, name):
        _, home = install(out)
        program = home / "node_modules" / "@cerbos" / "cerbos-linux-x64" / "cerbos-linux-x64"
        config, port = folder / "cerbos.yaml", free_port()
        config.write_text(self.CONFIG.format(port=port, grpc=free_port(), policies=folder / "policies"))
        super().__init__(name, Child([program, "server", "--config", config, "--log-level", "warn"], folder / "cerbos.log"), port)
        # It compiles every policy first.
        ready(self, 120)
