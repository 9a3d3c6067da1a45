"""What an operator does with `az`, and what it does to a model call before and after."""

import sys
from pathlib import Path

import pytest
from openai import RateLimitError

from support.az import NOT_FOUND, Az
from support.az_scene import ROLE, Account, Caller, create_account, create_caller, deploy
from support.clients import ANSWER, ask, dated, refusal
from support.operator import fresh
from support.refusals import KEYS_DISABLED, NO_DEPLOYMENT, WRONG_KEY

ASK = Path(__file__).parent / "support" / "programs" / "ask.py"
NO_ROLE = "refused: 401 PermissionDenied"


@pytest.fixture(scope="module")
def az(admin) -> Az:
    return admin


@pytest.fixture
def caller(az) -> Caller:
    """Has no role."""
    return create_caller(az)


@pytest.fixture
def account(az) -> Account:
    """Has the deployments `chat` and `other`, and keys are off."""
    return create_account(az)


def runs(system, identity: str, account: str, deployment: str = "chat") -> str:
    """What a program says that is run as `identity`."""
    return system.run(identity, sys.executable, str(ASK), deployment, account=account).stdout.strip()


# --- the flagship ---


def test_the_flagship_script(new_az, system, az):
    """From nothing to a model that answers one identity, in the words everybody uses, by a fresh application."""
    owner = az.create_application(
        fresh("owner"), "--role", "Owner", "--scopes", f"/subscriptions/{system.subscription}"
    )
    person = new_az(system)
    settings = {"A": owner.app_id, "S": owner.secret, "T": owner.tenant, "CONTROL": system.ready["control"]}
    person.shell(
        """
        az cloud register -n local --endpoint-resource-manager "$CONTROL"
        az cloud set -n local ; az config set core.instance_discovery=false core.collect_telemetry=false
        az login --service-principal -u "$A" -p "$S" --tenant "$T"
        az group create -n my-rg -l eastus
        az identity create -n my-mi -g my-rg
        az cognitiveservices account create -n my-openai -g my-rg --kind OpenAI --sku S0 -l eastus \\
            --custom-domain my-openai --yes
        az cognitiveservices account deployment create -n my-openai -g my-rg --deployment-name chat \\
            --model-name gpt-4o --model-version 2024-11-20 --model-format OpenAI --sku-capacity 10 --sku-name Standard
        """,
        settings,
    )
    assert runs(system, "my-mi", "my-openai") == NO_ROLE

    left = person.shell(
        """
        MSI_ID=$(az identity show -n my-mi -g my-rg --query principalId -otsv)
        OPENAI_ID=$(az cognitiveservices account show -n my-openai -g my-rg --query id -otsv)
        az role assignment create --role "Cognitive Services OpenAI User" --assignee "$MSI_ID" --scope "$OPENAI_ID"
        LISTED=$(az role assignment list --scope "$OPENAI_ID" --query "[].[principalId, roleDefinitionName]" -otsv)
        """
    )
    assert left["LISTED"].split("\t") == [left["MSI_ID"], ROLE]
    assert runs(system, "my-mi", "my-openai") == ANSWER

    ids = {name: left[name] for name in ("MSI_ID", "OPENAI_ID")}
    person.shell(
        'az role assignment delete --role "Cognitive Services OpenAI User" --assignee "$MSI_ID" --scope "$OPENAI_ID"',
        ids,
    )
    assert runs(system, "my-mi", "my-openai") == NO_ROLE

    left = person.shell(
        """
        az role assignment create --role "Cognitive Services OpenAI User" --scope "$OPENAI_ID/deployments/chat" \\
            --assignee-object-id "$MSI_ID" --assignee-principal-type ServicePrincipal
        az identity federated-credential create --name github --identity-name my-mi -g my-rg \\
            --issuer https://token.actions.githubusercontent.com --subject repo:my-org/my-repo:ref:refs/heads/main \\
            --audiences api://AzureADTokenExchange
        az resource update --ids $OPENAI_ID --set properties.disableLocalAuth=true
        TOKEN=$(az account get-access-token --scope https://cognitiveservices.azure.com/.default \\
            --query accessToken -otsv)
        """,
        ids,
    )
    system.memory.remember("access token", left["TOKEN"])
    assert runs(system, "my-mi", "my-openai") == ANSWER

    person.shell("az group delete -n my-rg --yes")
    assert person("group exists -n my-rg") is False
    assert "ResourceGroupNotFound" in person.refused("group show -n my-rg", code=NOT_FOUND)


