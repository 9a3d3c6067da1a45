"""What an operator makes with `az`: an identity that calls, and an account that is called."""

from dataclasses import dataclass

from .az import Az
from .clients import ask, dated, refusal
from .operator import fresh
from .refusals import permission_denied

ROLE = "Cognitive Services OpenAI User"


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
        return refusal(
            dated(self.az.system, account.endpoint, token=self.token), deployment=deployment
        ) == permission_denied(self.principal_id)


@dataclass(frozen=True)
class Account:
    name: str
    id: str
    endpoint: str

    @property
    def where(self) -> tuple[str, ...]:
        return ("-n", self.name, "-g", "demo")


def create_caller(az: Az) -> Caller:
    """Has no role."""
    name = fresh("mi")
    made = az("identity create -g demo -n", name)
    return Caller(az, name, made["id"], made["clientId"], made["principalId"], az.system.token(name))


def create_account(az: Az) -> Account:
    """Has the deployments `chat` and `other`, and keys are off."""
    name = fresh("ai")
    made = az(
        f"cognitiveservices account create -g demo -n {name} --custom-domain {name} --kind OpenAI --sku S0 -l local --yes"
    )
    account = Account(name, made["id"], made["properties"]["endpoint"].rstrip("/"))
    for deployment in ("chat", "other"):
        deploy(az, account, deployment)
    return account


def deploy(az: Az, account: Account, name: str, capacity: int = 100) -> dict:
    return az(
        "cognitiveservices account deployment create --model-format OpenAI --model-name stub --model-version 1",
        *("--sku-name", "Standard", "--sku-capacity", str(capacity), "--deployment-name", name, *account.where),
    )
