"""The everyday things by name: identities, deployments, roles and people, without `az` and without an id."""

import json
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest

from support.clients import ANSWER, ask, dated, refusal
from support.operator import fresh
from support.person import Person

PASSWORD = "a long enough passphrase, with numbers 44"
OTHER = "another long enough passphrase, with numbers 45"
ROLE = "Cognitive Services OpenAI User"


@pytest.fixture
def keyless(system):
    """Runs a command of the system that must succeed, and returns what it prints."""

    def run(*words: str, **options) -> str:
        return system.command(*words, *system.locate(), **options).stdout

    return run


@pytest.fixture
def refused(system):
    """What a command says that must fail."""

    def run(*words: str, code: int = 1) -> str:
        done = system.command(*words, *system.locate(), check=False)
        assert (done.returncode, done.stdout) == (code, ""), done
        return done.stderr

    return run


def test_from_nothing_to_an_answer_by_names_alone(system, keyless, demo):
    name, deployment = fresh("summariser"), fresh("model")
    made = json.loads(keyless("identity", "create", name, "--json"))
    assert json.loads(keyless("identity", "show", made["client_id"], "--json")) == made, "by any of its ids"
    assert name in [one["name"] for one in json.loads(keyless("identity", "list", "--json"))]
    keyless("deployment", "create", f"demo-ai/{deployment}", "--model", "chat", "--capacity", "10")
    shown = json.loads(keyless("deployment", "show", f"demo-ai/{deployment}", "--json"))
    assert (shown["name"], shown["model"], shown["capacity"]) == (f"demo-ai/{deployment}", "chat", 10)

    client = dated(system, demo["endpoint"], token=system.token(name))
    assert refusal(client, deployment=deployment)[0] == 401
    grant = ("--as", name, "--role", ROLE.lower(), "--scope", f"demo-ai/{deployment}")
    given = json.loads(keyless("role", "create", *grant, "--json"))
    assert (given["role"], given["principal"], given["scope"]) == (ROLE, name, shown["id"])
    assert ask(client, deployment=deployment) == ANSWER
    assert refusal(client)[0] == 401, "the other deployment stays closed"
    (one,) = json.loads(keyless("role", "list", "--as", name, "--json"))
    assert one == given == json.loads(keyless("role", "show", given["id"][:8], "--json"))
    assert given["id"][:8] in keyless("role", "list", "--scope", "demo-ai")

    keyless("role", "remove", *grant)
    assert refusal(client, deployment=deployment)[0] == 401
    keyless("deployment", "remove", f"demo-ai/{deployment}")
    keyless("identity", "remove", name)
    assert refusal(client)[0] == 401
    # As any other change: under the operator's own token, in the audit.
    events = [event for event in system.audit("--category", "control", "--since", "5m") if event["outcome"] == "allowed"]
    operator = system.identity("operator")["principal_id"]
    by_operator = [event["operation"] for event in events if event["actor"].get("objectId") == operator]
    for operation in ("userAssignedIdentities/write", "deployments/write", "roleAssignments/write", "roleAssignments/delete"):
        assert any(done.endswith(operation) for done in by_operator), (operation, by_operator)


def test_what_was_probably_meant_is_said(refused):
    assert "did you mean `demo-app`?" in refused("identity", "show", "demo-ap")
    assert "did you mean `demo-ai/chat`?" in refused("deployment", "show", "demo-ai/chatt")
    assert "did you mean `demo-ai`?" in refused("deployment", "list", "--account", "demo-aj")
    near = ("--role", "Cognitive Service OpenAI User", "--scope", "demo-ai")
    assert f"did you mean `{ROLE}`?" in refused("role", "create", "--as", "demo-app", *near)
    assert "did you mean `demo-app`?" in refused("role", "create", "--as", "demoapp", "--role", ROLE, "--scope", "demo-ai")
    assert "no role assignment `ffffff`" in refused("role", "remove", "ffffff")
    assert "required" in refused("role", "remove", code=2)


def test_what_is_there_already_is_not_made_again(refused):
    assert "already" in refused("identity", "create", "demo-app")
    assert "already" in refused("deployment", "create", "demo-ai/chat", "--model", "other")
    assert "by which these commands work" in refused("identity", "remove", "operator")


