"""`keyless az`: this system as a cloud of the real `az`, the way back, and single commands that need neither."""

import json
import os
import subprocess

import pytest

from support.az import NOT_FOUND, Az


@pytest.fixture
def az(new_az, system) -> Az:
    """Knows nothing of this system; another cloud has been registered and left again, as in a folder that is in use."""
    az = new_az(system)
    elsewhere = "https://elsewhere.example"
    places = ("resource-manager", "active-directory", "active-directory-resource-id")
    az("cloud register -n stack --skip-endpoint-discovery", *(f"--endpoint-{place}={elsewhere}" for place in places))
    az("cloud set -n stack")
    return az


def command(az: Az, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess:
    """Runs `keyless az` as somebody would whose shell has az and trusts what the machine trusts."""
    outer = {name: value for name, value in az.env.items() if name not in PREPARED}
    return az.system.command("az", *az.system.locate(), *arguments, check=check, env=outer | variables)


PREPARED = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AZURE_CORE_INSTANCE_DISCOVERY")


def shell(az: Az, script: str) -> str:
    """What a script prints, run by a shell that was not prepared for this system."""
    outer = {name: value for name, value in az.env.items() if name not in PREPARED}
    outer["KEYLESS_AZ"] = " ".join([str(az.system.binary), "az", *az.system.locate()])
    outer["KEYLESS_ENV"] = " ".join([str(az.system.binary), "env", "--as", "operator", *az.system.locate()])
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=outer, capture_output=True, text=True)
    assert done.returncode == 0, f"the script ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def settings(az: Az) -> dict[str, str]:
    """What the settings folder says about clouds and sign-ins."""
    files = ("config", "clouds.config", "azureProfile.json", "service_principal_entries.json", "msal_token_cache.json")
    return {name: path.read_text() for name in files if (path := az.folder / name).exists()}


def clouds(az: Az) -> dict[str, bool]:
    return {cloud["name"]: cloud["isActive"] for cloud in az("cloud list")}


def test_register_sign_in_work_and_undo_leave_the_settings_as_they_were(az, system, memory):
    az("account list --all")
    before = settings(az)
    printed = shell(
        az,
        """
        eval "$($KEYLESS_AZ)"
        eval "$($KEYLESS_ENV | grep IDENTITY_)"
        client=$($KEYLESS_ENV --shell json | python3 -c 'import json, sys; print(json.load(sys.stdin)["AZURE_CLIENT_ID"])')
        az login --identity --client-id "$client" --output none
        az group list --query "[].name" -o tsv
        # A new shell repeats the line; there is nothing left to register.
        unset REQUESTS_CA_BUNDLE
        eval "$($KEYLESS_AZ)"
        az identity show -n demo-app -g demo --query name -o tsv
        $KEYLESS_AZ --undo --run
        """,
    )
    assert {"demo", "demo-app"} <= set(printed.splitlines())
    assert "unset AZURE_CORE_INSTANCE_DISCOVERY" in printed
    assert clouds(az)["stack"] is True
    after = settings(az)
    assert after["clouds.config"] == before["clouds.config"]
    assert after["config"] == before["config"]
    assert json.loads(after["azureProfile.json"].removeprefix("\ufeff"))["subscriptions"] == []
    assert "IDENTITY_HEADER" not in json.dumps(after)


def test_running_it_registers_and_prints_only_what_the_shell_must_set(az, system):
    done = command(az, "--run")
    assert [line.split("=")[0] for line in done.stdout.splitlines()][:1] == ["export AZURE_CORE_INSTANCE_DISCOVERY"]
    assert "az cloud" not in done.stdout and "az cloud register" in done.stderr
    assert clouds(az)["keyless"] is True
    described = json.loads(command(az, "--json").stdout)
    assert (described["commands"], described["ran"]) == ([], False)
    # The way back does not need the system, only az.
    record = json.loads((system.data / "az" / "registered.json").read_text())
    assert record[str(az.folder)]["keyless"]["before"] == "stack"
    undone = json.loads(command(az, "--undo", "--run", "--json").stdout)
    assert undone["commands"] == [["az", "cloud", "set", "-n", "stack"], ["az", "cloud", "unregister", "-n", "keyless"]]
    assert "keyless" not in clouds(az)


