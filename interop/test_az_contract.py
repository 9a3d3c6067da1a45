"""Every command of `az` that guides to keyless AI use, with what it must print; test_az_operator.py has the depth."""

import json
import re
import time

import pytest

from support.az import NOT_FOUND, Az
from support.forge import claims_of
from support.operator import fresh
from support.person import Person

ARM_AI = "Microsoft.CognitiveServices/accounts"
ARM_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ROLE = "Cognitive Services OpenAI User"


@pytest.fixture(scope="module")
def az(admin) -> Az:
    return admin


@pytest.fixture(scope="module")
def group(az) -> str:
    name = fresh("rg")
    az("group create -l eastus -n", name)
    return name


@pytest.fixture
def ai(az, group) -> tuple[str, str]:
    """Name and id of an account."""
    name = fresh("ai")
    made = az(
        f"cognitiveservices account create -n {name} -g {group} --kind OpenAI --sku S0 -l eastus --custom-domain {name} --yes"
    )
    return name, made["id"]


@pytest.fixture
def mi(az, group) -> dict:
    return az("identity create -g", group, "-n", fresh("mi"))


def names(items: list[dict]) -> set[str]:
    return {item["name"] for item in items}


# --- 1: clouds ---


def test_1_clouds(new_az, system):
    az, control = new_az(system), system.ready["control"]
    az("cloud register -n one --endpoint-resource-manager", f"{control}/")
    az("cloud update -n one --endpoint-resource-manager", control)
    explicit = {
        "resource-manager": f"{control}/",
        "active-directory": system.ready["authority"],
        "active-directory-resource-id": "https://management.core.windows.net/",
        "active-directory-graph-resource-id": f"{control}/",
        "microsoft-graph-resource-id": f"{control}/",
    }
    options = [word for name, url in explicit.items() for word in (f"--endpoint-{name}", url)]
    az("cloud register -n two --skip-endpoint-discovery", *options)
    assert {"one", "two"} <= names(az("cloud list"))
    az("cloud set -n two")
    az.sign_in_as_managed_identity("demo-app")
    az("cloud set -n AzureCloud")
    az("cloud unregister -n one")
    assert "one" not in names(az("cloud list"))


# --- 2 and 3: accounts and tokens; the ways in are in test_az_login.py ---


def test_3_accounts_and_tokens(az, system):
    assert az("account show")["id"] == system.subscription
    assert [one["id"] for one in az("account list --refresh")] == [system.subscription]
    az("account set -s", system.subscription)
    assert "eastus" in names(az("account list-locations"))
    for choice in (
        ("--resource", "https://cognitiveservices.azure.com"),
        ("--scope", "https://cognitiveservices.azure.com/.default"),
        ("--scope", "https://ai.azure.com/.default"),
        ("--resource-type", "arm"),
        ("--resource-type", "ms-graph"),
    ):
        printed = az("account get-access-token", *choice)
        system.memory.remember("access token", printed["accessToken"])
        assert printed["expires_on"] > time.time() + 300
        assert claims_of(printed["accessToken"])["tid"] == system.ready["tenant_id"] == printed["tenant"]


# --- 4: resource groups ---


def test_4_resource_groups(az):
    name = fresh("rg")
    made = az("group create -l eastus --tags a=b -n", name)
    assert (made["name"], made["type"], made["tags"]) == (name, "Microsoft.Resources/resourceGroups", {"a": "b"})
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert az("group show -n", name.upper())["id"] == made["id"]
    assert name in names(az("group list"))
    assert names(az("group list --tag a=b")) >= {name}
    assert name not in names(az("group list --tag a=c"))
    assert az("group exists -n", name) is True
    assert az("group update --set tags.c=d -n", name)["tags"] == {"a": "b", "c": "d"}
    az("group delete --yes -n", name)
    assert az("group exists -n", name) is False
    assert "ResourceGroupNotFound" in az.refused("group show -n", name, code=NOT_FOUND)
    az("group create -l eastus -n", name)
    az("group delete --yes --no-wait -n", name)
    az("group wait --deleted --timeout 10 --interval 1 -n", name)


