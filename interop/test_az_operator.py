"""What an operator does with `az`, and what it does to a model call before and after."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from openai import RateLimitError

from support.az import NOT_FOUND, Az
from support.clients import ANSWER, ask, dated, refusal
from support.operator import OPENAI_USER, fresh
from support.refusals import CHAT_ACTION, KEYS_DISABLED, NO_DEPLOYMENT, WRONG_KEY, permission_denied

ASK = Path(__file__).parent / "support" / "programs" / "ask.py"
NO_ROLE = "refused: 401 PermissionDenied"
ROLE = "Cognitive Services OpenAI User"


@pytest.fixture(scope="module")
def az(new_az, system) -> Az:
    return new_az(system).register().sign_in_as_managed_identity("operator")


def runs(system, identity: str, account: str, deployment: str = "chat") -> str:
    """What a program says that is run as `identity`."""
    return system.run(identity, sys.executable, str(ASK), deployment, account=account).stdout.strip()


@dataclass(frozen=True)
class Caller:
    """A managed identity with a token it got when it was made; what it may do with it is decided anew at every call."""

    az: Az
    name: str
    id: str
    client_id: str
    principal_id: str
    token: str

    def calls(self, account: "Account", deployment: str = "chat") -> str:
        return ask(dated(self.az.system, account.endpoint, token=self.token), deployment=deployment)

    def is_refused(self, account: "Account", deployment: str = "chat") -> bool:
        return refusal(dated(self.az.system, account.endpoint, token=self.token), deployment=deployment) == permission_denied(
            self.principal_id
        )


@dataclass(frozen=True)
class Account:
    name: str
    id: str
    endpoint: str

    @property
    def where(self) -> tuple[str, ...]:
        return ("-n", self.name, "-g", "demo")


@pytest.fixture
def caller(az) -> Caller:
    """Has no role."""
    name = fresh("mi")
    made = az("identity create -g demo -n", name)
    return Caller(az, name, made["id"], made["clientId"], made["principalId"], az.system.token(name))


@pytest.fixture
def account(az) -> Account:
    """Has the deployments `chat` and `other`, and keys are off."""
    name = fresh("ai")
    made = az(f"cognitiveservices account create -g demo -n {name} --kind OpenAI --sku S0 -l local --custom-domain {name} --yes")
    account = Account(name, made["id"], made["properties"]["endpoint"].rstrip("/"))
    for deployment in ("chat", "other"):
        deploy(az, account, deployment)
    return account


def deploy(az: Az, account: Account, name: str, capacity: int = 100) -> dict:
    return az(
        "cognitiveservices account deployment create --model-format OpenAI --model-name stub --model-version 1 --sku-name Standard",
        *("--sku-capacity", str(capacity), "--deployment-name", name, *account.where),
    )


# --- the flagship ---


def test_the_flagship_script(new_az, system, az):
    """From nothing to a model that answers one identity, in the words everybody uses, by a fresh application's own secret."""
    owner = az.create_application(fresh("owner"), "--role", "Owner", "--scopes", f"/subscriptions/{system.subscription}")
    person = new_az(system)
    settings = {"A": owner.app_id, "S": owner.secret, "T": owner.tenant, "CONTROL": system.ready["control"]}
    person.shell(
        """
        az cloud register -n local --endpoint-resource-manager "$CONTROL"
        az cloud set -n local ; az config set core.instance_discovery=false core.collect_telemetry=false
        az login --service-principal -u "$A" -p "$S" --tenant "$T"
        az group create -n my-rg -l eastus
        az identity create -n my-mi -g my-rg
        az cognitiveservices account create -n my-openai -g my-rg --kind OpenAI --sku S0 -l eastus --custom-domain my-openai --yes
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
    person.shell('az role assignment delete --role "Cognitive Services OpenAI User" --assignee "$MSI_ID" --scope "$OPENAI_ID"', ids)
    assert runs(system, "my-mi", "my-openai") == NO_ROLE

    left = person.shell(
        """
        az role assignment create --role "Cognitive Services OpenAI User" --scope "$OPENAI_ID/deployments/chat" \\
            --assignee-object-id "$MSI_ID" --assignee-principal-type ServicePrincipal
        az identity federated-credential create --name github --identity-name my-mi -g my-rg \\
            --issuer https://token.actions.githubusercontent.com --subject repo:my-org/my-repo:ref:refs/heads/main \\
            --audiences api://AzureADTokenExchange
        az resource update --ids $OPENAI_ID --set properties.disableLocalAuth=true
        TOKEN=$(az account get-access-token --scope https://cognitiveservices.azure.com/.default --query accessToken -otsv)
        """,
        ids,
    )
    system.memory.remember("access token", left["TOKEN"])
    assert runs(system, "my-mi", "my-openai") == ANSWER

    person.shell("az group delete -n my-rg --yes")
    assert person("group exists -n my-rg") is False
    assert "ResourceGroupNotFound" in person.refused("group show -n my-rg", code=NOT_FOUND)


# --- role assignments ---


@pytest.mark.parametrize(
    "assignee",
    [
        lambda caller: ("--assignee", caller.principal_id),
        lambda caller: ("--assignee", caller.client_id),
        lambda caller: ("--assignee-object-id", caller.principal_id, "--assignee-principal-type", "ServicePrincipal"),
        lambda caller: ("--assignee-object-id", caller.principal_id),
    ],
    ids=["object id", "client id", "object id and kind", "object id alone"],
)
def test_a_role_is_given_by(assignee, az, demo, caller):
    where = Account("demo-ai", demo["id"], demo["endpoint"])
    assert caller.is_refused(where)
    made = az("role assignment create --scope", where.id, "--role", ROLE, *assignee(caller))
    assert (made["principalId"], made["scope"].lower()) == (caller.principal_id, where.id.lower())
    assert caller.calls(where) == ANSWER
    az("role assignment delete --ids", made["id"])
    assert caller.is_refused(where)


def test_a_role_at_a_deployment_reaches_that_deployment_alone(az, account, caller):
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", f"{account.id}/deployments/chat")
    assert caller.calls(account) == ANSWER
    assert caller.is_refused(account, "other")


@pytest.mark.parametrize("scope", ["group", "subscription"])
def test_a_role_is_inherited_from(scope, az, system, account, caller):
    at = f"/subscriptions/{system.subscription}" + ("/resourceGroups/demo" if scope == "group" else "")
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", at)
    assert caller.calls(account) == ANSWER
    az("role assignment delete --assignee", caller.principal_id, "--role", ROLE, "--scope", at)
    assert caller.is_refused(account)


def test_assignments_are_listed_by_scope_and_by_assignee(az, system, account, caller):
    scope = ("--scope", account.id)
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, *scope)
    (listed,) = az("role assignment list", *scope)
    assert (listed["principalId"], listed["roleDefinitionName"]) == (caller.principal_id, ROLE)
    assert listed["principalName"] == caller.client_id
    inherited = az("role assignment list --include-inherited", *scope)
    assert {one["roleDefinitionName"] for one in inherited} >= {ROLE, "Owner"}
    assert az("role assignment list --assignee", caller.principal_id) == []
    (found,) = az("role assignment list --all --assignee", caller.client_id)
    assert found["id"] == listed["id"]
    assert az("role assignment list --include-groups --assignee", caller.principal_id, *scope)[0]["id"] == listed["id"]


def test_giving_a_role_twice_is_no_error(az, account, caller):
    create = ("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    assert az(*create)["id"] == az(*create)["id"]


def test_taking_away_what_was_not_given_is_an_error(az, account, caller):
    delete = ("role assignment delete --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    assert "No matched assignments were found to delete" in az.refused(*delete)


def test_an_unknown_role_is_an_error(az, account, caller):
    create = ("role assignment create --role Nobody --assignee", caller.principal_id, "--scope", account.id)
    assert "Role 'Nobody' doesn't exist." in az.refused(*create)


def test_an_identity_without_rights_may_not_give_itself_a_role(new_az, system, az, account, caller):
    az("role assignment create --role Reader --assignee", caller.principal_id, "--scope", account.id)
    thief = new_az(system).register().sign_in_as_managed_identity(caller.name)
    definition = f"/subscriptions/{system.subscription}/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}"
    said = thief.refused(
        "role assignment create --assignee-principal-type ServicePrincipal --assignee-object-id",
        *(caller.principal_id, "--role", definition, "--scope", account.id),
    )
    assert "AuthorizationFailed" in said
    assert "Microsoft.Authorization/roleAssignments/write" in said
    assert caller.is_refused(account)


# --- role definitions ---


def test_a_custom_role_means_what_it_says(az, system, account, caller, tmp_path):
    name, subscription = fresh("Chat"), f"/subscriptions/{system.subscription}"
    file = tmp_path / "role.json"
    definition = {"Name": name, "Description": "may chat", "Actions": [], "DataActions": [CHAT_ACTION], "AssignableScopes": [subscription]}
    file.write_text(json.dumps(definition))
    made = az("role definition create --role-definition", f"@{file}")
    assert (made["roleType"], made["roleName"]) == ("CustomRole", name)
    az("role assignment create --assignee", caller.principal_id, "--role", name, "--scope", account.id)
    assert caller.calls(account) == ANSWER

    (listed,) = az("role definition list --custom-role-only --name", name)
    file.write_text(json.dumps(listed | {"permissions": [listed["permissions"][0] | {"notDataActions": [CHAT_ACTION]}]}))
    az("role definition update --role-definition", f"@{file}")
    assert caller.is_refused(account)

    assert "RoleDefinitionHasAssignments" in az.refused("role definition delete --name", name)
    az("role assignment delete --assignee", caller.principal_id, "--role", name, "--scope", account.id)
    az("role definition delete --name", name)
    assert az("role definition list --name", name) == []


def test_built_in_roles_are_azures(az):
    (found,) = az("role definition list --name", ROLE)
    assert (found["name"], found["roleType"]) == (OPENAI_USER, "BuiltInRole")
    assert "Microsoft.CognitiveServices/accounts/OpenAI/*/read" in str(found["permissions"])


# --- directory groups ---


def test_a_group_gives_its_members_what_it_has(az, account, caller):
    group = az("ad group create --display-name team --mail-nickname", fresh("team"))["id"]
    az("role assignment create --assignee-principal-type Group --assignee-object-id", group, "--role", ROLE, "--scope", account.id)
    assert caller.is_refused(account)
    az("ad group member add --group", group, "--member-id", caller.principal_id)
    assert caller.calls(account) == ANSWER
    assert az("ad group member check --group", group, "--member-id", caller.principal_id) == {"value": True}
    assert [member["id"] for member in az("ad group member list --group", group)] == [caller.principal_id]
    az("ad group member remove --group", group, "--member-id", caller.principal_id)
    assert caller.is_refused(account)
    az("ad group delete --group", group)


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


def test_the_capacity_of_a_deployment_is_a_limit(az, system, account, caller):
    """One unit of capacity is 1,000 tokens a minute; a call that may need more is refused before it reaches the model."""
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", account.id)
    deploy(az, account, "small", capacity=1)
    client = dated(system, account.endpoint, token=caller.token)
    with pytest.raises(RateLimitError) as refused:
        for _ in range(3):
            client.chat.completions.create(model="small", max_tokens=800, messages=[{"role": "user", "content": "word " * 300}])
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


@pytest.mark.parametrize("issuer", ["https://localhost:1", "https://169.254.169.254", "http://issuer.example.com"])
def test_a_federated_issuer_inside_our_own_network_is_refused(issuer, az, caller):
    said = az.refused(
        "identity federated-credential create --name inside -g demo --audiences api://AzureADTokenExchange --subject s",
        *("--identity-name", caller.name, "--issuer", issuer),
    )
    assert "issuer" in said


# --- deletion ---


def test_a_deleted_account_comes_back_with_its_name_or_is_purged(az, system, account, caller):
    az("role assignment create --assignee", caller.principal_id, "--role", ROLE, "--scope", f"/subscriptions/{system.subscription}")
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
    az("role assignment create --assignee", made["principalId"], "--role", ROLE, "--scope", system.account("demo-ai")["id"])
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


def test_the_last_owner_cannot_be_removed(az, system):
    owner = system.identity("operator")["principal_id"]
    scope = f"/subscriptions/{system.subscription}"
    owners = az("role assignment list --role Owner --scope", scope)
    for one in owners:
        if one["principalId"] != owner:
            az("role assignment delete --ids", one["id"])
    az.refused("role assignment delete --role Owner --assignee", owner, "--scope", scope)
    assert owner in {one["principalId"] for one in az("role assignment list --role Owner --scope", scope)}
