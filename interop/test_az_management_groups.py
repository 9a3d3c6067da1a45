"""Management groups with the real `az`: what is granted at one holds below it, and nobody moves what they do not administer."""

import re

import pytest

from support.az import Az
from support.operator import fresh
from support.person import Person
from support.waiting import next_second

PROVIDER = "/providers/Microsoft.Management/managementGroups"


@pytest.fixture(scope="module")
def system(new_system):
    """Its own, since a group of the test holds the subscription for a while."""
    return new_system().start()


@pytest.fixture(scope="module")
def owner(system, new_az) -> Az:
    """A person who owns everything: groups are above every subscription."""
    person = Person(system, f"{fresh('ada')}@keyless.localhost", f"Correct-horse-{fresh('battery')}")
    system.memory.remember("password", person.password)
    invited = system.command("user", "invite", person.name, "--owner", *system.locate()).stdout
    (link,) = re.findall(r"https://\S+", invited)
    person.sign_in(link)
    next_second()
    return new_az(system).register().sign_in_with_device_code(person)


@pytest.fixture
def groups(owner) -> dict[str, str]:
    """`mine` and `victim` at the top, and `inner` in `victim`; all gone afterwards."""
    named = {name: fresh(name) for name in ("mine", "victim", "inner")}
    made = owner("account management-group create -n", named["mine"], "--display-name", "Mine and no other")
    assert (made["name"], made["displayName"]) == (named["mine"], "Mine and no other")
    owner("account management-group create -n", named["victim"])
    made = owner("account management-group create -n", named["inner"], "--parent", named["victim"])
    assert made["id"] == f"{PROVIDER}/{named['inner']}"
    yield named
    for name in ("inner", "mine", "victim"):
        owner("account management-group delete -n", named[name])
    assert owner("account management-group list") == []


@pytest.fixture
def theirs(system, owner, new_az, groups) -> Az:
    """An identity's: Owner of `mine`, Contributor of `victim`, and in the subscription it may read itself."""
    name = fresh("lead")
    made = owner("identity create -g demo -n", name)
    at = {role: f"{PROVIDER}/{groups[group]}" for role, group in (("Owner", "mine"), ("Contributor", "victim"))}
    for role, scope in (at | {"Reader": made["id"]}).items():
        who = ("--assignee-object-id", made["principalId"], "--assignee-principal-type", "ServicePrincipal")
        owner("role assignment create --role", role, "--scope", scope, *who)
    return new_az(system).register().sign_in_as_managed_identity(name)


def parent(az: Az, group: str) -> str:
    return az("account management-group show -n", group)["details"]["parent"]["name"]


def test_groups_are_made_listed_shown_renamed_moved_and_removed(owner, groups):
    assert {one["name"] for one in owner("account management-group list")} == set(groups.values())
    assert parent(owner, groups["inner"]) == groups["victim"]
    shown = owner("account management-group show -e -n", groups["victim"])
    assert [child["name"] for child in shown["children"]] == [groups["inner"]]
    assert "BadRequest" in owner.refused("account management-group delete -n", groups["victim"]), "it is not empty"
    owner("account management-group update --display-name Renamed -n", groups["inner"])
    owner("account management-group update -n", groups["inner"], "--parent", groups["mine"])
    moved = owner("account management-group show -n", groups["inner"])
    assert (moved["displayName"], moved["details"]["parent"]["name"]) == ("Renamed", groups["mine"])


def test_what_is_granted_at_a_group_holds_in_its_subscription_and_no_longer(system, owner, theirs, groups):
    assert "AuthorizationFailed" in theirs.refused("group show -n demo")
    said = theirs.refused("account management-group subscription add --name", groups["mine"], "--subscription", system.subscription)
    assert "AuthorizationFailed" in said, "Owner of the group, and nobody in the subscription"
    put = ("--name", groups["inner"], "--subscription", system.subscription)
    owner("account management-group subscription add", *put)
    assert theirs("group show -n demo")["name"] == "demo"
    assert "BadRequest" in owner.refused("account management-group delete -n", groups["inner"]), "it is not empty"
    owner("account management-group subscription remove", *put)
    assert "AuthorizationFailed" in theirs.refused("group show -n demo")
