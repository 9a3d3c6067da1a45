"""`--gateway-http`: the gateway in plain HTTP for a TLS terminator on the same machine, and nothing else."""

from urllib.parse import urlsplit

import pytest
import requests
from openai import AzureOpenAI

from support.clients import ANSWER, API_VERSION, ask, refusal

PLAIN = requests.Session()
PLAIN.trust_env = False


@pytest.fixture(scope="module")
def plain(new_system):
    system = new_system().start("--gateway-http", "0")
    yield system
    assert system.stop() == 0


def client(system, identity: str) -> AzureOpenAI:
    endpoint = f"{system.ready['gateway_http']}/ai/demo-ai"
    token = system.token(identity)
    return AzureOpenAI(azure_endpoint=endpoint, api_version=API_VERSION, azure_ad_token=token, max_retries=0, timeout=20)


def test_a_caller_with_the_role_is_answered_and_audited(plain):
    caller = client(plain, "demo-app")
    assert ask(caller) == ANSWER
    call = plain.calls()[-1]
    assert (call["outcome"], call["source"]) == ("allowed", "127.0.0.1")
    assert call["data"]["deployment"] == "chat"


def test_a_caller_without_the_role_or_a_token_is_refused_and_audited(plain):
    status, body = refusal(client(plain, "operator"))
    assert (status, body["error"]["code"]) == (401, "PermissionDenied")
    url = f"{plain.ready['gateway_http']}/ai/demo-ai/openai/deployments/chat/chat/completions"
    answer = PLAIN.post(url, params={"api-version": API_VERSION}, json={"messages": []}, timeout=20)
    assert answer.status_code == 401
    assert [call["outcome"] for call in plain.calls()[-2:]] == ["denied", "denied"]


def test_no_other_plane_answers_there(plain):
    base = plain.ready["gateway_http"]
    for path in ["/subscriptions?api-version=2022-12-01", "/common/discovery/instance", "/v1.0/users", "/metrics", "/readyz"]:
        assert PLAIN.get(base + path, timeout=20).status_code == 404
    tenant = plain.ready["tenant_id"]
    token = PLAIN.post(f"{base}/{tenant}/oauth2/v2.0/token", data={"grant_type": "client_credentials"}, timeout=20)
    assert token.status_code == 404


def test_it_listens_on_loopback_only(plain):
    port = urlsplit(plain.ready["gateway_http"]).port
    assert urlsplit(plain.ready["gateway_http"]).hostname == "127.0.0.1"
    listening = set()
    for table, loopback in [("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "0" * 24 + "01000000")]:
        with open(table) as rows:
            for row in list(rows)[1:]:
                address, state = row.split()[1], row.split()[3]
                if state == "0A" and address.endswith(f":{port:04X}"):
                    listening.add(address.split(":")[0] == loopback)
    assert listening == {True}


def test_without_the_flag_there_is_no_plain_gateway(system):
    assert "gateway_http" not in system.ready