def test_a_person_is_listed_given_a_role_by_name_and_removed_u20(system, keyless, refused):
    name = f"{fresh('ada')}@{system.status()['tenant_domain']}"
    system.memory.remember("password", PASSWORD)
    keyless("user", "add", name, input=PASSWORD)
    (listed,) = [one for one in json.loads(keyless("user", "list", "--json")) if one["name"] == name]
    assert listed["enabled"] is True and name in keyless("user", "list")
    keyless("role", "create", "--as", name, "--role", "Reader", "--scope", "group/demo")
    report = json.loads(keyless("whoami", "--as", name, "--json"))
    assert report["identity"] == {"name": name, "principal_id": listed["object_id"]}
    assert [role["role"] for role in report["roles"]] == ["Reader"]
    assert name in keyless("whoami", "--as", name.upper())
    keyless("user", "remove", name)
    assert name not in keyless("user", "list")
    assert json.loads(keyless("role", "list", "--json")), "the others' roles are there"
    assert "nobody here is called" in refused("user", "remove", name)


def test_only_people_are_removed_as_people_u20(system, refused):
    assert "identity remove" in refused("user", "remove", "demo-app")
    assert system.identity("demo-app") in system.status()["identities"]


@pytest.mark.parametrize("name", ["grace@example.com", "grace", "@keyless.localhost", "gr ace@{domain}", "grace@{domain}.evil"])
def test_a_name_of_another_domain_is_no_sign_in_name_u20(system, name):
    domain = system.status()["tenant_domain"]
    name = name.format(domain=domain)
    for words in (["user", "add", name], ["user", "invite", name]):
        done = system.command(*words, *system.locate(), input=PASSWORD, check=False)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert f"ada@{domain}" in done.stderr and PASSWORD not in done.stderr
        assert "keyless status" not in done.stderr, "an advice that does not help"


def test_a_reset_password_is_the_only_one_left_and_the_person_is_signed_out_u20(system, new_az, keyless, demo):
    name = f"{fresh('eve')}@{system.status()['tenant_domain']}"
    for password in (PASSWORD, OTHER):
        system.memory.remember("password", password)
    keyless("user", "add", name, input=PASSWORD)
    keyless("role", "create", "--as", name, "--role", ROLE, "--scope", "demo-ai")
    az = new_az(system).register().sign_in_with_device_code(Person(system, name, PASSWORD), "--allow-no-subscriptions")
    token = az("account get-access-token --resource", "https://cognitiveservices.azure.com")["accessToken"]
    system.memory.remember("a person's token", token)
    client = dated(system, demo["endpoint"], token=token)
    assert ask(client) == ANSWER
    said = system.command("user", "reset-password", name, "--keep", *system.locate(), input=OTHER)
    assert OTHER not in said.stdout + said.stderr
    assert refusal(client)[0] == 401
    new_az(system).register().sign_in_with_device_code(Person(system, name, OTHER), "--allow-no-subscriptions")
    with pytest.raises(AssertionError):
        new_az(system).register().sign_in_with_device_code(Person(system, name, PASSWORD), "--allow-no-subscriptions")


