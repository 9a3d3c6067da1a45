"""Files go to the model server as the official client sent them, under the model server's own name of the model."""

import base64

import pytest
from openai import BadRequestError

from support.clients import dated, v1

# No line of it is text; long enough to be under way while it is judged.
SOUND = bytes(range(256)) * 4000


@pytest.fixture(params=[dated, v1])
def client(request, system, demo):
    token = system.token("demo-app")
    return dated(system, demo["endpoint"], token=token) if request.param is dated else v1(system, demo["endpoint"], token)



@pytest.mark.parametrize("kind", ["transcriptions", "translations"])
def test_a_recording_arrives_whole_and_is_metered(kind, client, system, upstream):
    raw = getattr(client.audio, kind).with_raw_response.create(model="chat", file=("a.wav", SOUND), prompt="zwölf")
    served = upstream.requests[-1]
    assert served.path == f"/v1/audio/{kind}"
    assert served.form["file"] == SOUND
    assert served.form["prompt"].decode() == "zwölf"
    model = served.form["model"].decode()
    assert raw.parse().text == f"{model} heard {len(SOUND)} bytes"
    call = system.call(raw.headers["apim-request-id"])
    assert call["data"]["deployment"] == "chat"
    assert call["data"]["model"] == model
    assert call["data"]["promptTokens"] == len(SOUND)


def test_a_picture_is_edited(client, upstream):
    edited = client.images.edit(model="chat", image=("a.png", SOUND, "image/png"), prompt="a blue hat")
    model = upstream.requests[-1].form["model"].decode()
    assert base64.b64decode(edited.data[0].b64_json).decode() == f"{model}: a blue hat: {len(SOUND)} bytes"


def test_an_upload_without_a_deployment_goes_nowhere(system, demo, upstream):
    client = v1(system, demo["endpoint"], system.token("demo-app"))
    before = len(upstream.requests)
    with pytest.raises(BadRequestError) as refused:
        client.audio.transcriptions.create(model="", file=("a.wav", SOUND[:1000]), extra_body={"Model": "chat"})
    assert "model" in refused.value.message
    assert len(upstream.requests) == before
