"""The load tool: one run of wrk, one dictionary of what it saw."""

import json
import os
import pathlib
import subprocess

from .processes import need

SCRIPT = pathlib.Path(__file__).parent.parent / "lua" / "load.lua"


def run(url, connections, seconds, method="GET", headers=None, body=None, tokens=None, save=None):
    """Drives `url` with closed-loop connections. Latencies in microseconds, as the client saw them.

    `tokens` is a file with one bearer token per line, each sent once; `save` receives the bodies of the answers.
    """
    env = {**os.environ, "RIG_METHOD": method}
    env["RIG_HEADERS"] = "\n".join(f"{name}: {value}" for name, value in (headers or {}).items())
    for name, value in (("RIG_BODY", body), ("RIG_TOKENS", tokens), ("RIG_SAVE", save)):
        env.pop(name, None)
        if value is not None:
            env[name] = str(value)
    command = [need("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", SCRIPT, url]
    done = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RIG "):
            result = json.loads(line[4:])
            result["per_second"] = result["requests"] / result["seconds"]
            return result
    raise RuntimeError(f"wrk reported nothing: {done.stdout}{done.stderr}")
