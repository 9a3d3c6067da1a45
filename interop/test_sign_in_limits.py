"""Strangers at the sign-in page: what they can make the system do, and what it remembers of it."""

import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import requests

AUTHORIZE = (
    "/organizations/oauth2/v2.0/authorize?client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&response_type=code"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A35625&scope=openid&code_challenge_method=S256"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)
CLIENTS, ATTEMPTS = 24, 4
# Two hashes of 19 MiB each, and as much again for connections and the allocator. Unbounded, these clients took 240 to 395 MiB.
MOST_MIB = 90


def peak_mib(pid: int) -> int:
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def hang_up(system, number: int) -> None:
    """Sends passwords, and closes each connection without waiting for the answer."""
    authority = system.ready["authority"]
    page = requests.get(authority + AUTHORIZE, verify=system.ready["ca_file"], timeout=10)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)[1]
    cookie = page.headers["set-cookie"].split(";")[0]
    where = urlsplit(authority)
    context = ssl.create_default_context(cafile=system.ready["ca_file"])
    for attempt in range(ATTEMPTS):
        body = urlencode({"ticket": ticket, "username": f"nobody-{number}-{attempt}@keyless.local", "password": "wrong password"})
        head = f"POST /common/login HTTP/1.1\r\nHost: {where.netloc}\r\nOrigin: {authority}\r\nCookie: {cookie}\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((where.hostname, where.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=where.hostname) as connection:
                connection.sendall((head + body).encode())


def test_clients_that_hang_up_during_a_sign_in_take_no_more_memory_and_are_recorded_i1(new_system):
    system = new_system().start()
    before = peak_mib(system.process.pid)
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda number: hang_up(system, number), range(CLIENTS)))
    # The owner is not in the strangers' line: this returns when a place is free, and so after the hashes that ran.
    system.command("user", "add", "ada@keyless.localhost", *system.locate(), input="Correct-horse-battery-1")
    grown = peak_mib(system.process.pid) - before
    assert grown < MOST_MIB, f"{grown} MiB more than before"
    attempts = [event for event in system.audit() if event["operation"] == "User_SignIn"]
    # Of the many alike the first few are written one by one, the others as a number.
    assert any("hung up" in event["decision"]["because"] for event in attempts)
    assert system.stop() == 0
