"""What an operator does to a system, done with the official management clients and nothing else."""

import time
import uuid
from dataclasses import dataclass
from typing import Protocol

from azure.core.credentials import AccessToken
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient

from .keyless import Keyless

GROUP = "demo"
LOCATION = "local"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ROLES = {
    "Cognitive Services OpenAI User": OPENAI_USER,
    "Cognitive Services Contributor": "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
}


class OperatorCredential:
    """A `TokenCredential` over `keyless token`."""

    def __init__(self, system: Keyless):
        self._system = system

    def get_token(self, *scopes: str, **_options) -> AccessToken:
        # The clock is ours and the lifetime short: the client asks again rather than trust it for long.
        return AccessToken(self._system.operator_token(scopes[0]), int(time.time()) + 600)


@dataclass(frozen=True)
class Identity:
    name: str
    id: str
    client_id: str
    principal_id: str


@dataclass(frozen=True)
class Account:
    name: str
    id: str
    endpoint: str


class HasPrincipal(Protocol):
    """An identity, an application or a person: whoever a role can be given to."""

    principal_id: str


class Operator:
    """Creates under fresh names, so that no test can disturb another."""

    def __init__(self, system: Keyless):
        self.system = system
        common = {
            "credential": OperatorCredential(system),
            "subscription_id": system.subscription,
            "base_url": system.ready["control"],
            "connection_verify": system.ready["ca_file"],
            "retry_total": 0,
        }
        self.identities = ManagedServiceIdentityClient(**common).user_assigned_identities
        self.authorization = AuthorizationManagementClient(**common)
        ai = CognitiveServicesManagementClient(
            **common, credential_scopes=["https://management.azure.com/.default"], polling_interval=0.1
        )
        self.accounts, self.deployments = ai.accounts, ai.deployments

    # --- identities ---

    def create_identity(self) -> Identity:
        made = self.identities.create_or_update(GROUP, fresh("app"), {"location": LOCATION})
        return Identity(made.name, made.id, made.client_id, made.principal_id)

    def delete_identity(self, identity: Identity) -> None:
        self.identities.delete(GROUP, identity.name)

    # --- roles ---

    def assign(
        self,
        who: HasPrincipal,
        scope: str,
        role: str = "Cognitive Services OpenAI User",
        principal_type: str = "ServicePrincipal",
    ) -> str:
        """Assigns `role` and returns the assignment's name."""
        name = str(uuid.uuid4())
        definition = (
            f"/subscriptions/{self.system.subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"
        )
        properties = {
            "role_definition_id": definition,
            "principal_id": who.principal_id,
            "principal_type": principal_type,
        }
        self.authorization.role_assignments.create(scope, name, properties)
        return name

    def remove(self, scope: str, assignment: str) -> None:
        self.authorization.role_assignments.delete(scope, assignment)

    def create_caller(self, scope: str) -> Identity:
        """An identity that may call models at `scope`."""
        identity = self.create_identity()
        self.assign(identity, scope)
        return identity

    # --- AI accounts ---

    def create_account(self, *, local_auth: bool | None = None, deployments: tuple[str, ...] = ("chat",)) -> Account:
        """An account; `local_auth` None leaves the choice to the system's default."""
        name = fresh("ai")
        properties = {"customSubDomainName": name}
        if local_auth is not None:
            properties["disableLocalAuth"] = not local_auth
        body = {"location": LOCATION, "kind": "OpenAI", "sku": {"name": "S0"}, "properties": properties}
        made = self.accounts.begin_create(GROUP, name, body).result(10)
        for deployment in deployments:
            self.create_deployment(name, deployment)
        return Account(made.name, made.id, made.properties.endpoint.rstrip("/"))

    def create_deployment(self, account: str, name: str) -> None:
        body = {
            "sku": {"name": "Standard", "capacity": 2_000},
            "properties": {"model": {"format": "OpenAI", "name": "stub", "version": "1"}},
        }
        self.deployments.begin_create_or_update(GROUP, account, name, body).result(10)

    def set_local_auth(self, account: Account, enabled: bool) -> None:
        self.accounts.begin_update(GROUP, account.name, {"properties": {"disableLocalAuth": not enabled}}).result(10)

    def keys(self, account: Account) -> tuple[str, str]:
        return self._remembered(self.accounts.list_keys(GROUP, account.name))

    def regenerate(self, account: Account, key_name: str) -> tuple[str, str]:
        return self._remembered(self.accounts.regenerate_key(GROUP, account.name, key_name))

    def _remembered(self, keys) -> tuple[str, str]:
        for key in (keys.key1, keys.key2):
            self.system.memory.remember("API key of an account", key)
        return keys.key1, keys.key2


def fresh(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:12]}"
