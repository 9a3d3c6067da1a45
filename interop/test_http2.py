"""HTTP/2, as most clients of other languages speak it: the same answers, refusals and limits as over HTTP/1."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.upstream import Stepwise

PROGRAM = Path(__file__).parent / "support" / "programs" / "http2.js"
CHAT = "/openai/deployments/chat/chat/completions?api-version=2024-10-21"
QUESTION = "one two three"


@pytest.fixture
def over_http2(system):
    def ask(*tasks: dict) -> tuple[dict, list[dict]]:
        node = os.environ["KEYLESS_INTEROP_NODE"]
        lines = "\n".join(json.dumps(task) for task in tasks)
        done = subprocess.run(
            [node, str(PROGRAM), system.ready["gateway"], system.ready["ca_file"]],
            input=lines,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        settings, *answers = [json.loads(line) for line in done.stdout.splitlines()]
        return settings, answers

    return ask


@pytest.fixture
def chat(system, demo):
    """A task that asks the demo account's model."""
    path = demo["endpoint"].removeprefix(system.ready["gateway"]).rstrip("/") + CHAT

    def task(token: str, **options) -> dict:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        stream = options.pop("stream", False)
        body = {"messages": [{"role": "user", "content": QUESTION}], "stream": stream}
        return {"path": path, "method": "POST", "headers": headers, "body": json.dumps(body)} | options

    return task


def test_many_calls_at_once_on_one_connection(over_http2, chat, system):
    settings, answers = over_http2(*[chat(system.token("demo-app"))] * 30)
    assert settings["maxConcurrentStreams"] == 100
    said = {json.loads(answer["body"])["choices"][0]["message"]["content"] for answer in answers}
    assert said == {f"You said: {QUESTION}"} and {answer["status"] for answer in answers} == {200}
    assert all(int(answer["headers"]["content-length"]) == len(answer["body"]) for answer in answers)


def test_a_stream_arrives_whole(over_http2, chat, system):
    _, [answer] = over_http2(chat(system.token("demo-app"), stream=True))
    assert answer["status"] == 200 and answer["body"].endswith("data: [DONE]\n\n")
    assert answer["headers"]["content-type"].startswith("text/event-stream")


def test_a_cancelled_stream_cancels_the_upstream_and_is_audited(over_http2, chat, system, upstream):
    with upstream.behaving(Stepwise()) as frames:
        _, [answer] = over_http2(chat(system.token("demo-app"), stream=True, cancelAfter="You"))
        assert frames.caller_left.wait(5) and frames.sent == 1
    assert system.call(answer["headers"]["apim-request-id"], 5)["data"]["cancelled"] is True


def test_refusals_are_those_of_http1(over_http2, chat, system, operator):
    stranger = operator.create_identity()
    _, [forbidden, wrong] = over_http2(chat(system.token(stranger.name)), chat("no-token"))
    assert (forbidden["status"], json.loads(forbidden["body"])["error"]["code"]) == (401, "PermissionDenied")
    assert wrong["status"] == 401 and "choices" not in wrong["body"]


def test_heads_with_too_many_or_too_large_fields_are_refused_n81(over_http2):
    many = {"path": "/subscriptions", "headers": {f"x-{number}": "1" for number in range(101)}}
    large = {"path": "/subscriptions", "headers": {"x-large": "a" * 150_000}}
    _, [answer] = over_http2(many)
    assert answer["status"] == 431
    _, [answer] = over_http2(large)
    refusals = [(431, None), (None, "ERR_HTTP2_STREAM_ERROR")]
    assert (answer["status"], answer["error"]) in refusals, "refused by status, or with the stream; the connection lives"
    # The same client, within bounds: the refusal was for the head.
    _, [answer] = over_http2({"path": "/subscriptions", "headers": {"x-one": "1"}})
    assert answer["status"] == 401
