"""What an operator does with the official management clients."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.resources import ResourceManagementClient

from support.keyless import ARM_SCOPE
from support.operator import GROUP, LOCATION, OPENAI_USER, ROLES, OperatorCredential, fresh


@pytest.fixture
def groups(system):
    client = ResourceManagementClient(
        OperatorCredential(system),
        system.subscription,
        base_url=system.ready["control"],
        connection_verify=system.ready["ca_file"],
        credential_scopes=[ARM_SCOPE],
        polling_interval=0.1,
    )
    return client.resource_groups


def test_the_first_resource_group_is_there(groups):
    assert groups.get(GROUP).name == GROUP


def test_a_resource_group_is_created_and_deleted(groups):
    name = fresh("group")
    groups.create_or_update(name, {"location": LOCATION})
    assert name in {group.name for group in groups.list()}
    groups.begin_delete(name).result(10)
    assert name not in {group.name for group in groups.list()}


def test_an_identity_is_found_until_it_is_deleted(operator):
    app = operator.create_identity()
    assert operator.identities.get(GROUP, app.name).principal_id == app.principal_id
    operator.delete_identity(app)
    with pytest.raises(ResourceNotFoundError):
        operator.identities.get(GROUP, app.name)


def test_deleting_an_identity_takes_its_assignments_along_or_leaves_them_to_nobody(operator, demo):
    """As on Azure an assignment may outlive its principal; it must never pass to a successor of the same name."""
    app = operator.create_identity()
    operator.assign(app, demo["id"])
    operator.delete_identity(app)
    again = operator.identities.create_or_update(GROUP, app.name, {"location": LOCATION})
    assert again.principal_id != app.principal_id
    assigned = operator.authorization.role_assignments.list_for_scope(demo["id"])
    assert again.principal_id not in {assignment.principal_id for assignment in assigned}


def test_an_assignment_is_listed_at_its_scope(operator, demo):
    app = operator.create_identity()
    name = operator.assign(app, demo["id"])
    (found,) = [one for one in operator.authorization.role_assignments.list_for_scope(demo["id"]) if one.name == name]
    assert (found.principal_id, found.role_definition_id.split("/")[-1]) == (app.principal_id, OPENAI_USER)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_found_by_its_name(role, operator, demo):
    found = operator.authorization.role_definitions.list(demo["id"], filter=f"roleName eq '{role}'")
    assert [definition.name for definition in found] == [ROLES[role]]


def test_the_same_role_is_not_assigned_twice(operator, demo):
    app = operator.create_caller(demo["id"])
    with pytest.raises(HttpResponseError) as refused:
        operator.assign(app, demo["id"])
    assert (refused.value.status_code, refused.value.error.code) == (409, "RoleAssignmentExists")


def test_deployments_of_an_account_are_listed(operator):
    account = operator.create_account(deployments=("one", "two"))
    assert {deployment.name for deployment in operator.deployments.list(GROUP, account.name)} == {"one", "two"}


def test_an_account_that_is_deleted_answers_no_more(operator):
    account = operator.create_account()
    operator.accounts.begin_delete(GROUP, account.name).result(10)
    with pytest.raises(ResourceNotFoundError):
        operator.accounts.get(GROUP, account.name)
