"""What the stub upstream says, in the shapes of OpenAI's API: a pure function from a request to an answer."""

import base64
import json
import struct

EMBEDDING_DIMENSIONS = 8


def words(text: str) -> int:
    return len(text.split())


def last_message(messages: list[dict]) -> str:
    content = messages[-1]["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def reply_to(text: str) -> str:
    return f"You said: {text}"


def chat_usage(prompt: str, reply: str) -> dict:
    return {
        "prompt_tokens": words(prompt),
        "completion_tokens": words(reply),
        "total_tokens": words(prompt) + words(reply),
    }


def word_deltas(text: str) -> list[str]:
    """The words of `text`, each but the first with the space before it, as a tokenizer would cut them."""
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def event(body: dict) -> str:
    return f"data: {json.dumps(body)}\n\n"


def chat_completion(request: dict) -> dict:
    prompt = last_message(request["messages"])
    # Whoever wants JSON gives it, and gets it back.
    reply = prompt if "response_format" in request else reply_to(prompt)
    base = {"id": "chatcmpl-stub", "created": 1700000000, "model": "stub"}
    if not request.get("stream"):
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return base | {"object": "chat.completion", "choices": [choice], "usage": chat_usage(prompt, reply)}

    def chunk(delta: dict, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event(base | {"object": "chat.completion.chunk", "choices": [choice]})

    first, *rest = word_deltas(reply)
    frames = [chunk({"role": "assistant", "content": first})]
    frames += [chunk({"content": word}) for word in rest]
    frames.append(chunk({}, "stop"))
    if (request.get("stream_options") or {}).get("include_usage"):
        frames.append(
            event(base | {"object": "chat.completion.chunk", "choices": [], "usage": chat_usage(prompt, reply)})
        )
    return {"frames": [*frames, "data: [DONE]\n\n"]}


def completion(request: dict) -> dict:
    prompt = request["prompt"] if isinstance(request["prompt"], str) else request["prompt"][0]
    reply = reply_to(prompt)
    choice = {"index": 0, "text": reply, "finish_reason": "stop", "logprobs": None}
    base = {"id": "cmpl-stub", "object": "text_completion", "created": 1700000000, "model": "stub"}
    return base | {"choices": [choice], "usage": chat_usage(prompt, reply)}


def embeddings(request: dict) -> dict:
    inputs = [request["input"]] if isinstance(request["input"], str) else request["input"]

    def vector(text: str) -> list[float]:
        return [1.0 + text.count(letter) for letter in "aeioustn"[:EMBEDDING_DIMENSIONS]]

    def encoded(text: str) -> str | list[float]:
        floats = vector(text)
        if request.get("encoding_format") == "base64":
            return base64.b64encode(struct.pack(f"<{len(floats)}f", *floats)).decode()
        return floats

    data = [{"object": "embedding", "index": index, "embedding": encoded(text)} for index, text in enumerate(inputs)]
    count = sum(map(words, inputs))
    return {"object": "list", "data": data, "model": "stub", "usage": {"prompt_tokens": count, "total_tokens": count}}


def response(request: dict) -> dict:
    prompt = request["input"] if isinstance(request["input"], str) else last_message(request["input"])
    reply = reply_to(prompt)
    text = {"type": "output_text", "text": reply, "annotations": []}
    message = {"type": "message", "id": "msg_stub", "role": "assistant", "status": "completed", "content": [text]}
    usage = {"input_tokens": words(prompt), "output_tokens": words(reply), "total_tokens": words(prompt) + words(reply)}
    body = {
        "id": "resp_stub",
        "object": "response",
        "created_at": 1700000000,
        "model": "stub",
        "status": "completed",
        "output": [message],
        "usage": usage,
    }
    if not request.get("stream"):
        return body

    events = [
        ("response.created", {"response": body | {"status": "in_progress", "output": []}}),
        ("response.output_item.added", {"output_index": 0, "item": message | {"status": "in_progress", "content": []}}),
        ("response.content_part.added", IN_MESSAGE | {"part": text | {"text": ""}}),
        *(("response.output_text.delta", IN_MESSAGE | {"delta": delta}) for delta in word_deltas(reply)),
        ("response.output_text.done", IN_MESSAGE | {"text": reply}),
        ("response.content_part.done", IN_MESSAGE | {"part": text}),
        ("response.output_item.done", {"output_index": 0, "item": message}),
        ("response.completed", {"response": body}),
    ]
    return {
        "frames": [
            f"event: {kind}\n" + event({"type": kind, "sequence_number": number} | fields)
            for number, (kind, fields) in enumerate(events)
        ]
    }


IN_MESSAGE = {"item_id": "msg_stub", "output_index": 0, "content_index": 0}

def transcript(fields: dict) -> dict:
    """Says of an upload what arrived: enough for a test to hold it against what was sent."""
    size = len(fields["file"])
    return {"text": f"{fields['model'].decode()} heard {size} bytes", "usage": {"input_tokens": size, "output_tokens": 1}}


def edited_image(fields: dict) -> dict:
    said = f"{fields['model'].decode()}: {fields['prompt'].decode()}: {len(fields['image'])} bytes"
    return {"created": 0, "data": [{"b64_json": base64.b64encode(said.encode()).decode()}]}


UPLOADS = {
    "/v1/audio/transcriptions": transcript,
    "/v1/audio/translations": transcript,
    "/v1/images/edits": edited_image,
}

ROUTES = {
    "/v1/chat/completions": chat_completion,
    "/v1/completions": completion,
    "/v1/embeddings": embeddings,
    "/v1/responses": response,
}
