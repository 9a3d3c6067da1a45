"""People sign in at their company's OpenID provider, and nobody gets in who is not linked, genuine and enabled."""

import json
import uuid

import pytest

from support.browser import Browser
from support.clients import ANSWER, ask, dated
from support.directory import Directory, User
from support.forge import claims_of
from support.operator import Operator, fresh
from support.provider import CrookedProvider, OpenIdProvider, Visitor
from support.waiting import next_second

AI_RESOURCE = "https://cognitiveservices.azure.com"


@pytest.fixture(scope="module")
def system(new_system, tmp_path_factory):
    """Knows its own address already, so that a provider can be told where to send people back."""
    system = new_system().start()
    assert system.stop() == 0
    yield system
    if system.process.poll() is None:
        assert system.stop() == 0, system.log()


@pytest.fixture(scope="module")
def provider(system, tmp_path_factory):
    provider = OpenIdProvider(tmp_path_factory.mktemp("provider"), system)
    yield provider
    provider.close()


@pytest.fixture
def corp(system, provider):
    """The system, at which people sign in with the provider. Started anew for each test: of refusals, the first few say why."""
    yield system.start(*provider.flags, "--sign-in-email-domain", "keyless.localhost")
    assert system.stop() == 0, system.log()


@pytest.fixture
def ada(corp) -> User:
    """May call the demo account's models, and has no password."""
    name = f"{fresh('ada')}@keyless.localhost"
    corp.command("user", "add", name, "--no-password", *corp.locate())
    user = User(name, "", Directory(corp).ask("GET", f"users/{name}")["id"])
    Operator(corp).assign(user, corp.account("demo-ai")["id"], principal_type="User")
    return user


def link(system, user: User) -> str:
    """A subject of the provider that is `user` from now on."""
    subject = uuid.uuid4().hex
    system.command("user", "link", user.name, subject, *system.locate())
    return subject


def reasons(system) -> list[str]:
    """Why sign-ins were refused, latest last."""
    denied = [event for event in system.audit("--outcome", "denied") if "decision" in event]
    return [event["decision"]["because"] for event in denied]


def test_az_login_with_a_browser_through_the_provider(new_az, corp, provider, ada, tmp_path):
    subject = link(corp, ada)
    az = new_az(corp).register()
    waiting, url = az.start_in_browser(tmp_path)
    trusted = (corp.ready["authority"], corp.ready["ca_file"]), (provider.url, provider.ca_file)
    with Browser(tmp_path, *trusted[0], trusted[1]) as browser:
        browser.open(url)
        browser.press("a.button")
        assert browser.url.startswith(provider.url)
        browser.fill("input[name=login]", subject)
        browser.fill("input[name=password]", "any")
        browser.press("button[type=submit]")
        browser.press("button[type=submit]")
        _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, f"{said}\n{browser.text}"
        assert [said for said in browser.console() if corp.ready["authority"] in said] == []
    assert az("account show")["user"] == {"name": ada.name, "type": "user"}
    token = az("account get-access-token --resource", AI_RESOURCE)["accessToken"]
    corp.memory.remember("access token", token)
    assert (claims_of(token)["oid"], claims_of(token)["amr"]) == (ada.principal_id, ["fed"])
    assert ask(dated(corp, corp.account("demo-ai")["endpoint"], token=token)) == ANSWER


def test_an_unlinked_person_is_told_how_to_be_linked_and_is_in_afterwards(corp, provider, ada):
    subject = uuid.uuid4().hex
    visitor = Visitor(corp, provider)
    page = visitor.sign_in(f"unverified-{subject}")
    assert (page.status, page.forms) == (400, [])
    assert "AADSTS50020" in page.text
    assert f"keyless user link YOUR-NAME 'unverified-{subject}'" in page.text
    assert f"proved subject unverified-{subject}" in reasons(corp)[-1]
    corp.command("user", "link", ada.name, f"unverified-{subject}", *corp.locate())
    answer = visitor.token(visitor.sign_in(f"unverified-{subject}"))
    assert answer["id_token_claims"]["oid"] == ada.principal_id


def test_an_unlinked_person_is_signed_out_and_stays_outside(corp, provider, ada):
    subject = link(corp, ada)
    visitor = Visitor(corp, provider)
    answer = visitor.token(visitor.sign_in(subject))
    next_second()
    corp.command("user", "unlink", ada.name, *corp.locate())
    again = visitor.msal.acquire_token_by_refresh_token(answer["refresh_token"], ["https://management.azure.com/.default"])
    assert "AADSTS50173" in again["error_description"]
    assert "AADSTS50020" in visitor.sign_in(subject).text


def test_a_verified_address_of_a_trusted_domain_is_the_user_of_that_name(corp, provider):
    name = fresh("grace")
    corp.command("user", "add", f"{name}@keyless.localhost", "--no-password", *corp.locate())
    visitor = Visitor(corp, provider)
    claims = visitor.token(visitor.sign_in(name))["id_token_claims"]
    assert claims["preferred_username"] == f"{name}@keyless.localhost"
    (linked,) = [event for event in corp.audit() if event["operation"] == "User_Link" and name in event["decision"]["because"]]
    assert linked["actor"]["objectId"] == claims["oid"]


def test_a_disabled_user_is_refused(corp, provider, ada):
    subject = link(corp, ada)
    directory = Directory(corp)
    directory.ask("PATCH", f"users/{ada.principal_id}", {"accountEnabled": False})
    page = Visitor(corp, provider).sign_in(subject)
    assert "AADSTS50057" in page.text
    assert page.forms == []


