#!/usr/bin/env python3
"""An upstream that streams: `sse.py PORT`. Each frame carries the time it left, so that a reader knows how long it travelled.

The `user` field of the request chooses: "first" (one frame, then the end), "paced" (20 frames, 2 ms apart), "idle" (one frame, then
silence until the client leaves).
"""

import asyncio
import json
import sys
import time

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
END = b"data: [DONE]\n\n"
FRAMES, PAUSE = 20, 0.002


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def frame():
    """One chunk of a completion; `created` holds nanoseconds of the machine's monotonic clock."""
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": time.monotonic_ns(), "model": "bench",
             "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}
    return chunk(b"data: " + json.dumps(event).encode() + b"\n\n")


class Stream(asyncio.Protocol):
    """One connection, any number of requests one after the other."""

    def connection_made(self, transport):
        self.transport, self.buffer, self.task = transport, b"", None

    def connection_lost(self, _):
        if self.task:
            self.task.cancel()

    def data_received(self, data):
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
            if line.startswith(b"transfer-encoding:") and b"chunked" in line:
                # Only the end matters here; the request is small.
                length = len(rest) if rest.endswith(b"0\r\n\r\n") else sys.maxsize
        if len(rest) < length:
            return
        self.buffer = b""
        if head.startswith(b"GET"):
            body = json.dumps({"object": "list", "data": [{"id": "chat", "object": "model"}]}).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        elif b'"idle"' in rest:
            self.transport.write(HEAD + frame())
        elif b'"paced"' in rest:
            self.task = asyncio.ensure_future(self.paced())
        else:
            self.transport.write(HEAD + frame())
            self.transport.write(chunk(END) + b"0\r\n\r\n")

    async def paced(self):
        self.transport.write(HEAD)
        for _ in range(FRAMES):
            self.transport.write(frame())
            await asyncio.sleep(PAUSE)
        self.transport.write(chunk(END) + b"0\r\n\r\n")


async def main():
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
