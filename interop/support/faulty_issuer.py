"""Issuers in trouble: one that hangs, one that resets, one that fails, one whose certificate nobody signed."""

import contextlib
import socket
import struct
import threading
from pathlib import Path

from .issuer import Handler, Issuer


def hang(handler: Handler) -> None:
    """Says nothing until the caller gives up and closes."""
    with contextlib.suppress(OSError):
        handler.connection.settimeout(30)
        handler.connection.recv(1)


def reset(handler: Handler) -> None:
    """Ends the connection with RST instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def fail(handler: Handler) -> None:
    handler.answer({"error": "try again later"}, 500)


class FaultyIssuer(Issuer):
    """Mints tokens as issuers do, and answers every fetch of its documents with the fault. Counts fetches under way."""

    def __init__(self, folder: Path, fault=None):
        self.fetches, self.under_way, self.most_at_once = 0, 0, 0
        self._fault, self._lock = fault, threading.Lock()
        super().__init__(folder)

    def serve(self, handler: Handler) -> bool:
        if not self._fault:
            return False
        with self._lock:
            self.fetches += 1
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            self._fault(handler)
        finally:
            with self._lock:
                self.under_way -= 1
        return True
