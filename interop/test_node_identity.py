"""The credentials of `@azure/identity` that a program may hold."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.credentials import answers, by_device_code
from support.issuer import POD
from support.person import Person


@pytest.fixture(scope="module")
def get_token() -> Path:
    """The program, copied beside the `node_modules` that Node looks for in the folders above it."""
    folder = Path(os.environ["KEYLESS_INTEROP_NODE_HOME"]) / "identity"
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy(Path(__file__).parent / "node" / "get-token.js", folder))


def node(system, program: Path, **wanted) -> subprocess.CompletedProcess:
    wanted |= {"tenant": system.ready["tenant_id"], "authority": system.ready["authority"]}
    return subprocess.run(
        [os.environ["KEYLESS_INTEROP_NODE"], str(program), json.dumps(wanted)],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": system.ready["ca_file"]},
        capture_output=True,
        text=True,
        timeout=60,
    )


def node_answers(system, program: Path, **wanted) -> bool:
    done = node(system, program, **wanted)
    assert done.returncode == 0, done.stderr
    return answers(system, done.stdout.strip())


def test_client_secret(system, application, secret, get_token):
    assert node_answers(system, get_token, kind="secret", client=application.client_id, secret=secret)


def test_wrong_secret(system, application, get_token):
    done = node(system, get_token, kind="secret", client=application.client_id, secret="wrong" * 8)
    assert (done.returncode, "7000215" in done.stderr) == (1, True)


def test_certificate(system, application, certificate, get_token):
    file = str(certificate.pem_file)
    assert node_answers(system, get_token, kind="certificate", client=application.client_id, file=file)


def test_workload_identity(system, workload, issuer, get_token, tmp_path):
    file = tmp_path / "token"
    file.write_text(issuer.mint(POD))
    assert node_answers(system, get_token, kind="workload", client=workload.client_id, file=str(file))


def test_client_assertion(system, workload, issuer, get_token):
    assert node_answers(system, get_token, kind="assertion", client=workload.client_id, assertion=issuer.mint(POD))


def test_on_behalf_of_a_person(system, directory, user, get_token):
    api = directory.create_application()
    directory.ask("PATCH", f"applications/{api.id}", {"identifierUris": [f"api://{api.client_id}"]})
    assertion = by_device_code(system, user).get_token(f"api://{api.client_id}/.default").token
    system.memory.remember("access token", assertion)
    wanted = {"client": api.client_id, "secret": directory.add_secret(api), "assertion": assertion}
    assert node_answers(system, get_token, kind="on-behalf-of", **wanted)


def test_device_code(system, user, get_token):
    wanted = {"kind": "device-code", "tenant": system.ready["tenant_id"], "authority": system.ready["authority"]}
    with subprocess.Popen(
        [os.environ["KEYLESS_INTEROP_NODE"], str(get_token), json.dumps(wanted)],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": system.ready["ca_file"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        shown = json.loads(program.stderr.readline())
        Person(system, user.name, user.password).sign_in(shown["verificationUri"], shown["userCode"])
        token, said = program.communicate(timeout=60)
    assert program.returncode == 0, said
    assert answers(system, token.strip())