# --- 5: identities ---


def test_5_identities(az, group, system):
    name = fresh("mi")
    made = az("identity create --tags a=b -g", group, "-n", name)
    assert (made["location"], made["tenantId"], made["type"]) == ("eastus", system.ready["tenant_id"], ARM_IDENTITY)
    assert az("identity show -g", group, "-n", name)["principalId"] == made["principalId"]
    assert name in names(az("identity list -g", group))
    assert name in names(az("identity list"))
    at = ("--identity-name", name, "-g", group)
    one = (
        "--name",
        "github",
        *at,
        "--issuer",
        "https://token.actions.githubusercontent.com",
        "--audiences",
        "api://AzureADTokenExchange",
    )
    az("identity federated-credential create", *one, "--subject", "repo:o/r:ref:refs/heads/main")
    assert az("identity federated-credential show --name github", *at)["subject"] == "repo:o/r:ref:refs/heads/main"
    az("identity federated-credential update", *one, "--subject", "repo:o/r:environment:prod")
    assert [one["subject"] for one in az("identity federated-credential list", *at)] == ["repo:o/r:environment:prod"]
    az("identity federated-credential delete --yes --name github", *at)
    az("identity delete -g", group, "-n", name)
    assert name not in names(az("identity list -g", group))
    az.refused("identity show -g", group, "-n", name, code=NOT_FOUND)


# --- 6: Cognitive Services ---


def test_6_accounts(az, group, ai):
    name, _ = ai
    where = ("-n", name, "-g", group)
    shown = az("cognitiveservices account show", *where)
    assert (shown["kind"], shown["sku"]["name"], shown["properties"]["provisioningState"]) == (
        "OpenAI",
        "S0",
        "Succeeded",
    )
    assert name in names(az("cognitiveservices account list -g", group))
    assert name in names(az("cognitiveservices account list"))
    for command in ("list", "regenerate --key-name Key1"):
        said = az.refused(f"cognitiveservices account keys {command}", *where)
        assert "disableLocalAuth is set to be true" in said
        # The difference to Azure, and the way out: what it says works as it stands.
        (way_out,) = set(re.findall(r"az (resource update --ids \S+ --set properties\.disableLocalAuth=false)", said))
    az(way_out)
    keys = az("cognitiveservices account keys list", *where)
    new = az("cognitiveservices account keys regenerate --key-name Key2", *where)
    for key in (*keys.values(), *new.values()):
        az.system.memory.remember("API key of an account", key)
    assert (new["key1"] == keys["key1"], new["key2"] == keys["key2"]) == (True, False)
    assert az("cognitiveservices account update --tags a=b", *where)["tags"] == {"a": "b"}
    assert az("cognitiveservices account show", *where)["properties"]["customSubDomainName"] == name


def test_6_system_assigned_identities_of_accounts(az, group, ai):
    where = ("-n", ai[0], "-g", group)
    assigned = az("cognitiveservices account identity assign", *where)
    assert assigned["type"] == "SystemAssigned"
    assert az("cognitiveservices account identity show", *where)["principalId"] == assigned["principalId"]
    az("cognitiveservices account identity remove", *where)
    shown = az("cognitiveservices account identity show", *where)
    assert not shown or shown["type"] == "None"


def test_6_network_rules(az, group, ai):
    where = ("-n", ai[0], "-g", group)
    az("cognitiveservices account network-rule add --ip-address 10.0.0.1", *where)
    az("cognitiveservices account network-rule add --ip-address 10.1.0.0/16", *where)
    listed = az("cognitiveservices account network-rule list", *where)
    assert {rule["value"] for rule in listed["ipRules"]} == {"10.0.0.1", "10.1.0.0/16"}
    az("cognitiveservices account network-rule remove --ip-address 10.0.0.1", *where)
    assert [rule["value"] for rule in az("cognitiveservices account network-rule list", *where)["ipRules"]] == [
        "10.1.0.0/16"
    ]


