"""Clients that send passwords to the sign-in page and do not wait for the answer."""

import re
import socket
import ssl
from urllib.parse import urlencode, urlsplit

import requests

AUTHORIZE = (
    "/organizations/oauth2/v2.0/authorize?client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&response_type=code"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A35625&scope=openid&code_challenge_method=S256"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)


def hang_up(system, name: str, attempts: int) -> None:
    """Sends passwords of people who do not exist, and closes each connection without waiting for the answer."""
    authority = system.ready["authority"]
    page = requests.get(authority + AUTHORIZE, verify=system.ready["ca_file"], timeout=10)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)[1]
    cookie = page.headers["set-cookie"].split(";")[0]
    where = urlsplit(authority)
    context = ssl.create_default_context(cafile=system.ready["ca_file"])
    for attempt in range(attempts):
        body = urlencode({"ticket": ticket, "username": f"nobody-{name}-{attempt}@keyless.local", "password": "wrong password"})
        head = f"POST /common/login HTTP/1.1\r\nHost: {where.netloc}\r\nOrigin: {authority}\r\nCookie: {cookie}\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((where.hostname, where.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=where.hostname) as connection:
                connection.sendall((head + body).encode())
