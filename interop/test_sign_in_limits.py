"""Strangers at the sign-in page: what they can make the system do, and what it remembers of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.hang_ups import hang_up

CLIENTS, ATTEMPTS = 24, 4
# Two hashes of 19 MiB each, and as much again for connections and the allocator. Unbounded, these clients took 240 to 395 MiB.
MOST_MIB = 90


def peak_mib(pid: int) -> int:
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def test_clients_that_hang_up_during_a_sign_in_take_no_more_memory_and_are_recorded_i1(new_system):
    system = new_system().start()
    before = peak_mib(system.process.pid)
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda number: hang_up(system, str(number), ATTEMPTS), range(CLIENTS)))
    # The owner is not in the strangers' line: this returns when a place is free, and so after the hashes that ran.
    system.command("user", "add", "ada@keyless.localhost", *system.locate(), input="Correct-horse-battery-1")
    grown = peak_mib(system.process.pid) - before
    assert grown < MOST_MIB, f"{grown} MiB more than before"
    attempts = [event for event in system.audit() if event["operation"] == "User_SignIn"]
    # Of the many alike the first few are written one by one, the others as a number.
    assert any("hung up" in event["decision"]["because"] for event in attempts)
    assert system.stop() == 0