def test_6_deployments(az, group, ai):
    where = ("-n", ai[0], "-g", group)
    create = (
        "cognitiveservices account deployment create --deployment-name gpt4o --model-name gpt-4o --model-version 2024-11-20",
        *where,
    )
    made = az(*create, "--model-format", "OpenAI", "--sku-capacity", "10", "--sku-name", "Standard")
    assert made["properties"]["model"] == made["properties"]["model"] | {
        "format": "OpenAI",
        "name": "gpt-4o",
        "version": "2024-11-20",
    }
    assert (made["sku"]["name"], made["sku"]["capacity"]) == ("Standard", 10)
    assert az("cognitiveservices account deployment show --deployment-name gpt4o", *where)["name"] == "gpt4o"
    assert names(az("cognitiveservices account deployment list", *where)) == {"gpt4o"}
    az("cognitiveservices account deployment delete --deployment-name gpt4o", *where)
    assert az("cognitiveservices account deployment list", *where) == []
    az.refused("cognitiveservices account deployment show --deployment-name gpt4o", *where, code=NOT_FOUND)


def test_6_what_there_is_to_choose_from(az, group, ai):
    where = ("-n", ai[0], "-g", group)
    models = az("cognitiveservices account list-models", *where)
    assert models
    assert all(model["name"] and model["format"] == "OpenAI" for model in models)
    usages = az("cognitiveservices account list-usage", *where)
    assert all(usage["limit"] >= usage["currentValue"] >= 0 for usage in usages)
    (sku,) = az("cognitiveservices account list-skus", *where)["value"]
    assert sku["sku"]["name"] == "S0"
    assert "OpenAI" in az("cognitiveservices account list-kinds")
    skus = az("cognitiveservices account list-skus --kind OpenAI --location local")
    assert {sku["name"] for sku in skus} == {"S0"}
    offered = {model["model"]["name"] for model in az("cognitiveservices model list -l eastus")}
    assert offered >= {model["name"] for model in models}
    quotas = az("cognitiveservices usage list -l eastus")
    assert all(quota["limit"] == 1_000_000 for quota in quotas)


def test_6_deleted_accounts(az, group, ai):
    where = ("-n", ai[0], "-g", group)
    az("cognitiveservices account delete", *where)
    assert ai[0] in names(az("cognitiveservices account list-deleted"))
    assert az("cognitiveservices account show-deleted -l eastus", *where)["name"] == ai[0]
    az("cognitiveservices account recover -l eastus", *where)
    assert az("cognitiveservices account show", *where)["name"] == ai[0]
    az("cognitiveservices account delete", *where)
    az("cognitiveservices account purge -l eastus", *where)
    assert ai[0] not in names(az("cognitiveservices account list-deleted"))


# --- 7: generic resources and providers ---


def test_7_resources(az, group, ai):
    name, id = ai
    assert az("resource show --ids", id)["name"] == name
    assert az("resource show --api-version 2024-10-01 --ids", id)["name"] == name
    assert (
        az("resource update --set properties.disableLocalAuth=true --ids", id)["properties"]["disableLocalAuth"] is True
    )
    assert (
        az("resource patch --properties", '{"disableLocalAuth": false}', "--ids", id)["properties"]["disableLocalAuth"]
        is False
    )
    assert az("resource tag --tags x=y --ids", id)["tags"] == {"x": "y"}
    assert name in names(az("resource list -g", group))
    assert name in names(az("resource list --resource-type", ARM_AI))
    other = fresh("ai")
    properties = {
        "location": "eastus",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": other},
    }
    made = az(
        "resource create --is-full-object --resource-type",
        ARM_AI,
        "-g",
        group,
        "-n",
        other,
        "--properties",
        json.dumps(properties),
    )
    assert made["properties"]["customSubDomainName"] == other
    az("resource delete --ids", made["id"])
    az.refused("resource show --ids", made["id"], code=NOT_FOUND)


