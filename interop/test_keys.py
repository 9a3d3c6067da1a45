"""Where an operator allows API keys, they work as on Azure, and a regenerated one is dead at once."""

from support.clients import ANSWER, ask, ask_with_id, dated, refusal, v1
from support.refusals import KEYS_DISABLED, WRONG_KEY


def test_either_key_works_in_its_header_and_as_a_bearer_on_v1(system, operator):
    account = operator.create_account(local_auth=True)
    for key in operator.keys(account):
        assert ask(dated(system, account.endpoint, key=key)) == ANSWER
        assert ask(v1(system, account.endpoint, key)) == ANSWER


def test_a_regenerated_key_kills_the_old_one_and_spares_the_other(system, operator):
    account = operator.create_account(local_auth=True)
    first, second = operator.keys(account)
    new_first, same_second = operator.regenerate(account, "Key1")
    assert (new_first != first, same_second) == (True, second)
    assert refusal(dated(system, account.endpoint, key=first)) == WRONG_KEY
    assert ask(dated(system, account.endpoint, key=new_first)) == ANSWER
    assert ask(dated(system, account.endpoint, key=second)) == ANSWER


def test_a_key_opens_only_its_own_account(system, operator):
    mine, other = operator.create_account(local_auth=True), operator.create_account(local_auth=True)
    key, _ = operator.keys(mine)
    assert refusal(dated(system, other.endpoint, key=key)) == WRONG_KEY


def test_disabling_local_auth_stops_keys_at_once(system, operator):
    account = operator.create_account(local_auth=True)
    client = dated(system, account.endpoint, key=operator.keys(account)[0])
    assert ask(client) == ANSWER
    operator.set_local_auth(account, False)
    assert refusal(client) == KEYS_DISABLED
    operator.set_local_auth(account, True)
    assert ask(client) == ANSWER


def test_new_accounts_start_without_keys(operator):
    account = operator.create_account()
    assert operator.accounts.get("demo", account.name).properties.disable_local_auth is True


def test_keys_have_the_form_that_secret_scanners_recognise(operator):
    for key in operator.keys(operator.create_account(local_auth=True)):
        assert len(key) == 84
        assert key[52:58] == "JQQJ99"


def test_a_call_with_a_key_is_audited_as_such(system, operator):
    account = operator.create_account(local_auth=True)
    key, _ = operator.keys(account)
    _, request_id = ask_with_id(dated(system, account.endpoint, key=key))
    actor = system.call(request_id)["actor"]
    assert actor["kind"] == "accountKey"
    assert actor["fingerprint"] and actor["fingerprint"] not in key, "a part of the key would help to guess it"
