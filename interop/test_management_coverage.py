"""Every operation that the official management clients have is served, or refused with the reason; none ends in a misspelt path.

The operations are read from the installed clients, so a newer client with more of them fails here until someone decides.
"""

import importlib
import inspect
import pkgutil
import re

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from support.operator import GROUP

CLIENTS = {
    # The versions that the client uses when it is not told one.
    "azure.mgmt.authorization": ("v2015_07_01", "v2020_10_01", "v2021_12_01_preview", "v2022_04_01", "v2022_08_01_preview"),
    "azure.mgmt.cognitiveservices": ("",),
    "azure.mgmt.msi": ("v2022_01_31_preview", "v2024_11_30"),
    "azure.mgmt.resource.resources": ("",),
}
# What docs/management-clients.md says: operations in all, refused with 501, and answered with success when asked for what there is.
EVERY, REFUSED, SERVED = 283, 189, 50
# What an answer says when nobody thought of the request.
UNKNOWN = {"NotFound", "UnsupportedHttpVerb", "InvalidResourceType", "InvalidResourceId"}


def sources(package, version):
    """The text of every module that builds requests."""
    base = importlib.import_module(f"{package}.{version}.operations" if version else f"{package}.operations")
    for module in pkgutil.iter_modules(base.__path__):
        yield inspect.getsource(importlib.import_module(f"{base.__name__}.{module.name}"))


def operations():
    """(client, name, method, path template) of every operation."""
    found = set()
    for package, versions in CLIENTS.items():
        for version in versions:
            for source in sources(package, version):
                for name, body in re.findall(r"def build_(\w+)_request\((.*?)\n(?=def |class )", source, re.S):
                    url = re.search(r'_url = (?:kwargs\.pop\(\s*"template_url",\s*)?\(?\s*((?:"[^"]*"\s*(?:#[^\n]*)?\s*)+)', body)
                    method = re.search(r'HttpRequest\(method="(\w+)"', body)
                    assert url and method, f"{package} builds {name} in a way that this test does not read"
                    found.add((package, name, method[1], "".join(re.findall(r'"([^"]*)"', url[1]))))
    return sorted(found)


@pytest.fixture(scope="module")
def names(system):
    scope = f"subscriptions/{system.subscription}/resourceGroups/{GROUP}"
    return {
        "subscriptionId": system.subscription,
        "resourceGroupName": GROUP,
        "sourceResourceGroupName": GROUP,
        "accountName": "demo-ai",
        "scope": scope,
        "resourceId": f"{scope}/providers/Microsoft.Storage/storageAccounts/absent",
        "resourceProviderNamespace": "Microsoft.CognitiveServices",
        "parentResourcePath": "",
        "resourceType": "accounts",
        "roleAssignmentId": f"{scope}/providers/Microsoft.Authorization/roleAssignments/absent",
        "roleDefinitionId": "absent",
        "roleId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/absent",
    }


def test_no_operation_of_a_management_client_ends_in_a_misspelt_path(system, names):
    session = requests.Session()
    # A bundle named by the environment would win over ours.
    session.trust_env = False
    session.verify = system.ready["ca_file"]
    session.headers["Authorization"] = f"Bearer {system.operator_token()}"
    # A request that is answered before its body was read may end the connection; the management clients try again, too.
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3, allowed_methods=None, backoff_factor=0)))
    refused, forgotten, served = set(), [], set()
    every = operations()
    for client, name, method, template in every:
        # `get_by_id` has the whole id in this name, `get` the last segment only.
        denied = f"{names['scope']}/providers/Microsoft.Authorization/denyAssignments/absent"
        by_id = {"/{roleDefinitionId}": names["roleId"], "/{denyAssignmentId}": denied}
        whole = {template[2:-1]: by_id[template]} if template in by_id else {}
        path = re.sub(r"{(\w+)}", lambda brace: {**names, **whole}.get(brace[1], "absent"), template)
        # Anything but a read goes to something that is not there, so that nothing of the system is lost.
        if method not in ("GET", "HEAD") and path.rstrip("/").rsplit("/", 1)[-1] in (GROUP, "demo-ai"):
            path = path.rstrip("/").rsplit("/", 1)[0] + "/absent"
        body = None if method in ("GET", "HEAD") else {}
        answer = session.request(method, system.ready["control"].rstrip("/") + path + "?api-version=2024-10-01", json=body)
        code = answer.json().get("error", {}).get("code") if answer.content and answer.status_code >= 400 else None
        if code == "NotSupported":
            assert answer.status_code == 501 and answer.json()["error"]["message"].startswith("Keyless does not have")
            refused.add((client, name, method, template))
        elif code in UNKNOWN or answer.status_code >= 500:
            forgotten.append(f"{client} {name}: {method} {path} -> {answer.status_code} {code}")
        # An answer that the request was wrong, or that there is no such thing, shows that somebody thought of it and no more.
        elif answer.status_code < 300:
            served.add((client, name, method, template))
    assert not forgotten, "\n".join(forgotten)
    figures = f"{len(every)} operations: {len(served)} served, {len(refused)} refused as not supported"
    assert (len(every), len(refused)) == (EVERY, REFUSED), f"{figures}; docs/management-clients.md says otherwise"
    assert len(served) >= SERVED, figures
