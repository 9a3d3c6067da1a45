"""A person's own shell: signed in once with the real `az`, their unmodified programs call the model under their own name.

And what another user of the machine is told, who has no system here.
"""

import json
import os
import subprocess
import sys

import pytest

from support.keyless import IDENTITY_VARIABLES
from support.operator import fresh
from support.person import Person
from support.stranger import STRANGER, needs_root, run_as_stranger

PASSWORD = "a long enough passphrase, with numbers 43"
# What the runner's own az brings along; here `keyless az` has to.
PREPARED = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AZURE_CORE_INSTANCE_DISCOVERY", "AZURE_TOKEN_CREDENTIALS")


def test_after_az_login_an_unmodified_program_runs_under_ones_own_name_u6(new_az, system, admin, demo, examples):
    name = f"{fresh('bea')}@{system.status()['tenant_domain']}"
    system.memory.remember("password", PASSWORD)
    system.command("user", "add", name, *system.locate(), input=PASSWORD)
    admin("role assignment create --scope", demo["id"], "--role", "Cognitive Services OpenAI User", "--assignee", name)

    az = new_az(system)
    outer = {variable: value for variable, value in az.env.items() if variable not in PREPARED}
    printed = system.command("az", "--run", "--json", *system.locate(), env=outer).stdout
    given = json.loads(printed)["environment"]
    az.identity = given
    az.sign_in_with_device_code(Person(system, name, PASSWORD), "--allow-no-subscriptions")

    program = [sys.executable, str(examples / "python" / "chat.py")]
    done = subprocess.run(program, env=outer | given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (call,) = system.audit("--principal", name, "--category", "data")
    assert (call["outcome"], call["data"]["deployment"]) == ("allowed", "chat")


def test_what_the_shell_had_set_itself_stays(new_az, system):
    az = new_az(system)
    own = {"AZURE_TOKEN_CREDENTIALS": "prod", "OPENAI_API_VERSION": "2025-01-01-preview"}
    printed = system.command("az", "--run", "--json", *system.locate(), env=az.env | own).stdout
    assert not own.keys() & json.loads(printed)["environment"].keys()


def test_attaching_an_identity_says_how_a_program_names_it_u8(system, operator):
    identity = operator.create_identity()
    said = system.command("host", "attach", identity.name, *system.locate()).stderr
    assert f"AZURE_POD_IDENTITY_AUTHORITY_HOST={system.ready['metadata']}" in said
    assert f"AZURE_CLIENT_ID={identity.client_id}" in said
    system.command("host", "detach", identity.name, *system.locate())


@needs_root
@pytest.mark.parametrize("command", [["status"], ["audit", "tail"], ["explain", "--last"], ["user", "list"]])
def test_another_user_of_the_machine_learns_whose_the_system_is_u11(system, command):
    # Whoever may not enter the folders above learns no more than that.
    bare = {name: value for name, value in os.environ.items() if name not in IDENTITY_VARIABLES}
    done = run_as_stranger(system.binary, *command, *system.locate(), env=bare)
    assert done.returncode == 1, done
    assert "only its owner may" in done.stderr and f"you are user {STRANGER}" in done.stderr, done.stderr
    assert "no audit log" not in done.stderr and "run the command again" not in done.stderr
