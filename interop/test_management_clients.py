"""What an operator does with the official management clients."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient

from support.directory import Directory
from support.keyless import ARM_SCOPE
from support.operator import GROUP, LOCATION, OPENAI_USER, ROLES, Identity, OperatorCredential, fresh

AI = "Microsoft.CognitiveServices/accounts"


@pytest.fixture(scope="module")
def options(system) -> dict:
    """What every client is told, apart from who asks."""
    return {
        "subscription_id": system.subscription,
        "base_url": system.ready["control"],
        "connection_verify": system.ready["ca_file"],
        "retry_total": 0,
        "polling_interval": 0.1,
    }


@pytest.fixture(scope="module")
def resource_manager(system, options) -> ResourceManagementClient:
    return ResourceManagementClient(OperatorCredential(system), credential_scopes=[ARM_SCOPE], **options)


@pytest.fixture(scope="module")
def cognitive(system, options) -> CognitiveServicesManagementClient:
    return CognitiveServicesManagementClient(OperatorCredential(system), credential_scopes=[ARM_SCOPE], **options)


@pytest.fixture(scope="module")
def msi(system, options) -> ManagedServiceIdentityClient:
    return ManagedServiceIdentityClient(OperatorCredential(system), credential_scopes=[ARM_SCOPE], **options)


@pytest.fixture(scope="module")
def authorization(system, options) -> AuthorizationManagementClient:
    return AuthorizationManagementClient(OperatorCredential(system), credential_scopes=[ARM_SCOPE], **options)


@pytest.fixture
def groups(resource_manager):
    return resource_manager.resource_groups


def names(items) -> set[str]:
    return {item.name for item in items}


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


def test_assignments_outlive_a_deleted_identity_and_never_pass_to_a_successor_of_its_name(operator, demo):
    """As on Azure, where they stay until somebody deletes them."""
    app = operator.create_identity()
    name = operator.assign(app, demo["id"])
    operator.delete_identity(app)
    again = operator.identities.create_or_update(GROUP, app.name, {"location": LOCATION})
    assert again.principal_id != app.principal_id
    assigned = operator.authorization.role_assignments.list_for_scope(demo["id"])
    holders = {assignment.name: assignment.principal_id for assignment in assigned}
    assert holders[name] == app.principal_id and again.principal_id not in holders.values()


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


# --- every call that the guides' programs make ---


@pytest.mark.parametrize("scope", ["the control plane's", "the public cloud's"])
def test_an_application_manages_with_its_own_secret(scope, system, operator, options):
    """With the base address only, a client asks for a token of the public cloud's audience; with scopes, of ours."""
    directory = Directory(system)
    application = directory.create_application()
    operator.assign(
        Identity(application.name, "", application.client_id, application.principal_id),
        f"/subscriptions/{system.subscription}/resourceGroups/{GROUP}",
        "Owner",
    )
    credential = ClientSecretCredential(
        system.ready["tenant_id"],
        application.client_id,
        directory.add_secret(application),
        authority=system.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=system.ready["ca_file"],
    )
    scopes = {"credential_scopes": [f"{system.ready['control']}/.default"]} if "plane" in scope else {}
    client = ManagedServiceIdentityClient(credential, **scopes, **options)
    name = fresh("sdk-mi")
    made = client.user_assigned_identities.create_or_update(GROUP, name, {"location": LOCATION})
    assert uuid.UUID(made.principal_id) != uuid.UUID(made.client_id)
    client.user_assigned_identities.delete(GROUP, name)


def test_resource_groups(groups):
    name = fresh("group")
    assert not groups.check_existence(name)
    groups.create_or_update(name, {"location": LOCATION, "tags": {"a": "b"}})
    assert groups.check_existence(name)
    assert groups.update(name, {"tags": {"c": "d"}}).tags == {"c": "d"}
    assert name in names(groups.list(filter="tagName eq 'c' and tagValue eq 'd'"))
    groups.begin_delete(name).result(10)
    assert not groups.check_existence(name)


