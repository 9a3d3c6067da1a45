"""Why was that refused, and what would allow it: answered for requests of the official clients, by any id they know them by.

The commands that an answer recommends are run as they stand, and the refused request is sent again.
"""

import json
import re
import shlex
import sys

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from openai import APIStatusError

from support.clients import ANSWER, QUESTION, ask, ask_with_id, dated, refusal, v1
from support.keyless import ARM_SCOPE, Keyless
from support.operator import GROUP, Operator, fresh
from support.person import Person
from support.refusals import CHAT_ACTION

PASSWORD = "a long enough passphrase, with numbers 42"


def explain(system: Keyless, request_id: str) -> str:
    return system.command("explain", request_id, *system.locate()).stdout


def explained(system: Keyless, request_id: str) -> list[dict]:
    return json.loads(system.command("explain", request_id, "--json", *system.locate()).stdout)


def refused_call(client, **options) -> str:
    """The request id of a chat that is refused."""
    with pytest.raises(APIStatusError) as refused:
        client.chat.completions.create(model="chat", messages=[{"role": "user", "content": QUESTION}], **options)
    return refused.value.response.headers["apim-request-id"]


def recommended(text: str) -> list[str]:
    """The words after `keyless` of the one command that the text recommends: our own, where there is one."""
    assert not re.search(r"^ *az ", text, re.MULTILINE), "a bare az may be signed in to another cloud"
    found = re.findall(r"^  keyless (role create .*)$", text, re.MULTILINE)
    assert len(found) == 1, text
    return shlex.split(found[0])


def test_an_allowed_call_names_its_assignment(system, operator, demo):
    caller = operator.create_identity()
    assignment = operator.assign(caller, demo["id"])
    _, request_id = ask_with_id(dated(system, demo["endpoint"], token=system.token(caller.name)))
    text = explain(system, request_id)
    assert CHAT_ACTION in text and "Cognitive Services OpenAI User" in text and assignment in text, text
    (one,) = explained(system, request_id)
    assert one["decided_by"] == {
        "id": assignment,
        "name": "Cognitive Services OpenAI User",
        "scope": demo["id"],
        "denies": False,
    }
    operator.remove(demo["id"], assignment)
    assert "withdrawn since" in explain(system, request_id)


def test_who_was_removed_is_told_by_name(system, operator, demo):
    caller = operator.create_identity()
    token = system.token(caller.name)
    request_id = refused_call(dated(system, demo["endpoint"], token=token))
    removed = f"{caller.name} (removed)"
    who = ("audit", "query", *system.locate(), "--principal", caller.principal_id)
    assert caller.name in system.command(*who).stdout and removed not in system.command(*who).stdout
    system.command("identity", "remove", caller.name, *system.locate())
    assert removed in system.command(*who).stdout
    assert removed in system.command("audit", "tail", *system.locate(), "--principal", caller.principal_id).stdout
    text = explain(system, request_id)
    assert removed in text and caller.principal_id in text, text
    # Whoever has the name next is somebody else.
    system.command("identity", "create", caller.name, *system.locate())
    assert removed in system.command(*who).stdout


def test_a_refused_call_says_what_would_allow_it_and_the_command_does_u6(system, operator, demo):
    caller = operator.create_identity()
    client = dated(system, demo["endpoint"], token=system.token(caller.name))
    text = explain(system, refused_call(client))
    assert CHAT_ACTION in text and f"{demo['id']}/deployments/chat" in text, text
    words = recommended(text)
    assert words[words.index("--role") + 1] == "Cognitive Services OpenAI User", "the narrowest role that serves"
    assert words[words.index("--scope") + 1] == "demo-ai/chat", "and not an inch more"
    assert words[words.index("--as") + 1] == caller.name, "by the name that people know"
    system.command(*words)
    assert ask(client) == ANSWER
    assert refusal(client, deployment="embed")[0] == 401, "the other deployment stays closed"


def test_the_clients_own_id_finds_the_call(system, operator, demo):
    caller, own = operator.create_caller(demo["id"]), fresh("job")
    client = dated(system, demo["endpoint"], token=system.token(caller.name))
    client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": QUESTION}], extra_headers={"x-ms-client-request-id": own}
    )
    assert own in explain(system, own)
    assert [one["event"]["clientRequestId"] for one in explained(system, own)] == [own]


