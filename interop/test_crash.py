"""`kill -9` under load loses nothing that was promised."""

import shutil

import pytest

from support.clients import ANSWER, ask, dated, refusal
from support.load import Load
from support.operator import Operator
from support.refusals import permission_denied

CALLS_BEFORE_THE_KILL = 150


@pytest.fixture
def victim(new_system):
    system = new_system().start()
    yield system
    assert system.stop() == 0


def identities_of(operator: Operator) -> set[str]:
    return {identity.principal_id for identity in operator.identities.list_by_subscription()}


def assignments_of(operator: Operator) -> set[str]:
    return {assignment.name for assignment in operator.authorization.role_assignments.list_for_subscription()}


def test_kill_9_under_load_loses_nothing(victim):
    operator = Operator(victim)
    account = operator.create_account(local_auth=True)
    allowed, refused = operator.create_caller(account.id), operator.create_identity()
    allowed_token, refused_token = victim.token(allowed.name), victim.token(refused.name)
    state = identities_of(operator), assignments_of(operator), operator.keys(account)

    load = Load(dated(victim, account.endpoint, token=allowed_token))
    load.wait_for(CALLS_BEFORE_THE_KILL, timeout=60)
    victim.kill()
    answered = load.finish()
    victim.start()

    operator = Operator(victim)
    assert (identities_of(operator), assignments_of(operator), operator.keys(account)) == state
    assert ask(dated(victim, account.endpoint, token=allowed_token)) == ANSWER
    assert refusal(dated(victim, account.endpoint, token=refused_token)) == permission_denied(refused.principal_id)
    victim.command("audit", "verify", *victim.locate())
    audited = {event["requestId"] for event in victim.calls()}
    assert len(answered) >= CALLS_BEFORE_THE_KILL
    assert set(answered) - audited == set()


def test_a_change_that_was_answered_survives_kill_9(victim):
    operator = Operator(victim)
    account = operator.create_account()
    app = operator.create_identity()
    token = victim.token(app.name)
    for _ in range(5):
        assignment = operator.assign(app, account.id)
        victim.kill()
        victim.start()
        operator = Operator(victim)
        assert ask(dated(victim, account.endpoint, token=token)) == ANSWER
        operator.remove(account.id, assignment)
        victim.kill()
        victim.start()
        operator = Operator(victim)
        assert refusal(dated(victim, account.endpoint, token=token)) == permission_denied(app.principal_id)
    victim.command("audit", "verify", *victim.locate())


def test_audit_verify_notices_a_changed_record(victim):
    ask(dated(victim, victim.account("demo-ai")["endpoint"], token=victim.token("demo-app")))
    app = victim.identity("demo-app")["principal_id"]
    changed = 0
    for file in sorted((victim.data / "audit").glob("**/*")):
        text = file.read_bytes() if file.is_file() else b""
        if app.encode() in text:
            file.write_bytes(text.replace(app.encode(), b"0" * len(app), 1))
            changed += 1
    assert changed, "no audit file names the caller"
    assert victim.command("audit", "verify", *victim.locate(), check=False).returncode == 1


def test_audit_verify_notices_a_log_that_was_cut(new_system):
    system = new_system().start()
    ask(dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app")))
    assert system.stop() == 0
    log = sorted((system.data / "audit").glob("*.jsonl"))[-1]
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))
    assert system.command("audit", "verify", *system.locate(), check=False).returncode == 1


def test_an_older_database_beside_a_newer_log_is_refused_until_the_owner_accepts_it(new_system, tmp_path):
    system = new_system().start()
    operator, demo = Operator(system), system.account("demo-ai")
    app = operator.create_identity()
    assignment = operator.assign(app, demo["id"])
    assert system.stop() == 0
    backup = tmp_path / "state.db"
    shutil.copy(system.data / "state.db", backup)

    system.start()
    Operator(system).remove(demo["id"], assignment)
    assert refusal(dated(system, demo["endpoint"], token=system.token(app.name)))[0] == 401
    assert system.stop() == 0
    newer = (system.data / "state.db").read_bytes()

    shutil.copy(backup, system.data / "state.db")
    with pytest.raises(AssertionError, match=r"older than the audit log.*restore a backup of revision \d+"):
        system.start()
    # The newer one is still welcome.
    (system.data / "state.db").write_bytes(newer)
    system.start()
    assert system.stop() == 0

    shutil.copy(backup, system.data / "state.db")
    system.start("--accept-older-state")
    assert ask(dated(system, demo["endpoint"], token=system.token(app.name))) == ANSWER, "the removal is undone"
    (told,) = [event for event in system.audit("--category", "system") if event["operation"] == "System_StateRestored"]
    assert "undone" in told["decision"]["because"]
    # Whatever happens next, it is said once.
    system.kill()
    system.start()
    Operator(system).remove(demo["id"], assignment)
    system.kill()
    system.start()
    system.command("audit", "verify", *system.locate())
    assert system.stop() == 0


def test_a_lost_database_beside_a_log_of_changes_is_refused(new_system):
    system = new_system().start()
    Operator(system).create_identity()
    assert system.stop() == 0
    for file in system.data.glob("state.db*"):
        file.unlink()
    with pytest.raises(AssertionError, match="older than the audit log"):
        system.start()