# --- keys ---


def keys(az: Az, account: Account) -> dict:
    found = az("cognitiveservices account keys list", *account.where)
    for key in found.values():
        az.system.memory.remember("API key of an account", key)
    return found


def test_keys_work_only_while_they_are_allowed_and_die_when_regenerated(az, system, account):
    assert "disableLocalAuth is set to be true" in az.refused("cognitiveservices account keys list", *account.where)
    updated = az("resource update --ids", account.id, "--set", "properties.disableLocalAuth=false")
    assert updated["properties"]["disableLocalAuth"] is False
    old = keys(az, account)
    assert ask(dated(system, account.endpoint, key=old["key1"])) == ANSWER

    new = az("cognitiveservices account keys regenerate --key-name Key1", *account.where)
    system.memory.remember("API key of an account", new["key1"])
    assert (new["key1"] != old["key1"], new["key2"]) == (True, old["key2"])
    assert refusal(dated(system, account.endpoint, key=old["key1"])) == WRONG_KEY
    assert ask(dated(system, account.endpoint, key=new["key1"])) == ANSWER

    az("resource update --ids", account.id, "--set", "properties.disableLocalAuth=true")
    assert refusal(dated(system, account.endpoint, key=new["key1"])) == KEYS_DISABLED


# --- deployments, network rules ---


def test_a_deployment_answers_as_long_as_it_exists(az, system, account, caller):
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    made = deploy(az, account, "third", capacity=7)
    assert (made["name"], made["sku"]["capacity"]) == ("third", 7)
    assert caller.calls(account, "third") == ANSWER
    listed = az("cognitiveservices account deployment list", *account.where)
    assert {one["name"] for one in listed} == {"chat", "other", "third"}
    az("cognitiveservices account deployment delete --deployment-name third", *account.where)
    assert refusal(dated(system, account.endpoint, token=caller.token), deployment="third") == NO_DEPLOYMENT


def test_the_capacity_of_a_deployment_is_a_limit(az, system, account, caller, upstream):
    """One unit of capacity is 1,000 tokens a minute; a call that may need more never reaches the model."""
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    deploy(az, account, "small", capacity=1)
    client = dated(system, account.endpoint, token=caller.token)
    before = len(upstream.requests)
    with pytest.raises(RateLimitError) as refused:
        client.chat.completions.create(
            model="small", max_tokens=800, messages=[{"role": "user", "content": "word " * 300}]
        )
    assert len(upstream.requests) == before, "it reached the model"
    assert int(refused.value.response.headers["retry-after"]) > 0
    deploy(az, account, "small", capacity=100)
    assert ask(client, deployment="small") == ANSWER


def test_network_rules_decide_who_may_call_at_all(az, system, account, caller):
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    assert caller.calls(account) == ANSWER
    az("cognitiveservices account network-rule add --ip-address 10.0.0.1", *account.where)
    az("resource update --ids", account.id, "--set", "properties.networkAcls.defaultAction=Deny")
    (rule,) = az("cognitiveservices account network-rule list", *account.where)["ipRules"]
    assert rule["value"] == "10.0.0.1"
    status, body = refusal(dated(system, account.endpoint, token=caller.token))
    assert (status, body["error"]["message"]) == (403, "Access denied due to Virtual Network/Firewall rules.")
    az("cognitiveservices account network-rule add --ip-address 127.0.0.0/8", *account.where)
    assert caller.calls(account) == ANSWER
    az("cognitiveservices account network-rule remove --ip-address 127.0.0.0/8", *account.where)
    assert refusal(dated(system, account.endpoint, token=caller.token))[0] == 403


