"""Keyless as an issuer that others trust: a relying party of our own, and a second system, verify what it says of its workloads."""

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, ManagedIdentityCredential

from support.clients import ANSWER, ask, dated, refusal
from support.directory import Directory
from support.forge import claims_of, is_expired, resigned
from support.issuer import EXCHANGE
from support.keyless import AI_SCOPE, environment
from support.operator import Operator
from support.relying_party import RelyingParty

# What OpenID Connect Discovery 1.0 demands in section 3, and the endpoint that a code flow needs.
REQUIRED = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)
AUDIENCE = "https://sts.cloud.example"
TWO_HOURS_SECS = 7200


@pytest.fixture(scope="module")
def first(new_system):
    """Lets its workloads prove themselves to a cloud."""
    system = new_system().start("--federation-audience", AUDIENCE)
    yield system
    assert system.stop() == 0, system.log()


@pytest.fixture(scope="module")
def cloud(first):
    """Trusts one workload of the first system."""
    subject = first.identity("demo-app")["principal_id"]
    with RelyingParty(issuer(first), first.ready["ca_file"], AUDIENCE, subject) as cloud:
        yield cloud


def issuer(system) -> str:
    return f"{system.ready['authority']}/{system.ready['tenant_id']}/v2.0"


def token(system, audience: str, identity: str = "demo-app") -> str:
    """As the owner asks for it."""
    done = system.command("token", "--as", identity, "--audience", audience, *system.locate())
    return system.memory.remember("workload identity token", done.stdout.strip())


def refused(answer) -> str:
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    return answer.json()["error_description"]


# --- what a relying party finds ---


def test_discovery_has_what_the_standard_demands(first, cloud):
    for name in REQUIRED:
        assert cloud.discovery[name], name
    assert "RS256" in cloud.discovery["id_token_signing_alg_values_supported"]
    keys = requests.get(cloud.discovery["jwks_uri"], verify=first.ready["ca_file"], timeout=10).json()["keys"]
    for key in keys:
        assert {"kty", "use", "kid", "alg", "n", "e"} <= key.keys()
        assert not {"d", "p", "q"} & key.keys()


def test_a_token_says_who_for_whom_and_for_how_long(first):
    claims = claims_of(token(first, AUDIENCE))
    demo = first.identity("demo-app")
    assert (claims["iss"], claims["aud"], claims["sub"]) == (issuer(first), AUDIENCE, demo["principal_id"])
    assert claims["xms_mirid"].casefold() == demo["id"].casefold()
    assert claims["exp"] - claims["iat"] == 900
    assert {"azp", "appid", "ver", "scp"} & claims.keys() == set()
    assert claims_of(token(first, AUDIENCE))["jti"] != claims["jti"]


# --- a cloud's token service ---


def test_the_cloud_accepts_its_workload(first, cloud):
    answer = cloud.exchange(token(first, AUDIENCE))
    assert answer.json()["access_token"] == f"for {first.identity('demo-app')['principal_id']}"


def test_the_cloud_accepts_what_the_workload_got_by_itself(first, cloud):
    """Inside `keyless run`, and with Azure's own library: nobody handed the program a token."""
    inside = first.run("demo-app", str(first.binary), "token", "--audience", AUDIENCE)
    assert cloud.exchange(inside.stdout.strip()).status_code == 200
    variables = first.env("demo-app")
    with environment(variables):
        credential = ManagedIdentityCredential(client_id=variables["AZURE_CLIENT_ID"])
        assert cloud.exchange(credential.get_token(f"{AUDIENCE}/.default").token).status_code == 200


def test_the_cloud_refuses_another_audience_subject_or_signature(first, cloud):
    assert refused(cloud.exchange(token(first, "https://sts.other.example"))) == "InvalidAudienceError"
    assert refused(cloud.exchange(token(first, AUDIENCE, "operator"))) == "UnknownSubject"
    assert refused(cloud.exchange(resigned(token(first, AUDIENCE)))) == "InvalidSignatureError"
    assert refused(cloud.exchange(resigned(token(first, AUDIENCE), {"kid": "x"}))) == "PyJWKClientError"


def test_the_cloud_refuses_an_access_token_of_ours(first, cloud):
    assert refused(cloud.exchange(first.token("demo-app"))) == "MissingRequiredClaimError"


