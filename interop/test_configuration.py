"""`keyless.toml`: what it opens, end to end; what overrides it; and every mistake at once."""

import base64
import json

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from openai import InternalServerError, RateLimitError

from support.clients import ANSWER, API_VERSION, ask, dated
from support.credentials import going_to
from support.directory import Directory
from support.keyless import AI_SCOPE
from support.operator import Operator
from support.other_https import make_certificate
from support.upstream import Upstream
from support.waiting import until

PLAIN = requests.Session()
PLAIN.trust_env = False


def configured(system, text: str):
    """Starts the system on a file; its ports and its model server stay the flags' that tests always give."""
    file = system.folder / "keyless.toml"
    file.write_text(text)
    return system.start("--config", str(file))


def lifetime(token: str) -> int:
    claims = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return claims["exp"] - claims["iat"]


def rest(system, path: str) -> dict:
    headers = {"authorization": f"Bearer {system.operator_token()}"}
    answer = requests.get(system.ready["control"] + path, headers=headers, verify=system.ready["ca_file"], timeout=20)
    assert answer.ok, answer.text
    return answer.json()


def test_an_identity_beyond_its_own_limit_waits_and_others_do_not(new_system):
    system = configured(new_system(), "[gateway]\nidentity_requests_per_minute = 2\n")
    limited = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    answered = 0
    # A minute may turn over between two calls, never twice.
    with pytest.raises(RateLimitError) as refused:
        for _ in range(5):
            assert ask(limited) == ANSWER
            answered += 1
    assert refused.value.status_code == 429 and answered in (2, 3, 4)
    operator = Operator(system)
    other = operator.create_caller(system.account("demo-ai")["id"])
    assert ask(dated(system, system.account("demo-ai")["endpoint"], token=system.token(other.name))) == ANSWER
    assert system.stop() == 0


def test_an_account_answers_under_its_name_in_the_wildcard_domain(new_system):
    system = configured(new_system(), '[listen]\ngateway_http = 0\nwildcard_domain = "ai.example.com"\n')
    account = rest(system, f"{system.account('demo-ai')['id']}?api-version=2024-10-01")
    assert account["properties"]["endpoint"] == "https://demo-ai.openai.ai.example.com/"
    token = system.token("demo-app")
    url = f"{system.ready['gateway_http']}/openai/deployments/chat/chat/completions"
    for host, status in [("demo-ai.openai.ai.example.com", 200), ("other.openai.ai.example.com", 404), ("demo-ai.openai.example.com", 404)]:
        headers = {"authorization": f"Bearer {token}", "host": host}
        answer = PLAIN.post(
            url, params={"api-version": API_VERSION}, json={"messages": [{"role": "user", "content": "x"}]}, headers=headers, timeout=20
        )
        assert (answer.status_code == 200) == (status == 200), (host, answer.text)
    assert system.stop() == 0


def test_a_deployment_goes_to_the_server_it_names_under_that_servers_own_certificate(new_system, upstream, tmp_path):
    root, identity = tmp_path / "root.pem", tmp_path / "server.pem"
    make_certificate(root, identity)
    make_certificate(tmp_path / "stranger.pem", tmp_path / "unused.pem")
    gpu = Upstream(("big",), strict=True, identity=identity)
    server = f'url = "{gpu.url}"\nmodels = ["big"]\nca'
    text = f'[upstreams.gpu]\n{server} = "{root}"\n[upstreams.stranger]\n{server} = "{tmp_path / "stranger.pem"}"\n'
    system = configured(new_system(), text)
    create = ["deployment", "create", "--json", *system.locate(), "--model"]
    system.command(*create, "big", "demo-ai/by-model")
    # A model that it does not have: only its name leads there, and one of its models stands in.
    system.command(*create, "small", "demo-ai/by-name", "--upstream", "gpu")
    system.command(*create, "big", "demo-ai/untrusted", "--upstream", "stranger")
    unknown = system.command(*create, "big", "demo-ai/unknown", "--upstream", "gpus", check=False)
    assert unknown.returncode == 1 and "default, gpu, stranger" in unknown.stderr, unknown.stderr

    client = dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app"))
    there, before = [len(gpu.requests), len(upstream.requests)]
    assert ask(client, deployment="by-model") == ask(client, deployment="by-name") == ANSWER
    assert [seen.json["model"] for seen in gpu.requests[there:] if seen.method == "POST"] == ["big", "big"]
    assert not [seen for seen in upstream.requests[before:] if seen.method == "POST"]
    with pytest.raises(InternalServerError) as refused:
        ask(client, deployment="untrusted")
    assert refused.value.status_code == 503
    assert ask(client) == ANSWER
    assert [seen for seen in upstream.requests[before:] if seen.method == "POST"], "the default server serves the rest"
    # One of them cannot be trusted, and that is said once it was asked.
    status = ["status", "--json", *system.locate()]
    shown = until(lambda: (done := system.command(*status, check=False)).returncode and done, 30)
    assert {one["name"] for one in json.loads(shown.stdout)["upstreams"]} == {"default", "gpu", "stranger"}
    assert system.stop() == 0
    gpu.close()