def test_generic_resources(resource_manager, operator):
    resources, account = resource_manager.resources, operator.create_account(deployments=())
    version = {"api_version": "2024-10-01"}
    assert resources.get_by_id(account.id, **version).name == account.name
    assert resources.get(GROUP, "Microsoft.CognitiveServices", "", "accounts", account.name, **version).id == account.id
    assert resources.check_existence_by_id(account.id, **version)
    assert account.name in names(resources.list(filter=f"resourceType eq '{AI}'"))
    assert account.name in names(resources.list_by_resource_group(GROUP))
    changed = resources.begin_update_by_id(account.id, {"tags": {"a": "b"}}, **version).result(10)
    assert changed.tags == {"a": "b"}
    whole = resources.get_by_id(account.id, **version)
    whole.properties["disableLocalAuth"] = False
    again = resources.begin_create_or_update_by_id(account.id, whole, **version).result(10)
    assert again.properties["disableLocalAuth"] is False
    resources.begin_delete_by_id(account.id, **version).result(10)
    assert not resources.check_existence_by_id(account.id, **version)


def test_providers(resource_manager):
    providers = resource_manager.providers
    found = providers.get("Microsoft.CognitiveServices")
    assert (found.registration_state, "accounts" in {kind.resource_type for kind in found.resource_types}) == (
        "Registered",
        True,
    )
    assert {"Microsoft.CognitiveServices", "Microsoft.ManagedIdentity"} <= {one.namespace for one in providers.list()}
    assert providers.register("Microsoft.CognitiveServices").registration_state == "Registered"


