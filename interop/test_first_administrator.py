"""`keyless up --invite`: a new system's first administrator, from the terminal to a role assignment, without `keyless user`."""

import requests

from support.operator import fresh
from support.person import Person
from support.waiting import next_second


LINK = r"https://\S+/invite\?ticket=\S+"


def invited(system, starts: int = 1) -> str:
    """The link of the last start, when each one so far offered one."""
    return system.wait_for_log(LINK, starts)[-1]


def test_the_first_administrator_comes_in_by_the_link_of_the_first_start(new_system, new_az):
    system = new_system().start("--invite")
    link = invited(system)
    assert "Become the first administrator, admin@keyless.localhost" in system.log()
    assert link not in system.ready_file.read_text()
    admin = Person(system, "admin@keyless.localhost", f"Correct-horse-{fresh('battery')}")
    admin.sign_in(link)
    assert "account is ready" in admin.seen[-1].text
    mallory = Person(system, admin.name, "another password of nobody")
    assert mallory.open(link).forms == [], "once"
    next_second()
    az = new_az(system).register().sign_in_with_device_code(admin)
    group = fresh("group")
    az("group create -l local -n", group)
    assert group in {found["name"] for found in az("group list")}
    assert system.stop() == 0

    # Started again in the same way, it offers nothing: there is an administrator.
    before = system.log().count("/invite?ticket=")
    system.start("--invite")
    system.wait_for_log("nobody is invited: a person is administrator already")
    assert system.log().count("/invite?ticket=") == before
    assert system.stop() == 0


def test_an_older_link_is_worth_nothing_once_there_is_an_administrator(new_system):
    system = new_system().start("--invite=ada@keyless.localhost")
    first = invited(system)
    assert system.stop() == 0
    system.start("--invite=eve@keyless.localhost")
    second = invited(system, starts=2)
    assert second != first
    ada = Person(system, "ada@keyless.localhost", f"Correct-horse-{fresh('battery')}")
    ada.sign_in(first)
    assert "account is ready" in ada.seen[-1].text
    answer = requests.get(second, verify=system.ready["ca_file"], timeout=10)
    assert answer.status_code == 400
    assert "new_password" not in answer.text
    assert system.stop() == 0


def test_an_invitation_that_cannot_be_made_stops_the_start(new_system):
    system = new_system()
    done = system.command("up", *system.locate(), "--port", "0", "--metadata-port", "0", "--built-in", "--invite=nonsense", check=False)
    assert done.returncode == 1
    assert "write a name at" in done.stderr