def at_a_terminal(command: list[str], answers: list[str]) -> tuple[int, str]:
    """Runs a command whose streams are a terminal, types an answer to each question, and returns all that the screen showed."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, deadline = "", time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                shown += os.read(ours, 4096).decode()
            except OSError:
                break
            if answers and shown.rstrip(" ").endswith(":"):
                os.write(ours, answers.pop(0).encode() + b"\n")
                shown += "\n"
        return running.wait(10), shown
    finally:
        running.kill()
        os.close(ours)


def test_a_password_is_typed_unseen_at_a_terminal_u20(system, keyless):
    name = f"{fresh('kim')}@{system.status()['tenant_domain']}"
    system.memory.remember("password", PASSWORD)
    command = [str(system.binary), "user", "add", name, *system.locate()]
    code, shown = at_a_terminal(command, [PASSWORD, OTHER])
    assert code == 1 and "not the same" in shown
    code, shown = at_a_terminal(command, [PASSWORD, PASSWORD])
    assert code == 0 and "may sign in" in shown, shown
    assert PASSWORD not in shown
    code, shown = at_a_terminal(command, ["\x03"])
    assert code == 130 and "nothing was changed" in shown


def test_an_invitation_is_listed_and_withdrawn_i15(system, keyless, refused):
    name = f"{fresh('lea')}@{system.status()['tenant_domain']}"
    link = keyless("user", "invite", name).strip()
    (shown,) = [one for one in json.loads(keyless("user", "invitations", "--json")) if one["user_principal_name"] == name]
    assert not shown["owner"] and shown["expires"] > shown["invited"]
    assert name in keyless("user", "invitations")
    lea = Person(system, name, PASSWORD)
    assert lea.open(link).forms != []
    keyless("user", "withdraw", name)
    assert lea.open(link).forms == []
    assert name not in keyless("user", "invitations")
    assert "no open invitation" in refused("user", "withdraw", name)


def test_lists_keep_every_id_whole_and_every_line_within_eighty_columns_u13(system, keyless):
    identity, domain = fresh("an-identity-with-quite-a-long-name-for-a-column"), system.status()["tenant_domain"]
    person = f"{fresh('a.person.with.a.long.name.at.work')}@{domain}"
    system.memory.remember("password", PASSWORD)
    client_id = json.loads(keyless("identity", "create", identity, "--json"))["client_id"]
    keyless("user", "add", person, input=PASSWORD)
    object_id = next(one["object_id"] for one in json.loads(keyless("user", "list", "--json")) if one["name"] == person)
    grant = json.loads(keyless("role", "create", "--as", person, "--role", ROLE, "--scope", "demo-ai/chat", "--json"))
    for words, ids in {
        ("identity", "list"): [identity, client_id],
        ("user", "list"): [person, object_id, "enabled"],
        ("role", "list"): [grant["id"][:8], person, "demo-ai/chat", ROLE],
        ("deployment", "list"): ["demo-ai/chat", "demo-ai/embed"],
    }.items():
        code, shown = at_a_terminal([str(system.binary), *words, *system.locate()], [])
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert code == 0 and max(map(len, plain.splitlines())) <= 80, plain
        assert "…" not in plain and all(part in plain for part in ids), plain
    # What is longer than a line of its own stands on one, unbroken.
    code, shown = at_a_terminal([str(system.binary), "identity", "show", identity, *system.locate()], [])
    assert code == 0 and client_id in shown and f"/userAssignedIdentities/{identity}" in shown
    keyless("identity", "remove", identity)
    keyless("user", "remove", person)


# --- what one command prints, every other one takes ---


def test_every_printed_form_of_a_place_is_taken_by_every_command_u1(system, keyless):
    subscription = f"/subscriptions/{system.subscription}"
    account = next(one for one in system.status()["accounts"] if one["name"] == "demo-ai")["id"]
    name = fresh("somewhere")
    keyless("identity", "create", name)
    who, role = ("--as", name), ("--role", "Reader")
    for identifier, forms in {
        subscription: ["subscription"],
        f"{subscription}/resourceGroups/demo": ["group/demo", "resourceGroups/demo"],
        account: ["demo-ai", "accounts/demo-ai"],
        f"{account}/deployments/chat": ["demo-ai/chat", "demo-ai/deployments/chat", "accounts/demo-ai/deployments/chat"],
    }.items():
        for form in [*forms, identifier]:
            made = json.loads(keyless("role", "create", *who, *role, "--scope", form, "--json"))
            assert made["scope"].lower() == identifier.lower(), form
            printed = keyless("role", "list", *who, "--scope", form)
            assert forms[0] in printed.split(), printed
            asked = system.command("can-i", "Microsoft.CognitiveServices/accounts/read", *who, "--scope", form, *system.locate())
            assert asked.stdout.startswith("yes: role Reader") and f"at {forms[0]}" in asked.stdout, asked.stdout
            assert f"asked of {name} at {forms[0]}" in asked.stdout, asked.stdout
            for look in ("tail", "query"):
                keyless("audit", look, "--scope", form, "--since", "1m")
            keyless("role", "remove", *who, *role, "--scope", form)
    keyless("identity", "remove", name)


def test_who_or_what_was_probably_meant_is_said_wherever_a_name_is_taken_u6(system):
    program = ["--", "true"]
    for words in (
        ["run", "--as", "demo-ap", *program],
        ["env", "--as", "demo-ap"],
        ["token", "--as", "demo-ap"],
        ["host", "attach", "demo-ap"],
        ["whoami", "--as", "demo-ap"],
        ["audit", "tail", "--as", "demo-ap"],
        ["can-i", "Microsoft.CognitiveServices/accounts/read", "--scope", "demo-ai", "--as", "demo-ap"],
        ["user", "sign-out", "demo-ap"],
    ):
        before, after = (words[:-2], program) if words[-2:] == program else (words, [])
        done = system.command(*before, *system.locate(), *after, check=False)
        assert done.returncode != 0 and "did you mean `demo-app`?" in done.stderr, (words, done.stderr)
    done = system.command("run", "--account", "demo-aj", *system.locate(), *program, check=False)
    assert "did you mean `demo-ai`?" in done.stderr, done.stderr


def test_a_name_that_no_identity_can_have_is_told_as_that_u3(refused):
    for name in ("a b", "a?b", "x#y", "%41"):
        said = refused("identity", "create", name)
        assert "does not answer" not in said and ("names hold letters" in said or "3 to 128" in said), said
        assert "correct what it says" not in said, said


def test_a_deny_assignment_counts_in_the_overview_u3(system, keyless, tmp_path):
    name, file = fresh("denied"), tmp_path / "deny.yaml"
    keyless("identity", "create", name)
    keyless("role", "create", "--as", name, "--role", ROLE, "--scope", "demo-ai")
    (before,) = [one for one in json.loads(keyless("whoami", "--as", name, "--json"))["accounts"] if one["name"] == "demo-ai"]
    assert before["call_models"] is True
    actions = "Microsoft.CognitiveServices/accounts/OpenAI/*"
    file.write_text(
        f"name: {name}\ndenyAssignments:\n  - denyAssignmentName: {name}\n    scope: demo-ai/deployments/chat\n"
        f"    dataActions: ['{actions}']\n    principals: [{{ identity: {name} }}]\n"
    )
    keyless("apply", "--yes", str(file))
    (after,) = [one for one in json.loads(keyless("whoami", "--as", name, "--json"))["accounts"] if one["name"] == "demo-ai"]
    assert after["call_models"] is False and "chat" not in after["deployments"] and "embed" in after["deployments"], after
    file.write_text(f"name: {name}\n")
    keyless("apply", "--yes", "--prune", str(file))
    keyless("identity", "remove", name)


def test_a_deployment_says_which_model_answers_and_the_audit_names_no_version_of_another_u2(system, keyless, demo):
    deployment = fresh("stood-in-for")
    said = keyless("deployment", "create", f"demo-ai/{deployment}", "--model", "gpt-4o", "--model-version", "2024-08-06")
    assert "does not have gpt-4o" in said and "answers with gpt-4o" not in said, said
    assert ask(dated(system, demo["endpoint"], token=system.token("demo-app")), deployment=deployment) == ANSWER
    (call,) = system.audit("--deployment", f"demo-ai/{deployment}", "--category", "data")
    assert call["data"]["model"] != "gpt-4o" and "modelVersion" not in call["data"], call["data"]
    keyless("deployment", "remove", f"demo-ai/{deployment}")


def test_the_audit_names_the_role_and_the_place_that_allowed_a_call_u8(system, keyless, demo):
    ask(dated(system, demo["endpoint"], token=system.token("demo-app")))
    shown = keyless("audit", "tail", "--as", "demo-app", "--category", "data", "-n", "1")
    assert f"{ROLE} at demo-ai" in shown and "grants role" not in shown, shown
    (call,) = system.audit("--principal", "demo-app", "--category", "data", "--outcome", "allowed")[-1:]
    told = keyless("explain", call["requestId"])
    assert f"allowed" in told and f"{ROLE} at demo-ai" in told and "demo-app" in told, told