def test_a_key_that_is_refused_leads_to_identities(new_system):
    # Where no other test is a stranger: of their refusals, the first few have an event of their own.
    system = new_system().start()
    account = Operator(system).create_account()
    text = explain(system, refused_call(v1(system, account.endpoint, "0123456789abcdef" * 2)))
    assert system.stop() == 0
    assert "refused" in text and "keyless run" in text and "--as IDENTITY" in text, text


def test_a_refused_change_says_what_would_allow_it_by_any_of_its_ids(system, operator):
    account, caller = operator.create_account(), operator.create_identity()
    client = CognitiveServicesManagementClient(
        credential=Bearer(system.token(caller.name, ARM_SCOPE)),
        subscription_id=system.subscription,
        base_url=system.ready["control"],
        connection_verify=system.ready["ca_file"],
        credential_scopes=[ARM_SCOPE],
        retry_total=0,
    )
    with pytest.raises(HttpResponseError) as refused:
        client.accounts.begin_delete(GROUP, account.name)
    headers = refused.value.response.headers
    ids = {headers[name] for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-client-request-id")}
    texts = [explain(system, each) for each in ids]
    for text in texts:
        assert "Microsoft.CognitiveServices/accounts/delete" in text, text
    system.command(*recommended(texts[0]))
    client.accounts.begin_delete(GROUP, account.name).result(10)


class Bearer:
    """A token as a `TokenCredential`."""

    def __init__(self, token: str):
        self.token = token

    def get_token(self, *_scopes, **_options):
        return AccessToken(self.token, 4_000_000_000)


def test_an_id_that_nobody_gave_is_said_to_be_unknown(system):
    done = system.command("explain", "00000000-0000-0000-0000-000000000000", *system.locate(), check=False)
    assert done.returncode == 1 and "no event of request" in done.stderr


def test_can_i_agrees_with_what_happens(system, operator, demo):
    caller = operator.create_identity()
    client = dated(system, demo["endpoint"], token=system.token(caller.name))

    def can_i(*more: str):
        where = ["--scope", "demo-ai/chat", "--principal", caller.name]
        return system.command("can-i", CHAT_ACTION, *where, *more, *system.locate(), check=False)

    assert (can_i().returncode, refusal(client)[0]) == (1, 401)
    answer = json.loads(can_i("--json").stdout)
    assert answer["granted_by"][0] == "Cognitive Services OpenAI User"
    assignment = operator.assign(caller, demo["id"])
    assert (can_i().returncode, ask(client)) == (0, ANSWER)
    assert assignment in can_i().stdout


def test_a_person_is_added_signs_in_is_found_by_name_and_signed_out(system, new_az, admin, operator, demo):
    name = f"{fresh('grace')}@{system.status()['tenant_domain']}"
    system.memory.remember("password", PASSWORD)
    said = system.command("user", "add", name, *system.locate(), input=PASSWORD)
    assert name in said.stdout and PASSWORD not in said.stdout + said.stderr
    grace = new_az(system).register().sign_in_with_device_code(Person(system, name, PASSWORD), "--allow-no-subscriptions")

    def can_i() -> int:
        action = ["can-i", CHAT_ACTION, "--scope", "demo-ai", "--principal", name]
        return system.command(*action, *system.locate(), check=False).returncode

    assert can_i() == 1
    me = admin("ad user show --id", name)["id"]
    admin("role assignment create --role Reader --scope", demo["id"], "--assignee-object-id", me)
    admin("role assignment create --scope", demo["id"], "--role", "Cognitive Services OpenAI User", "--assignee", name)
    assert can_i() == 0
    token = grace("account get-access-token --resource", "https://cognitiveservices.azure.com")["accessToken"]
    system.memory.remember("a person's token", token)
    client = dated(system, demo["endpoint"], token=token)
    assert ask(client) == ANSWER
    # By the sign-in name, in any case, and by the object id alike.
    for who in (name.upper(), me):
        calls = system.audit("--principal", who, "--category", "data", "--deployment", "CHAT", "--since", "1h")
        assert [call["actor"]["objectId"] for call in calls] == [me]
    system.command("user", "sign-out", name, *system.locate())
    assert refusal(client)[0] == 401


def test_a_weak_password_is_refused_before_a_person_is_made(system):
    name = f"{fresh('weak')}@{system.status()['tenant_domain']}"
    done = system.command("user", "add", name, *system.locate(), input="12345", check=False)
    assert done.returncode == 1 and "12345" not in done.stderr
    action = ["can-i", CHAT_ACTION, "--scope", "demo-ai", "--principal", name]
    assert "nobody here is called" in system.command(*action, *system.locate(), check=False).stderr


# --- requests without an id at hand ---


def test_the_last_refused_request_is_explained_without_any_id_u7(system, operator, demo):
    caller = operator.create_identity()
    client = dated(system, demo["endpoint"], token=system.token(caller.name))
    request_id = refused_call(client)
    done = system.command("explain", "--last", "--as", caller.name, *system.locate())
    assert request_id in done.stdout and CHAT_ACTION in done.stdout, done.stdout
    assert f"the newest request of {caller.name} that was refused" in done.stderr
    # The program itself asks about nobody else.
    inside = system.run(caller.name, str(system.binary), "explain", "--last", *system.locate())
    assert request_id in inside.stdout
    # One that was never refused has a last request too.
    fine = operator.create_caller(demo["id"])
    _, allowed = ask_with_id(dated(system, demo["endpoint"], token=system.token(fine.name)))
    done = system.command("explain", "--last", "--as", fine.name, *system.locate())
    assert allowed in done.stdout and "no request" in done.stderr and "was refused or failed" in done.stderr


def test_what_the_audit_shows_of_a_request_is_enough_to_explain_it_u7(system, operator, demo):
    caller = operator.create_identity()
    request_id = refused_call(dated(system, demo["endpoint"], token=system.token(caller.name)))
    short = request_id[:8]
    for look in ("tail", "query"):
        shown = system.command("audit", look, "--principal", caller.name, *system.locate()).stdout
        assert short in shown.split(), shown
    assert request_id in explain(system, short)
    assert request_id in explain(system, short.upper()), "in any case, as hexadecimal is"
    few = system.command("explain", short[:2], *system.locate(), check=False)
    assert few.returncode == 1 and "at least 6" in few.stderr, few.stderr


def test_a_program_that_fails_is_followed_by_what_its_identity_was_refused_u7(system, operator, examples):
    caller = operator.create_identity()
    example = str(examples / "python" / "chat.py")
    done = system.run(caller.name, sys.executable, example, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("keyless: calls of")]
    assert done.returncode == 1 and len(lines) == 1 and "refused" in lines[0], done.stderr
    command = shlex.split(lines[0].split("why: ")[1])
    assert command[0] == "keyless"
    said = system.command(*command[1:]).stdout
    assert CHAT_ACTION in said and "keyless role create" in said, said
    assert "keyless:" not in system.run(caller.name, "false", check=False).stderr, "a failure of its own is its own"


def test_a_refusal_that_was_only_counted_is_told_as_that_u9(new_system):
    system = new_system().start()
    client = v1(system, Operator(system).create_account().endpoint, "0123456789abcdef" * 2)
    ids = [refused_call(client) for _ in range(40)]
    assert system.stop() == 0, "which writes the counts of the running minute"
    done = system.command("explain", ids[-2], *system.locate(), check=False)
    found = re.search(r"are counted: (\d+) between (\S+) and (\S+), the last of them in `keyless explain (\w+)`", done.stderr)
    assert done.returncode == 1 and found and 1 < int(found[1]) < 40, done.stderr
    assert f"{found[1]} refusals between" in explain(system, found[4])


# --- questions that have no answer ---


@pytest.mark.parametrize(
    ("action", "scope", "said"),
    [
        ("chat", "demo-ai/chat", CHAT_ACTION),
        ("Foo/bar", "demo-ai", "there is no action `Foo/bar`"),
        (f"{CHAT_ACTION}s", "demo-ai/chat", f"did you mean {CHAT_ACTION} ?"),
        ("Microsoft.CognitiveServices/accounts/reed", "demo-ai", "did you mean Microsoft.CognitiveServices/accounts/read ?"),
        (CHAT_ACTION, "demo-ai/chatt", "did you mean `demo-ai/chat`?"),
        (CHAT_ACTION, "demo-ai/something-else", "choose one of: demo-ai/chat"),
        (CHAT_ACTION, "demo-aj", "did you mean `demo-ai`?"),
    ],
)
def test_what_does_not_exist_is_neither_allowed_nor_refused_u3(system, action, scope, said):
    for principal in ("demo-app", "operator"):
        done = system.command("can-i", action, "--scope", scope, "--principal", principal, *system.locate(), check=False)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert said in done.stderr and "role assignment" not in done.stderr, done.stderr


def test_a_place_is_unknown_by_its_arm_id_too_u3(system, demo):
    gone = f"{demo['id']}/deployments/nope"
    done = system.command("can-i", CHAT_ACTION, "--scope", gone, *system.locate(), check=False)
    assert (done.returncode, done.stdout) == (2, "") and "no deployment `nope`" in done.stderr