def test_the_cloud_refuses_an_expired_token(new_system, clock_shim):
    system = new_system().start(env={"LD_PRELOAD": str(clock_shim), "CLOCK_OFFSET_SECS": str(-TWO_HOURS_SECS)})
    try:
        expired = token(system, AUDIENCE)
        assert is_expired(expired)
        subject = system.identity("demo-app")["principal_id"]
        with RelyingParty(issuer(system), system.ready["ca_file"], AUDIENCE, subject) as cloud:
            assert refused(cloud.exchange(expired)) == "ExpiredSignatureError"
    finally:
        assert system.stop() == 0


# --- our own planes and audiences ---


def test_no_plane_of_ours_takes_such_a_token(first):
    for audience in (EXCHANGE, AUDIENCE):
        outside = token(first, audience)
        status, _ = refusal(dated(first, first.account("demo-ai")["endpoint"], token=outside))
        assert status == 401
        url = f"{first.ready['control']}/subscriptions?api-version=2022-12-01"
        headers = {"Authorization": f"Bearer {outside}"}
        assert requests.get(url, headers=headers, verify=first.ready["ca_file"], timeout=10).status_code == 401


def test_our_own_audiences_are_no_audiences_outside(first):
    base = first.ready["authority"]
    ours = [
        "https://cognitiveservices.azure.com",
        "https://COGNITIVESERVICES.azure.com/",
        "https://management.azure.com/anything",
        base,
        f"{base}/ai/demo-ai",
        "",
        "two words",
    ]
    for audience in ours:
        done = first.command("token", "--as", "demo-app", "--audience", audience, *first.locate(), check=False)
        assert (done.returncode, done.stdout) == (1, ""), audience
        assert "tokens for others cannot be named so" in done.stderr


def test_a_workload_gets_tokens_for_the_operators_audiences_only(first):
    done = first.run("demo-app", str(first.binary), "token", "--audience", "https://sts.other.example", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert first.run("demo-app", str(first.binary), "token", "--audience", EXCHANGE).stdout.startswith("eyJ")


def test_the_system_does_not_start_with_an_audience_of_its_own(new_system):
    system = new_system()
    ours = ("--federation-audience", "https://cognitiveservices.azure.com")
    done = system.command("up", *system.locate(), "--port", "0", "--built-in", *ours, check=False)
    assert done.returncode == 1
    assert "https://cognitiveservices.azure.com" in done.stderr


# --- the whole circle ---


@pytest.fixture(scope="module")
def second(first, new_system):
    """Another company's system, which trusts the first one's issuer."""
    system = new_system().start("--trust-issuer", issuer(first), "--issuer-ca", first.ready["ca_file"])
    yield system
    assert system.stop() == 0, system.log()


@pytest.fixture(scope="module")
def guest(first, second):
    """An application there that the first system's demo-app may be."""
    directory = Directory(second)
    application = directory.create_application()
    Operator(second).assign(application, second.account("demo-ai")["id"])
    directory.trust(application, issuer(first), first.identity("demo-app")["principal_id"])
    return application


def credential(first, second, guest, identity: str = "demo-app", audience: str = EXCHANGE) -> ClientAssertionCredential:
    return ClientAssertionCredential(
        second.ready["tenant_id"],
        guest.client_id,
        lambda: token(first, audience, identity),
        authority=second.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=second.ready["ca_file"],
    )


def test_an_identity_of_one_system_calls_the_model_of_another(first, second, guest):
    access = credential(first, second, guest).get_token(AI_SCOPE).token
    second.memory.remember("access token", access)
    assert claims_of(access)["oid"] == guest.principal_id
    assert ask(dated(second, second.account("demo-ai")["endpoint"], token=access)) == ANSWER


@pytest.mark.parametrize(
    ("identity", "audience", "code"),
    [("operator", EXCHANGE, "AADSTS700213"), ("demo-app", AUDIENCE, "AADSTS700212")],
    ids=["another identity", "another audience"],
)
def test_the_other_system_refuses(identity, audience, code, first, second, guest):
    with pytest.raises(ClientAuthenticationError, match=code):
        credential(first, second, guest, identity, audience).get_token(AI_SCOPE)
