"""Remembers every secret the tests came to hold, and finds secrets in text that must hold none."""

import re
from dataclasses import dataclass, field

# Shapes of secrets nobody handed us: tokens, private keys, and the API keys that Azure marks so that scanners find them.
SHAPES = {
    "JSON web token": re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "private JWK member": re.compile(r'"(?:d|dp|dq|qi)"\s*:\s*"[A-Za-z0-9_-]{20,}"'),
    "API key": re.compile(r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}"),
}
SHORTEST_SECRET = 16


@dataclass
class Memory:
    """Secrets by value, each with what it is; the value is never printed."""

    known: dict[str, str] = field(default_factory=dict)

    def remember(self, what: str, value: str) -> str:
        assert len(value) >= SHORTEST_SECRET, f"a {what} of {len(value)} characters is no secret"
        self.known[value] = what
        return value

    def found_in(self, text: str) -> list[str]:
        """What kinds of secret occur in `text`."""
        by_value = {what for value, what in self.known.items() if value in text}
        by_shape = {what for what, shape in SHAPES.items() if shape.search(text)}
        return sorted(by_value | by_shape)

    def known_in(self, data: bytes) -> list[str]:
        """What remembered secrets occur in `data`, whatever its format."""
        return sorted({what for value, what in self.known.items() if value.encode() in data})
