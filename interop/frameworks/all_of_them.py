"""Lets each program of this folder that is named ask, waits for a line on standard input, and lets each ask again.

Prints one JSON object per round: what each program was answered, or what its framework says went wrong. One process, because importing takes
longer than asking.
"""

import importlib
import json
import sys
from types import ModuleType


def outcome(program: ModuleType | Exception) -> dict[str, str]:
    try:
        if isinstance(program, Exception):
            raise program
        return {"answer": program.ask()}
    except Exception as error:  # Whatever the framework makes of a refusal is what its users see.
        return {"error": f"{type(error).__module__}.{type(error).__name__}: {error}"}


def loaded(name: str) -> ModuleType | Exception:
    try:
        return importlib.import_module(name)
    except Exception as error:
        return error


programs = {name: loaded(name) for name in sys.argv[1:]}
for _ in range(2):
    # The frameworks print as they like; a result is a line that begins so.
    print("\nresult", json.dumps({name: outcome(program) for name, program in programs.items()}), flush=True)
    sys.stdin.readline()