def test_a_wrong_state_is_refused(corp, provider, ada):
    subject = link(corp, ada)
    visitor = Visitor(corp, provider)
    back = visitor.sign_in_at_provider(visitor.ask_provider(), subject)
    before, state = back.split("state=")
    for wrong in (f"{before}state=x", f"{before}state={'A' if state[0] != 'A' else 'B'}{state[1:]}"):
        page = visitor.come_back(wrong)
        assert (page.status, page.forms) == (400, [])
        assert "AADSTS9002313" in page.text
    assert visitor.come_back(back).forms, "the right one still works"
    assert "AADSTS50008" in visitor.come_back(back).text, "once: the provider takes its code a single time"


def test_a_sign_in_that_somebody_else_began_is_refused(corp, provider, ada):
    """Login CSRF: the attacker's own sign-in, finished in the victim's browser."""
    attacker, victim = Visitor(corp, provider), Visitor(corp, provider)
    back = attacker.sign_in_at_provider(attacker.ask_provider(), link(corp, ada))
    victim.ask_provider()
    page = victim.come_back(back)
    assert "AADSTS9002313" in page.text
    assert page.forms == []


def test_a_code_of_somebody_elses_sign_in_is_refused(corp, provider, ada):
    """Code injection: a stolen code with a state of one's own. The provider holds the verifier against it."""
    subject = link(corp, ada)
    owner, thief = Visitor(corp, provider), Visitor(corp, provider)
    stolen = parameter(owner.sign_in_at_provider(owner.ask_provider(), subject), "code")
    mine = thief.sign_in_at_provider(thief.ask_provider(), fresh("thief"))
    page = thief.come_back(mine.replace(parameter(mine, "code"), stolen))
    assert "AADSTS50008" in page.text
    assert "invalid_grant" in reasons(corp)[-1]


def test_another_issuers_code_is_refused(corp, provider, ada, tmp_path):
    subject = link(corp, ada)
    other = OpenIdProvider(tmp_path, corp)
    try:
        elsewhere = Visitor(corp, other)
        ours = elsewhere.ask_provider()
        back = elsewhere.sign_in_at_provider(ours.replace(provider.url, other.url), subject)
        assert parameter(back, "iss") == escaped(other.url)
        page = elsewhere.come_back(back)
        assert "AADSTS50008" in page.text
        assert "another issuer" in reasons(corp)[-1]
        page = elsewhere.come_back(back.replace(escaped(other.url), escaped(provider.url)))
        assert "AADSTS50008" in page.text
        assert "invalid_grant" in reasons(corp)[-1]
    finally:
        other.close()


def test_the_client_secret_and_the_provider_are_in_no_output(corp, provider):
    shown = json.loads(corp.command("status", *corp.locate(), "--json").stdout)
    assert shown["sign_in"]["issuer"] == provider.url
    assert shown["sign_in"]["redirect_uri"].endswith("/common/provider/callback")
    assert corp.memory.found_in(json.dumps(shown)) == []


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "n" * 43}, "nonce"),
        ({}, "nonce"),
        ({"iss": "https://login.example"}, "another issuer"),
        ({"aud": "another program"}, "another program"),
        ({"aud": ["keyless", "another program"]}, "another program"),
        ({"iat": 1, "nbf": 1, "exp": 2}, "valid time range"),
    ],
    ids=["wrong nonce", "no nonce", "another issuer", "another audience", "several audiences", "an old token"],
)
def test_a_provider_that_says_wrong_things_signs_nobody_in(claims, why, crooked, crooked_system):
    visitor = Visitor(crooked_system, crooked)
    asked = visitor.ask_provider()
    crooked.claims = ({"nonce": parameter(asked, "nonce")} if "nonce" not in claims and why != "nonce" else {}) | claims
    page = visitor.come_back(f"{crooked_system.ready['authority']}/common/provider/callback?code=c&state={parameter(asked, 'state')}")
    assert (page.status, page.forms) == (400, [])
    assert "AADSTS50008" in page.text
    assert why in reasons(crooked_system)[-1]


def test_the_same_provider_saying_the_truth_signs_in(crooked, crooked_system):
    visitor = Visitor(crooked_system, crooked)
    asked = visitor.ask_provider()
    crooked.claims = {"nonce": parameter(asked, "nonce")}
    page = visitor.come_back(f"{crooked_system.ready['authority']}/common/provider/callback?code=c&state={parameter(asked, 'state')}")
    assert visitor.token(page)["id_token_claims"]["preferred_username"] == "ada@keyless.localhost"


@pytest.fixture(scope="module")
def crooked(tmp_path_factory):
    crooked = CrookedProvider(tmp_path_factory.mktemp("crooked"))
    yield crooked
    crooked.close()


@pytest.fixture
def crooked_system(new_system, crooked):
    """New for each test: of many refusals in a minute, only the first say why in the audit log."""
    system = new_system().start(*crooked.flags)
    system.command("user", "add", "ada@keyless.localhost", "--no-password", *system.locate())
    system.command("user", "link", "ada@keyless.localhost", "ada", *system.locate())
    yield system
    assert system.stop() == 0, system.log()


def test_the_system_does_not_start_with_a_provider_in_plain_http(new_system):
    system = new_system()
    done = system.command(
        "up", *system.locate(), "--port", "0", "--sign-in-with", "http://127.0.0.1:1", "--sign-in-client-id", "x", check=False
    )
    assert (done.returncode, "is not an https URL" in done.stderr) == (1, True), done.stderr


def parameter(url: str, name: str) -> str:
    """As it stands in the address."""
    return url.split(f"{name}=")[1].split("&")[0]


def escaped(url: str) -> str:
    return url.replace(":", "%3A").replace("/", "%2F")
