"""A streamed answer passes through frame by frame, ends with its caller, and is metered."""

import pytest
from azure.identity import ClientSecretCredential
from openai import APIError

from support.clients import dated
from support.credentials import going_to
from support.keyless import AI_SCOPE
from support.upstream import HangsUpAfter, Stepwise

QUESTION = "one two three four"
WORDS = ["You", " said:", " one", " two", " three", " four"]
USAGE = {"promptTokens": 4, "completionTokens": 6}
PATIENCE_SECS = 5


@pytest.fixture
def open_stream(system, demo):
    """Starts a streamed chat; its raw form, because that has the id of the call."""
    client = dated(system, demo["endpoint"], token=system.token("demo-app"))

    def start(**options):
        return client.chat.completions.with_raw_response.create(
            model="chat", messages=[{"role": "user", "content": QUESTION}], stream=True, **options
        )

    return start


def text_of(chunks) -> list[str]:
    return [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]


def next_word(chunks) -> str:
    return next(text for chunk in chunks for text in text_of([chunk]))


def test_each_frame_arrives_before_the_next_is_sent(open_stream, upstream):
    with upstream.behaving(Stepwise()) as frames:
        chunks = iter(open_stream().parse())
        for number, word in enumerate(WORDS, start=1):
            assert next_word(chunks) == word
            assert frames.sent == number
            frames.step()
        frames.step(10)
        assert text_of(chunks) == []


def test_a_caller_who_leaves_cancels_the_upstream(open_stream, upstream):
    with upstream.behaving(Stepwise()) as frames:
        stream = open_stream().parse()
        assert next_word(iter(stream)) == "You"
        stream.close()
        assert frames.caller_left.wait(PATIENCE_SECS)
        assert frames.sent == 1


def test_a_caller_who_leaves_is_audited(open_stream, upstream, system):
    with upstream.behaving(Stepwise()) as frames:
        raw = open_stream()
        stream = raw.parse()
        next_word(iter(stream))
        stream.close()
        assert frames.caller_left.wait(PATIENCE_SECS)
    assert system.call(raw.headers["apim-request-id"], PATIENCE_SECS)["data"]["cancelled"] is True


@pytest.mark.parametrize("asked", [True, False])
def test_usage_is_audited_whether_or_not_the_caller_asks_for_it(asked, open_stream, system):
    raw = open_stream(**({"stream_options": {"include_usage": True}} if asked else {}))
    chunks = list(raw.parse())
    assert text_of(chunks) == WORDS
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == ([10] if asked else [])
    assert system.call(raw.headers["apim-request-id"])["data"].items() >= USAGE.items()


def test_an_upstream_that_breaks_off_is_not_taken_for_the_end(open_stream, upstream):
    with upstream.behaving(HangsUpAfter(2)):
        with pytest.raises(APIError):
            list(open_stream().parse())


def test_a_removed_role_ends_a_running_stream(system, operator, demo, directory, upstream):
    application = directory.create_application()
    assignment = operator.assign(application, demo["id"])
    secret = directory.add_secret(application)
    credential = ClientSecretCredential(system.ready["tenant_id"], application.client_id, secret, **going_to(system))
    client = dated(system, demo["endpoint"], token=credential.get_token(AI_SCOPE).token)
    with upstream.behaving(Stepwise()) as frames:
        raw = client.chat.completions.with_raw_response.create(
            model="chat", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        chunks = iter(raw.parse())
        assert next_word(chunks) == "You"
        operator.remove(demo["id"], assignment)
        # The model server says nothing more, so it is the change alone that ends the stream.
        with pytest.raises(APIError) as refused:
            next_word(chunks)
        assert refused.value.code == "PermissionDenied"
        assert frames.caller_left.wait(PATIENCE_SECS)
        assert frames.sent == 1
    call = system.call(raw.headers["apim-request-id"], PATIENCE_SECS)
    assert call["outcome"] == "denied"
    assert call["decision"]["because"].startswith("the answer was cut off: ")