def test_7_providers(az):
    shown = az("provider show -n Microsoft.CognitiveServices")
    assert (shown["namespace"], shown["registrationState"]) == ("Microsoft.CognitiveServices", "Registered")
    listed = {provider["namespace"] for provider in az("provider list")}
    assert {"Microsoft.CognitiveServices", "Microsoft.ManagedIdentity", "Microsoft.Authorization"} <= listed
    az("provider register --wait -n Microsoft.CognitiveServices")


# --- 8: roles ---


def test_8_role_assignments(az, ai, mi, system):
    at, who = ("--scope", ai[1]), mi["principalId"]
    made = az("role assignment create --role", ROLE, "--assignee", who, *at)
    assert (made["principalId"], made["principalType"], made["scope"].lower()) == (
        who,
        "ServicePrincipal",
        ai[1].lower(),
    )
    assert az("role assignment create --role", ROLE, "--assignee", who, *at)["id"] == made["id"]
    (listed,) = az("role assignment list", *at)
    assert (listed["roleDefinitionName"], listed["principalName"]) == (ROLE, mi["clientId"])
    for choice in (
        ("--all", "--assignee", who),
        ("--include-groups", "--assignee", who, *at),
        ("--all",),
    ):
        assert made["id"] in {one["id"] for one in az("role assignment list", *choice)}
    # What is assigned below a group is not at it.
    assert made["id"] not in {one["id"] for one in az("role assignment list -g", ai[1].split("/")[4])}
    az("role assignment delete --role", ROLE, "--assignee", who, *at)
    assert az("role assignment list", *at) == []
    condition = "(@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z')"
    by_id = ("--assignee-principal-type", "ServicePrincipal", "--assignee-object-id", who, *at)
    said = az.refused(
        "role assignment create --role", ROLE, *by_id, "--condition", condition, "--condition-version", "2.0"
    )
    assert "ondition" in said
    made = az("role assignment create --role", CONTRIBUTOR, *by_id, "--description", "for a day")
    assert made["description"] == "for a day"
    az("role assignment delete --ids", made["id"])
    assert "AADSTS" not in az.refused("role assignment delete --role", ROLE, "--assignee", who, *at)


def test_8_role_definitions(az, ai, system, tmp_path):
    (found,) = az("role definition list --name Contributor")
    assert (found["name"], found["roleType"]) == (CONTRIBUTOR, "BuiltInRole")
    assert az("role definition show --name", CONTRIBUTOR, "--scope", ai[1])["roleName"] == "Contributor"
    assert az("role definition show --id", found["id"])["name"] == CONTRIBUTOR
    name, file = fresh("Custom"), tmp_path / "role.json"
    definition = {
        "Name": name,
        "Description": "d",
        "Actions": ["Microsoft.CognitiveServices/*/read"],
        "DataActions": ["Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"],
        "AssignableScopes": [f"/subscriptions/{system.subscription}"],
    }
    file.write_text(json.dumps(definition))
    made = az("role definition create --role-definition", f"@{file}")
    assert (made["roleType"], made["permissions"][0]["actions"]) == ("CustomRole", definition["Actions"])
    assert {one["roleName"] for one in az("role definition list --custom-role-only")} >= {name}
    file.write_text(json.dumps(made | {"description": "new"}))
    assert az("role definition update --role-definition", f"@{file}")["description"] == "new"
    az("role definition delete --name", name)
    assert az("role definition list --name", name) == []


# --- 9: the directory ---


def test_9_service_principals(az, mi):
    assert mi["name"] in {one["displayName"] for one in az("ad sp list --all")}
    assert [one["displayName"] for one in az("ad sp list --display-name", mi["name"])] == [mi["name"]]
    for id in (mi["clientId"], mi["principalId"]):
        shown = az("ad sp show --id", id)
        assert (shown["id"], shown["appId"], shown["servicePrincipalType"]) == (
            mi["principalId"],
            mi["clientId"],
            "ManagedIdentity",
        )
    az.refused("ad sp show --id 00000000-aaaa-bbbb-cccc-000000000003", code=NOT_FOUND)