def test_identities_and_their_federated_credentials(msi):
    identities, credentials, name = msi.user_assigned_identities, msi.federated_identity_credentials, fresh("mi")
    made = identities.create_or_update(GROUP, name, {"location": LOCATION})
    assert identities.update(GROUP, name, {"location": LOCATION, "tags": {"a": "b"}}).tags == {"a": "b"}
    assert identities.get(GROUP, name).principal_id == made.principal_id
    assert name in names(identities.list_by_resource_group(GROUP)) & names(identities.list_by_subscription())
    properties = {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:o/r:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    credentials.create_or_update(GROUP, name, "github", {"properties": properties})
    assert credentials.get(GROUP, name, "github").subject == properties["subject"]
    assert names(credentials.list(GROUP, name)) == {"github"}
    credentials.delete(GROUP, name, "github")
    assert names(credentials.list(GROUP, name)) == set()
    identities.delete(GROUP, name)


def test_accounts(cognitive):
    accounts, name = cognitive.accounts, fresh("sdk-oai")
    body = {"kind": "OpenAI", "sku": {"name": "S0"}, "location": LOCATION, "properties": {"customSubDomainName": name}}
    made = accounts.begin_create(GROUP, name, body).result(10)
    assert (made.kind, made.properties.provisioning_state) == ("OpenAI", "Succeeded")
    assert name in names(accounts.list_by_resource_group(GROUP)) & names(accounts.list())
    changed = accounts.begin_update(GROUP, name, {"tags": {"a": "b"}, "identity": {"type": "SystemAssigned"}}).result(
        10
    )
    assert (changed.tags, bool(changed.identity.principal_id)) == ({"a": "b"}, True)
    assert [sku.sku.name for sku in accounts.list_skus(GROUP, name).value] == ["S0"]
    list(accounts.list_models(GROUP, name))
    assert accounts.list_usages(GROUP, name).value is not None
    accounts.begin_delete(GROUP, name).result(10)
    assert name in names(cognitive.deleted_accounts.list())
    assert cognitive.deleted_accounts.get(LOCATION, GROUP, name).name == name
    cognitive.deleted_accounts.begin_purge(LOCATION, GROUP, name).result(10)
    assert name not in names(cognitive.deleted_accounts.list())


def test_deployments(cognitive, operator):
    deployments, account = cognitive.deployments, operator.create_account(deployments=())
    model = {"format": "OpenAI", "name": "stub", "version": "1"}
    body = {"sku": {"name": "Standard", "capacity": 5}, "properties": {"model": model}}
    made = deployments.begin_create_or_update(GROUP, account.name, "one", body).result(10)
    assert (made.sku.capacity, made.properties.provisioning_state) == (5, "Succeeded")
    changed = deployments.begin_update(GROUP, account.name, "one", {"sku": {"name": "Standard", "capacity": 7}}).result(
        10
    )
    assert changed.sku.capacity == 7
    assert deployments.get(GROUP, account.name, "one").properties.model.name == "stub"
    assert list(deployments.list_skus(GROUP, account.name, "one"))
    deployments.begin_delete(GROUP, account.name, "one").result(10)
    assert names(deployments.list(GROUP, account.name)) == set()


def test_what_there_is_to_choose_from(cognitive):
    assert {sku.kind for sku in cognitive.resource_skus.list()} >= {"OpenAI"}
    list(cognitive.models.list(LOCATION))
    list(cognitive.usages.list(LOCATION))
    assert cognitive.check_domain_availability("demo-ai", AI).is_subdomain_available is False
    assert cognitive.check_domain_availability(fresh("free"), AI).is_subdomain_available is True


def test_role_definitions(authorization, system):
    definitions, scope, id = authorization.role_definitions, f"/subscriptions/{system.subscription}", str(uuid.uuid4())
    properties = {
        "role_name": fresh("Reader of models"),
        "description": "d",
        "role_type": "CustomRole",
        "permissions": [{"actions": ["Microsoft.CognitiveServices/*/read"], "not_actions": []}],
        "assignable_scopes": [scope],
    }
    made = definitions.create_or_update(scope, id, properties)
    assert (made.name, made.role_type) == (id, "CustomRole")
    assert definitions.get(scope, id).permissions[0].actions == ["Microsoft.CognitiveServices/*/read"]
    assert definitions.get_by_id(made.id).name == id
    assert id in names(definitions.list(scope, filter="type eq 'CustomRole'"))
    definitions.delete(scope, id)
    assert id not in names(definitions.list(scope))


def test_role_assignments(authorization, operator, system, demo):
    assignments, app = authorization.role_assignments, operator.create_identity()
    definition = f"/subscriptions/{system.subscription}/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}"
    properties = {
        "role_definition_id": definition,
        "principal_id": app.principal_id,
        "principal_type": "ServicePrincipal",
    }
    one = assignments.create(demo["id"], str(uuid.uuid4()), properties)
    assert assignments.get(demo["id"], one.name).id == assignments.get_by_id(one.id).id == one.id
    mine = f"principalId eq '{app.principal_id}'"
    assert one.name in names(assignments.list_for_subscription(filter=mine))
    assert one.name in names(assignments.list_for_resource_group(GROUP, filter=mine))
    assert one.name in names(assignments.list_for_resource(GROUP, "Microsoft.CognitiveServices", "accounts", "demo-ai"))
    assert one.name in names(assignments.list_for_scope(demo["id"], filter="atScope()"))
    assert one.name in names(assignments.list_for_scope(demo["id"], filter=f"assignedTo('{app.principal_id}')"))
    assignments.delete(demo["id"], one.name)
    group = f"/subscriptions/{system.subscription}/resourceGroups/{GROUP}"
    two = assignments.create_by_id(
        f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", properties
    )
    assignments.delete_by_id(two.id)
    assert list(assignments.list_for_subscription(filter=mine)) == []


def test_deny_assignments_are_listed(authorization, demo):
    assert list(authorization.deny_assignments.list_for_scope(demo["id"])) == []
    assert list(authorization.deny_assignments.list()) == []