def test_lifetimes_quotas_pages_and_audiences_are_as_configured(new_system, tmp_path):
    text = """
[lifetimes]
identity_token = "20m"
owner_token = "7m"
outside_token = "3m"
application_token = "10m"
application_token_spread = "1s"
[quotas]
federated_credentials = 21
[control]
page_size = 1
cloud_name = "corp"
[authority]
federation_audiences = ["sts.example"]
"""
    system = configured(new_system(), text)
    assert lifetime(system.token("demo-app")) == 20 * 60
    owners = ["token", "--as", "demo-app", *system.locate()]
    assert lifetime(system.command(*owners).stdout.strip()) == 7 * 60
    assert lifetime(system.command(*owners, "--audience", "sts.example").stdout.strip()) == 3 * 60

    directory = Directory(system)
    application = directory.create_application()
    certificate = directory.add_certificate(application, tmp_path)
    who = (system.ready["tenant_id"], application.client_id, str(certificate.pem_file))
    token = CertificateCredential(*who, **going_to(system)).get_token(AI_SCOPE).token
    assert lifetime(token) in (600, 601)

    def trust(number: int) -> None:
        issuer = "https://token.actions.githubusercontent.com"
        credential = {"name": f"cred{number}", "issuer": issuer, "subject": f"s{number}", "audiences": ["api://AzureADTokenExchange"]}
        directory.ask("POST", f"applications/{application.id}/federatedIdentityCredentials", credential)

    for number in range(21):
        trust(number)
    with pytest.raises(AssertionError, match="at most 21"):
        trust(21)

    identities = f"/subscriptions/{system.ready['subscription_id']}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    page = rest(system, f"{identities}?api-version=2023-01-31")
    assert (len(page["value"]), "nextLink" in page) == (1, True)
    assert rest(system, "/metadata/endpoints?api-version=2022-09-01")["name"] == "corp"

    # MSAL addresses its assertions to the token endpoint.
    assert system.stop() == 0
    configured(system, text + 'assertion_audience = "issuer"\n')
    with pytest.raises(ClientAuthenticationError, match="AADSTS"):
        CertificateCredential(*who, **going_to(system)).get_token(AI_SCOPE)
    assert system.stop() == 0


def test_a_variable_overrides_the_file_and_a_flag_overrides_both(new_system):
    system = configured(new_system(), '[lifetimes]\nowner_token = "7m"\n[process]\nworkers = 3\n')
    shown = ["config", "show", "--json", "--config", str(system.folder / "keyless.toml"), *system.locate()]
    options = {"env": {"KEYLESS_LIFETIMES_OWNER_TOKEN": "8m", "KEYLESS_PROCESS_WORKERS": "2", "HOME": str(system.folder)}}
    rows = json.loads(system.command(*shown, "--workers", "1", **options).stdout)
    found = {row["setting"]: (row["value"], row["from"].rsplit("/", 1)[-1]) for row in rows}
    assert found["lifetimes.owner_token"] == ("8m", "KEYLESS_LIFETIMES_OWNER_TOKEN")
    assert found["process.workers"] == (1, "--workers")
    assert found["data"] == (str(system.data), "--data")
    assert found["lifetimes.id_token"] == ("1h", "default")
    assert system.stop() == 0
    system.start("--config", str(system.folder / "keyless.toml"), env={"KEYLESS_LIFETIMES_OWNER_TOKEN": "8m"})
    assert lifetime(system.command("token", "--as", "demo-app", *system.locate()).stdout.strip()) == 8 * 60
    assert system.stop() == 0


def test_serve_starts_with_nothing_to_try(new_system):
    system = new_system()
    system.verb = "serve"
    configured(system, "")
    assert (system.ready["accounts"], [identity["name"] for identity in system.ready["identities"]]) == ([], ["operator", "this-host"])
    assert rest(system, f"/subscriptions/{system.ready['subscription_id']}?api-version=2022-12-01")["state"] == "Enabled"
    assert system.stop() == 0


def test_every_mistake_is_told_at_once_before_anything_is_made(new_system):
    system = new_system()
    file = system.folder / "keyless.toml"
    file.write_text('[listen]\nhttps = "0.0.0.0:1"\n[trust]\nissuer_ca = "none.pem"\n[lifetimes]\nowner = "1h"\n')
    told = [f"{file}:2:1: listen.https: ", f"{file}:4:1: trust.issuer_ca: ", f"{file}:6:1: lifetimes.owner: "]
    for command in (["up"], ["serve"], ["config", "check"]):
        done = system.command(*command, "--config", str(file), *system.locate(), check=False)
        assert done.returncode == 2 and all(place in done.stderr for place in told), done.stderr
    assert not system.data.exists()
    done = system.command("config", "check", "--config", str(system.folder / "none.toml"), check=False)
    assert done.returncode == 1 and "cannot be read" in done.stderr
