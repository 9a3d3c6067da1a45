"""The load tool: one run of wrk, one dictionary of what it saw."""

import json
import os
import pathlib
import signal
import subprocess

from .processes import need

SCRIPT = pathlib.Path(__file__).parent.parent / "lua" / "load.lua"
# Longer than any suite; whoever starts a background load ends it.
FOREVER = 3600


def run(url, connections, seconds, **request):
    """Drives `url` with closed-loop connections. Latencies in microseconds, as the client saw them. `request`: see `_start`."""
    process = _start(url, connections, seconds, **request)
    return _report(*process.communicate())


class Background:
    """The same load for as long as the `with` block lasts; then `result` is what `run` returns."""

    def __init__(self, url, connections, **request):
        self.process, self.result = _start(url, connections, FOREVER, **request), None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # wrk reports when it is interrupted.
        self.process.send_signal(signal.SIGINT)
        self.result = _report(*self.process.communicate())


def _start(url, connections, seconds, method="GET", headers=None, body=None, tokens=None, bodies=None, save=None):
    """`tokens` and `bodies` are files with one bearer token or body per line, each sent in turn; `save` receives the answers' bodies."""
    env = {**os.environ, "RIG_METHOD": method}
    env["RIG_HEADERS"] = "\n".join(f"{name}: {value}" for name, value in (headers or {}).items())
    for name, value in (("RIG_BODY", body), ("RIG_TOKENS", tokens), ("RIG_BODIES", bodies), ("RIG_SAVE", save)):
        env.pop(name, None)
        if value is not None:
            env[name] = str(value)
    command = [need("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", SCRIPT, url]
    return subprocess.Popen([str(part) for part in command], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _report(printed, complaints):
    for line in printed.splitlines():
        if line.startswith("RIG "):
            result = json.loads(line[4:])
            result["per_second"] = result["requests"] / result["seconds"]
            return result
    raise RuntimeError(f"wrk reported nothing: {printed}{complaints}")