def test_the_way_back_is_open_when_the_system_is_gone(new_az, new_system):
    system = new_system().start()
    az = new_az(system)
    command(az, "--run")
    az.sign_in_as_managed_identity("operator")
    assert system.stop() == 0
    assert command(az, "--run", check=False).returncode == 1, "registering needs a system"
    command(az, "--undo", "--run")
    left = clouds(az)
    assert (left["AzureCloud"], "keyless" in left) == (True, False)


def test_a_name_that_is_taken_is_not_touched(az):
    before = settings(az)
    for name in ("stack", "AzureCloud"):
        done = command(az, "--run", "--name", name, check=False)
        assert done.returncode == 1
        assert f"a cloud named `{name}` already" in done.stderr and "--name" in done.stderr
    assert settings(az) == before


def test_undoing_what_was_never_done_says_so(az):
    done = command(az, "--undo", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing to undo" in done.stderr and "next:" in done.stderr


def test_without_az_the_command_says_how_to_get_it(az):
    done = command(az, "--run", check=False, PATH="/nowhere")
    assert done.returncode == 1
    assert "`az`, is not installed" in done.stderr and "pipx install azure-cli" in done.stderr
    done = command(az, "--", "group", "list", check=False, PATH="/nowhere")
    assert "`az`, is not installed" in done.stderr


def test_without_a_system_the_command_says_how_to_start_one(az, tmp_path):
    done = az.system.command("az", "--data", str(tmp_path), check=False, env=az.env)
    assert done.returncode == 1
    assert "no system is running" in done.stderr and "keyless up" in done.stderr


def test_a_single_command_needs_no_settings_and_changes_none(az, system):
    before = settings(az)
    assert "demo" in json.loads(command(az, "--", "group", "list", "--query", "[].name").stdout)
    command(az, "--", "group", "create", "-n", "made-by-one-command", "-l", "local")
    made = [event for event in system.audit("--category", "control") if event.get("target", "").endswith("/made-by-one-command")]
    assert [event["actor"]["objectId"] for event in made] == [system.identity("operator")["principal_id"]]
    assert settings(az) == before

    again = command(az, "--", "group", "exists", "-n", "made-by-one-command")
    assert (again.stdout, again.stderr) == ("true\n", ""), "only the first command prepares anything"
    refused = command(az, "--as", "demo-app", "--", "identity", "create", "-n", "x", "-g", "demo", check=False)
    assert refused.returncode == 1 and "AuthorizationFailed" in refused.stderr
    missing = command(az, "--", "group", "show", "-n", "nope", check=False)
    assert missing.returncode == NOT_FOUND, "az's own exit code"


def test_what_is_kept_for_single_commands_opens_nothing(az, system, memory):
    command(az, "--", "group", "list")
    folders = [path for path in (system.data / "az").iterdir() if path.is_dir()]
    assert folders and all(path.stat().st_mode & 0o077 == 0 for path in folders)
    kept = "".join(path.read_text(errors="replace") for folder in folders for path in folder.rglob("*") if path.is_file())
    assert "eyJ" not in kept, "a token was written to disk"
    # az with this folder, outside of the command, has no identity.
    folder = folders[0]
    environment = {name: value for name, value in az.env.items()} | {"AZURE_CONFIG_DIR": str(folder)}
    environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = "http://127.0.0.1:9"
    environment.pop("IDENTITY_ENDPOINT", None)
    alone = subprocess.run([str(az.program), "group", "list"], env=environment, capture_output=True, text=True)
    assert alone.returncode != 0, alone.stdout
    assert os.path.commonpath([folder, system.data]) == str(system.data)
