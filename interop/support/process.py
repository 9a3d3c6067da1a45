"""What Linux says of a running program."""

import os
from pathlib import Path

LISTENS = "0A"


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(pid: int) -> list[str]:
    """What each open descriptor is."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(entry))
        except FileNotFoundError:
            # It was closed since the folder was listed.
            continue
    return found


def connections(pid: int) -> int:
    """The TCP sockets of a program that do not listen."""
    rows = [row.split() for family in ("tcp", "tcp6") for row in Path(f"/proc/{pid}/net/{family}").read_text().splitlines()[1:]]
    connected = {f"socket:[{row[9]}]" for row in rows if row[3] != LISTENS}
    return len(connected.intersection(descriptors(pid)))
