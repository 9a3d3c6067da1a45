"""What tests of credentials share: where one is told to go, a person's sign-in, and what a token is worth."""

from azure.identity import DeviceCodeCredential

from .clients import ANSWER, ask, dated
from .directory import User
from .keyless import Keyless
from .person import Person


def going_to(system: Keyless) -> dict:
    """The options that lead a credential of `azure-identity` to a system, and make it say at once what is wrong."""
    return {
        "authority": system.ready["authority"],
        "disable_instance_discovery": True,
        "connection_verify": system.ready["ca_file"],
        "retry_total": 0,
    }


def by_device_code(system: Keyless, user: User) -> DeviceCodeCredential:
    """Signs `user` in, whenever it has to show a code."""

    def prompt(url: str, code: str, _expires) -> None:
        Person(system, user.name, user.password).sign_in(url, code)

    tenant = system.ready["tenant_id"]
    return DeviceCodeCredential(tenant_id=tenant, prompt_callback=prompt, timeout=30, **going_to(system))


def answers(system: Keyless, token: str) -> bool:
    """Whether the demo account's model answers the bearer of `token`."""
    system.memory.remember("access token", token)
    return ask(dated(system, system.account("demo-ai")["endpoint"], token=token)) == ANSWER