# --- federated credentials ---


def test_federated_credentials_of_an_identity_are_kept(az, caller):
    at = ("--name", "github", "--identity-name", caller.name, "-g", "demo")
    issuer = "https://token.actions.githubusercontent.com"
    subject = "repo:octo-org@123456/octo-repo@456789:environment:Production"
    create = ("--issuer", issuer, "--audiences", "api://AzureADTokenExchange")
    made = az("identity federated-credential create", *at, *create, "--subject", subject)
    assert (made["issuer"], made["subject"], made["audiences"]) == (issuer, subject, ["api://AzureADTokenExchange"])
    other = subject.replace("Production", "Test")
    az("identity federated-credential update", *at, *create, "--subject", other)
    (listed,) = az("identity federated-credential list --identity-name", caller.name, "-g", "demo")
    assert (listed["name"], listed["subject"]) == ("github", other)
    az("identity federated-credential delete --yes", *at)
    assert az("identity federated-credential list --identity-name", caller.name, "-g", "demo") == []


@pytest.mark.parametrize("address", ["https://localhost:1", "https://169.254.169.254", "http://issuer.example.com"])
def test_a_federated_issuer_inside_our_own_network_is_refused(address, az, caller):
    said = az.refused(
        "identity federated-credential create --name inside -g demo --audiences api://AzureADTokenExchange --subject s",
        *("--identity-name", caller.name, "--issuer", address),
    )
    assert "issuer" in said


# --- deletion ---


def test_a_deleted_account_comes_back_with_its_name_or_is_purged(az, system, account, caller):
    az(
        "role assignment create --assignee",
        caller.principal_id,
        "--role",
        ROLE,
        "--scope",
        f"/subscriptions/{system.subscription}",
    )
    assert caller.calls(account) == ANSWER
    az("cognitiveservices account delete", *account.where)
    assert "ResourceNotFound" in az.refused("cognitiveservices account show", *account.where, code=NOT_FOUND)
    assert refusal(dated(system, account.endpoint, token=caller.token))[0] in (401, 404)
    deleted = ("-l", "local", *account.where)
    assert account.name in {one["name"] for one in az("cognitiveservices account list-deleted")}
    assert az("cognitiveservices account show-deleted", *deleted)["name"] == account.name

    az("cognitiveservices account recover", *deleted)
    assert az("cognitiveservices account show", *account.where)["id"].lower() == account.id.lower()
    assert account.name not in {one["name"] for one in az("cognitiveservices account list-deleted")}

    az("cognitiveservices account delete", *account.where)
    az("cognitiveservices account purge", *deleted)
    assert account.name not in {one["name"] for one in az("cognitiveservices account list-deleted")}
    assert az.refused("cognitiveservices account recover", *deleted, code=NOT_FOUND)


def test_deleting_a_group_takes_its_identities_along(az, system):
    group, name = fresh("group"), fresh("mi")
    az("group create -l local -n", group)
    made = az("identity create -g", group, "-n", name)
    az(
        "role assignment create --assignee",
        made["principalId"],
        "--role",
        ROLE,
        "--scope",
        system.account("demo-ai")["id"],
    )
    token = system.token(name)
    endpoint = system.account("demo-ai")["endpoint"]
    assert ask(dated(system, endpoint, token=token)) == ANSWER
    az("group delete --yes -n", group)
    assert refusal(dated(system, endpoint, token=token))[0] == 401


# --- what is written down ---


def test_what_was_done_is_in_the_activity_log(az, system):
    group = fresh("group")
    az("group create -l local -n", group)
    name = fresh("mi")
    az("identity create -g", group, "-n", name)
    events = az("monitor activity-log list --offset 1h -g", group)
    operations = {event["operationName"]["value"] for event in events}
    assert "Microsoft.ManagedIdentity/userAssignedIdentities/write" in operations
    assert {event["resourceGroupName"].lower() for event in events} == {group}
    assert all(event["caller"] for event in events)