def test_9_applications(az, ai):
    name = fresh("app")
    made = az("ad app create --display-name", name)
    assert (made["displayName"], made["signInAudience"]) == (name, "AzureADMyOrg")
    id = ("--id", made["appId"])
    assert az("ad app show", *id)["id"] == made["id"]
    assert made["appId"] in {one["appId"] for one in az("ad app list --all")}
    assert [one["appId"] for one in az("ad app list --display-name", name)] == [made["appId"]]
    principal = az("ad sp create", *id)
    assert principal["appId"] == made["appId"]
    new = az("ad app credential reset", *id)
    assert az.system.memory.remember("client secret", new["password"])
    (secret,) = az("ad app credential list", *id)
    az("ad app credential delete --key-id", secret["keyId"], *id)
    assert az("ad app credential list", *id) == []
    credential = {
        "name": "github",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:o/r:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    created = az("ad app federated-credential create --parameters", json.dumps(credential), *id)
    assert created == created | credential
    assert names(az("ad app federated-credential list", *id)) == {"github"}
    for which in ("github", created["id"]):
        assert (
            az("ad app federated-credential show --federated-credential-id", which, *id)["subject"]
            == credential["subject"]
        )
    az("ad app federated-credential delete --federated-credential-id github", *id)
    assert az("ad app federated-credential list", *id) == []
    web, local, page = "https://app.example/cb", "http://localhost:8400", "https://page.example"
    az("ad app update --web-redirect-uris", web, *id)
    az("ad app update --public-client-redirect-uris", local, *id)
    az("ad app update --set", json.dumps({"redirectUris": [page]}).join(("spa=", "")), *id)
    shown = az("ad app show", *id)
    for kind, uri in (("web", web), ("publicClient", local), ("spa", page)):
        assert shown[kind]["redirectUris"] == [uri]
    az("ad app update --display-name", f"{name}-2", *id)
    assert az("ad app show", *id)["displayName"] == f"{name}-2"
    assert "only valid with delegated authentication flow" in az.refused("ad app list --show-mine")
    az("ad sp delete", *id)
    az("ad app delete", *id)
    az.refused("ad app show", *id, code=NOT_FOUND)


def test_9_a_service_principal_for_rbac(az, ai):
    made = az.create_application(fresh("rbac"), "--role", ROLE, "--scopes", ai[1])
    assert made.tenant == az.system.ready["tenant_id"]
    (listed,) = az("role assignment list --scope", ai[1])
    assert (listed["principalName"], listed["roleDefinitionName"]) == (made.app_id, ROLE)
    json_auth = az("ad sp create-for-rbac --json-auth -n", fresh("rbac"), "--role", ROLE, "--scopes", ai[1])
    az.system.memory.remember("client secret", json_auth["clientSecret"])
    assert json_auth["activeDirectoryEndpointUrl"] == az.system.ready["authority"]
    assert json_auth["resourceManagerEndpointUrl"].rstrip("/") == az.system.ready["control"]


def test_9_people(az, new_az, system):
    name, password = f"{fresh('alice')}@{system.status()['tenant_domain']}", f"Correct-horse-{fresh('battery')}"
    system.memory.remember("password of a person", password)
    made = az("ad user create --display-name Alice --user-principal-name", name, "--password", password)
    assert (made["userPrincipalName"], made["displayName"]) == (name, "Alice")
    assert az("ad user show --id", name)["id"] == made["id"]
    assert name in {one["userPrincipalName"] for one in az("ad user list")}
    az("role assignment create --role Reader --assignee", name, "--scope", f"/subscriptions/{system.subscription}")
    (listed,) = az("role assignment list --assignee", name)
    assert (listed["principalName"], listed["principalType"]) == (name, "User")
    alice = new_az(system).register()
    alice.sign_in_with_device_code(Person(system, name, password))
    assert alice("ad signed-in-user show")["userPrincipalName"] == name
    az("ad user update --display-name Al --id", name)
    az("ad user delete --id", name)
    az.refused("ad user show --id", name, code=NOT_FOUND)


def test_9_groups(az, mi):
    name = fresh("team")
    made = az("ad group create --display-name", name, "--mail-nickname", name)
    assert (made["displayName"], made["securityEnabled"]) == (name, True)
    assert az("ad group show --group", name)["id"] == made["id"]
    assert name in {one["displayName"] for one in az("ad group list")}
    az("ad group member add --group", name, "--member-id", mi["principalId"])
    assert [one["id"] for one in az("ad group member list --group", name)] == [mi["principalId"]]
    assert az("ad group member check --group", name, "--member-id", mi["principalId"]) == {"value": True}
    az("ad group member remove --group", name, "--member-id", mi["principalId"])
    assert az("ad group member list --group", name) == []
    az("ad group delete --group", name)
    assert "No group matches" in az.refused("ad group show --group", name)


# --- 11: az rest and the activity log; 10 is in test_az_login.py ---


def test_11_az_rest(az, system):
    (one,) = az("rest --url", "/subscriptions?api-version=2022-12-01")["value"]
    assert one["subscriptionId"] == system.subscription
    assert (
        az("rest --url", "/subscriptions/{subscriptionId}?api-version=2022-12-01")["subscriptionId"]
        == system.subscription
    )
    full = f"{system.ready['control']}/subscriptions/{system.subscription}/resourceGroups?api-version=2024-11-01"
    assert "demo" in names(az("rest --method get --url", full)["value"])
    graph = f"{system.ready['control']}/v1.0/servicePrincipals"
    assert az("rest --url", graph, "--resource", f"{system.ready['control']}/")["value"]


def test_11_activity_log(az, group, mi):
    events = az("monitor activity-log list --offset 1h -g", group)
    assert f"{ARM_IDENTITY}/write" in {event["operationName"]["value"] for event in events}
    succeeded = az("monitor activity-log list --offset 1h --status Succeeded -g", group)
    assert {event["status"]["value"] for event in succeeded} == {"Succeeded"}
    assert az("monitor activity-log list --offset 1h --status Started -g", group) == []
    assert "Administrative" in {one["value"] for one in az("monitor activity-log list-categories")}


# --- 12: locks ---


def test_12_locks(az, ai):
    group, name = fresh("locked"), fresh("lock")
    az("group create -l eastus -n", group)
    made = az("lock create --lock-type CanNotDelete --notes why -g", group, "-n", name)
    assert (made["level"], made["notes"]) == ("CanNotDelete", "why")
    assert names(az("lock list -g", group)) == {name}
    assert az("lock show -g", group, "-n", name)["id"] == made["id"]
    assert "ScopeLocked" in az.refused("group delete --yes -n", group)
    az("group update --tags a=b -n", group)
    assert az("lock update --lock-type ReadOnly -g", group, "-n", name)["level"] == "ReadOnly"
    assert "ScopeLocked" in az.refused("group update --tags a=c -n", group)
    az("lock delete -g", group, "-n", name)
    az("group delete --yes -n", group)
    # A read-only lock on an account keeps its keys from being shown.
    az("resource update --set properties.disableLocalAuth=false --ids", ai[1])
    at = ("--resource", ai[1])
    az("lock create --lock-type ReadOnly -n", name, *at)
    where = ("-n", ai[0], "-g", ai[1].split("/")[4])
    assert "ScopeLocked" in az.refused("cognitiveservices account keys list", *where)
    az("lock delete -n", name, *at)
    for key in az("cognitiveservices account keys list", *where).values():
        az.system.memory.remember("API key of an account", key)
