"""A relying party outside: verifies tokens by the published keys, which it keeps exactly as long as it may."""

import re
import threading
import time

import jwt

from .traffic import Traffic


class Validator:
    """Fetches the key set when its `max-age` is over, never because it meets an unknown key. For several threads."""

    def __init__(self, traffic: Traffic):
        self._traffic, self._lock = traffic, threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._until = 0.0
        self.max_age = 0
        self.fetches = 0

    def keys(self) -> dict[str, jwt.PyJWK]:
        with self._lock:
            if time.monotonic() >= self._until:
                # The answer is as old as its request (RFC 9111 section 4.2.3).
                asked = time.monotonic()
                answer = self._traffic.key_set()
                self.max_age = int(re.search(r"max-age=(\d+)", answer.headers["cache-control"]).group(1))
                self._until = asked + self.max_age
                self._keys = {key["kid"]: jwt.PyJWK(key, "RS256") for key in answer.json()["keys"]}
                self.fetches += 1
            return self._keys

    def accepts(self, token: str) -> bool:
        """Whether the signature is one of a published key, and the token's time is now."""
        key = self.keys().get(jwt.get_unverified_header(token)["kid"])
        if key is None:
            return False
        try:
            jwt.decode(token, key, ["RS256"], options={"verify_aud": False})
        except jwt.InvalidTokenError:
            return False
        return True
