"""A model server in trouble is an error the client understands, and tells the caller nothing of what lies behind."""

import pytest
from openai import APIStatusError, APITimeoutError

from support.clients import ANSWER, ask, dated
from support.upstream import Dead, Failing, Slow


@pytest.fixture
def client(system, demo):
    return dated(system, demo["endpoint"], token=system.token("demo-app"))


def fails(client) -> APIStatusError:
    with pytest.raises(APIStatusError) as failure:
        ask(client)
    return failure.value


def test_an_upstream_that_hangs_up_is_a_bad_gateway(client, upstream):
    with upstream.behaving(Dead()):
        error = fails(client)
    assert error.status_code in (502, 503)
    assert error.response.json()["error"]["message"]
    assert upstream.url.removeprefix("http://") not in error.response.text


def test_an_upstream_that_is_gone_is_a_bad_gateway(new_system):
    nobody = "http://127.0.0.1:9"
    system = new_system(nobody).start()
    error = fails(dated(system, system.account("demo-ai")["endpoint"], token=system.token("demo-app")))
    assert error.status_code in (502, 503)
    assert "127.0.0.1:9" not in error.response.text
    assert system.stop() == 0


@pytest.mark.parametrize(("upstream_says", "caller_sees"), [(400, 400), (503, 503), (500, 502)])
def test_an_error_of_the_upstream_is_told_from_one_of_ours(upstream_says, caller_sees, client, upstream):
    with upstream.behaving(Failing(upstream_says)):
        assert fails(client).status_code == caller_sees


def test_how_long_to_wait_is_passed_on(client, upstream):
    with upstream.behaving(Failing(429, headers={"retry-after": "7"})):
        assert fails(client).response.headers["retry-after"] == "7"


def test_a_caller_who_gives_up_does_not_harm_the_next(client, upstream):
    with upstream.behaving(Slow(1.0)), pytest.raises(APITimeoutError):
        ask(client.with_options(timeout=0.2))
    assert ask(client) == ANSWER
