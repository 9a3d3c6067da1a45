"""Where a program dies: the plan that `crash.c`, preloaded into it, follows."""

import json
import mmap
import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path

# What becomes of the change at which the program dies.
NOT_AT_ALL, BY_HALF, WHOLE = range(3)


class CrashPlan:
    """Shared with a running program, so that a test chooses the moment."""

    def __init__(self, library: Path, folder: Path):
        file = folder / "crash-plan"
        file.write_bytes(bytes(16))
        self.env = {"LD_PRELOAD": str(library), "CRASH_FILE": str(file)}
        with open(file, "r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 16)
        self._armed = False

    def die_at(self, change: int, how: int) -> None:
        """At the change of a file of that number, counted from now."""
        self._armed = change > 0
        self._shared[8:16] = struct.pack("q", how)
        self._shared[:8] = struct.pack("q", change)

    def live(self) -> bool:
        """Takes the plan back. True when it is too late: the program has met its last change."""
        too_late = self._armed and self._shared[:8] == bytes(8)
        self.die_at(0, NOT_AT_ALL)
        return too_late


def signing_keys_on_disk(data: Path) -> list[dict]:
    """The signing keys as a dead program left them, before anybody repairs anything: read from a copy."""
    with tempfile.TemporaryDirectory() as folder:
        for file in data.glob("state.db*"):
            shutil.copy(file, folder)
        database = Path(folder) / "state.db"
        if not database.exists():
            return []
        connection = sqlite3.connect(database)
        try:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
            rows = connection.execute("SELECT body FROM documents").fetchall() if "documents" in tables else []
        finally:
            connection.close()
    bodies = [json.loads(body) for (body,) in rows]
    return [body for body in bodies if "kid" in body and "private" in body]
