"""Commands that show and prove things, run as people run them: demo, drill, env, whoami, completions, man."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from support.broken import broken
from support.clients import ANSWER, QUESTION, refusal, dated
from support.refusals import CHAT_ACTION

ASK = f"""
import os
from azure.identity import ManagedIdentityCredential, get_bearer_token_provider
from openai import AzureOpenAI
provider = get_bearer_token_provider(
    ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"]), "https://cognitiveservices.azure.com/.default")
client = AzureOpenAI(azure_ad_token_provider=provider, max_retries=0)
print(client.chat.completions.create(model="chat", messages=[{{"role": "user", "content": "{QUESTION}"}}]).choices[0].message.content)
"""


def as_a_shell_with(variables: dict[str, str], program: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | variables, capture_output=True, text=True, timeout=60
    )


# --- the drill ---


def test_the_drill_finds_a_key_that_opens_everything_and_a_client_id_that_opens_nothing(system):
    report = json.loads(system.command("drill", "--json", *system.locate()).stdout)
    assert report["key_dead_after_millis"] < 5000
    by_loot = {
        loot: [one for one in report["findings"] if one["loot"] == loot] for loot in ("key", "clientId", "rightful")
    }
    *opened, dead = by_loot["key"]
    assert len(opened) == 3 and all(one["succeeded"] for one in opened)
    assert (dead["status"], dead["refused"]) == (403, True)
    assert len(by_loot["clientId"]) == 7
    assert all(one["refused"] and not one["succeeded"] for one in by_loot["clientId"]), by_loot["clientId"]
    assert [one["succeeded"] for one in by_loot["rightful"]] == [True]
    # It clears its things away.
    left = system.status()
    assert not [one for one in left["accounts"] + left["identities"] if one["name"].startswith("drill-")]


@pytest.mark.parametrize(("status", "body"), [(500, b'{"error":"server_error"}'), (404, b""), (403, b"<html>")])
def test_endpoints_that_are_broken_do_not_count_as_refusing(system, tmp_path, status, body):
    with broken(system, tmp_path, ("metadata", "authority"), status, body) as data:
        done = system.command("drill", "--json", "--data", str(data), check=False)
    assert done.returncode == 1, done
    unproven = [one for one in json.loads(done.stdout)["findings"] if not one["succeeded"] and not one["refused"]]
    assert {one["status"] for one in unproven} == {status} and len(unproven) == 5, done.stdout


# --- the demo ---


@pytest.mark.parametrize("options,said", [(["--built-in"], "it is no model"), ([], "✓ a small real model")], ids=["built-in", "model"])
def test_the_demo_runs_to_its_end(binary, tmp_path, options, said):
    environment = os.environ | {"XDG_CACHE_HOME": os.environ["KEYLESS_INTEROP_DEMO_CACHE"], "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [str(binary), "demo", "--once", *options], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("keyless run --as newcomer -- python chat.py", "lacks the required data action", "the client id leaks", said):
        assert words in done.stdout + done.stderr, words
    assert "UNEXPECTED" not in done.stdout
    assert not list(tmp_path.iterdir()), "the throw-away folder is gone"


# --- loans to shells ---


def test_a_shells_loan_is_listed_lasts_its_time_and_ends_when_revoked(system, memory):
    done = system.command("env", "--as", "demo-app", "--ttl", "90m", "--shell", "json", *system.locate())
    variables = json.loads(done.stdout)
    memory.remember("identity header", variables["IDENTITY_HEADER"])
    assert "1 h 30 min" in done.stderr
    loan = done.stderr.split("--revoke ")[1].split("`")[0]
    shown = system.command("status", *system.locate()).stdout
    (line,) = [line for line in shown.splitlines() if loan in line]
    assert "demo-app" in line and "shell" in line, line
    assert as_a_shell_with(variables, ASK).stdout.strip() == ANSWER

    system.command("env", "--revoke", loan, *system.locate())
    assert loan not in system.command("status", *system.locate()).stdout
    assert as_a_shell_with(variables, ASK).returncode != 0, "its header is worth nothing"
    again = system.command("env", "--revoke", loan, *system.locate(), check=False)
    assert again.returncode == 1 and "nothing is lent" in again.stderr


def test_a_shells_loan_ends_by_itself(system, memory):
    done = system.command("env", "--as", "demo-app", "--ttl", "1s", "--shell", "json", *system.locate())
    variables = json.loads(done.stdout)
    memory.remember("identity header", variables["IDENTITY_HEADER"])
    loan = done.stderr.split("--revoke ")[1].split("`")[0]
    # Another command takes longer than that, and asks until it has.
    while loan in system.command("status", *system.locate()).stdout:
        pass
    assert as_a_shell_with(variables, ASK).returncode != 0


# --- words about oneself ---


def test_whoami_says_who_a_program_is_and_what_it_may_do(system, operator, demo):
    caller = operator.create_identity()
    alone = json.loads(system.run(caller.name, str(system.binary), "whoami", "--json", *system.locate()).stdout)
    assert alone["identity"]["client_id"] == caller.client_id and alone["roles"] == []
    assert "every call is refused" in system.command("whoami", "--as", caller.name, *system.locate()).stdout
    assert refusal(dated(system, demo["endpoint"], token=system.token(caller.name)))[0] == 401
    operator.assign(caller, demo["id"])
    report = json.loads(system.command("whoami", "--as", caller.name, "--json", *system.locate()).stdout)
    assert [role["role"] for role in report["roles"]] == ["Cognitive Services OpenAI User"]
    (account,) = [one for one in report["accounts"] if one["name"] == "demo-ai"]
    assert (account["call_models"], account["manage"], account["give_roles"]) == (True, False, False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "elvish"])
def test_completions_know_every_command(system, shell):
    script = system.command("completions", shell).stdout
    for command in ("up", "run", "can-i", "role", "man"):
        assert command in script
    if shell == "bash":
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stderr
        asked = f"{script}\nCOMP_WORDS=(keyless whoa); COMP_CWORD=1; _keyless keyless whoa keyless; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True)
        assert done.stdout.split() == ["whoami"], done


def test_manual_pages_are_written_for_every_command(system, tmp_path):
    said = system.command("man", str(tmp_path)).stdout
    pages = {path.name for path in tmp_path.iterdir()}
    assert {"keyless.1", "keyless-run.1", "keyless-role-create.1"} <= pages and f"{len(pages)} manual pages" in said
    assert system.command("man").stdout == (tmp_path / "keyless.1").read_text()


def test_manual_pages_render_without_a_complaint(system, tmp_path):
    system.command("man", str(tmp_path))
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    for page in sorted(tmp_path.iterdir()):
        judged = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", str(page)], capture_output=True, text=True, env=environment)
        assert (judged.returncode, judged.stderr) == (0, ""), page.name
    shown = subprocess.run(["man", "-l", str(tmp_path / "keyless-role-create.1")], capture_output=True, text=True, env=environment)
    assert shown.returncode == 0, shown.stderr
    for words in ("NAME", "SYNOPSIS", "OPTIONS", "--scope", "Exit codes: 0 done"):
        assert words in shown.stdout, words
    assert max(map(len, shown.stdout.splitlines())) <= 80 and "\\f" not in shown.stdout


# --- reports for programs ---


def members(value, path="") -> list[str]:
    if isinstance(value, dict):
        return [name for key, inner in value.items() for name in [f"{path}.{key}", *members(inner, f"{path}.{key}")]]
    return [name for inner in value for name in members(inner, path)] if isinstance(value, list) else []


def test_the_members_of_every_report_are_in_snake_case_u21(system):
    reports = [
        ["status"], ["whoami"], ["identity", "list"], ["role", "list"], ["deployment", "list"], ["user", "list"],
        ["can-i", CHAT_ACTION, "--scope", "demo-ai"], ["host", "show"], ["keys", "list"], ["drill"], ["audit", "verify"],
        ["explain", "--last"],
    ]  # fmt: skip
    for words in reports:
        report = json.loads(system.command(*words, "--json", *system.locate()).stdout)
        # An event stands as it is in the log, under the hashes of the chain.
        names = [name for name in members(report) if not name.startswith(".event.")]
        assert names == [name for name in names if name == name.lower()], (words, names)
