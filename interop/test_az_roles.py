"""Roles given and taken with `az`, and what each change does to a model call."""

import json

import pytest

from support.az import Az
from support.az_scene import ROLE, Account, Caller, create_account, create_caller
from support.clients import ANSWER
from support.operator import OPENAI_USER, fresh
from support.refusals import CHAT_ACTION


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
    az(
        "role assignment create --assignee",
        caller.principal_id,
        "--role",
        ROLE,
        "--scope",
        f"{account.id}/deployments/chat",
    )
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
    definition = {
        "Name": name,
        "Description": "may chat",
        "Actions": [],
        "DataActions": [CHAT_ACTION],
        "AssignableScopes": [subscription],
    }
    file.write_text(json.dumps(definition))
    made = az("role definition create --role-definition", f"@{file}")
    assert (made["roleType"], made["roleName"]) == ("CustomRole", name)
    az("role assignment create --assignee", caller.principal_id, "--role", name, "--scope", account.id)
    assert caller.calls(account) == ANSWER

    (listed,) = az("role definition list --custom-role-only --name", name)
    file.write_text(
        json.dumps(listed | {"permissions": [listed["permissions"][0] | {"notDataActions": [CHAT_ACTION]}]})
    )
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
    az(
        "role assignment create --assignee-principal-type Group --assignee-object-id",
        group,
        "--role",
        ROLE,
        "--scope",
        account.id,
    )
    assert caller.is_refused(account)
    az("ad group member add --group", group, "--member-id", caller.principal_id)
    assert caller.calls(account) == ANSWER
    assert az("ad group member check --group", group, "--member-id", caller.principal_id) == {"value": True}
    assert [member["id"] for member in az("ad group member list --group", group)] == [caller.principal_id]
    az("ad group member remove --group", group, "--member-id", caller.principal_id)
    assert caller.is_refused(account)
    az("ad group delete --group", group)


def test_the_last_owner_cannot_be_removed(new_az, new_system):
    system = new_system().start()
    az = new_az(system).register().sign_in_as_managed_identity("operator")
    scope, owner = f"/subscriptions/{system.subscription}", system.identity("operator")["principal_id"]
    (only,) = az("role assignment list --role Owner --scope", scope)
    assert only["principalId"] == owner
    assert "LastRbacAdminAssignmentCannotBeDeleted" in az.refused("role assignment delete --ids", only["id"])
    other = az("identity create -g demo -n", fresh("mi"))["principalId"]
    by_id = ("--assignee-object-id", other, "--assignee-principal-type", "ServicePrincipal")
    az("role assignment create --role Owner --scope", scope, *by_id)
    az("role assignment delete --ids", only["id"])
    assert system.stop() == 0
