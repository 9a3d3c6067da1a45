"""The one place where tests let time pass: until something holds."""

import time

STEP_SECS = 0.02


def until(holds, within_secs: float = 10, why=lambda: "it did not come to that"):
    """What `holds()` returns, once that is true; `why` says what is wrong when it stays false."""
    deadline = time.monotonic() + within_secs
    while not (value := holds()):
        assert time.monotonic() < deadline, why()
        time.sleep(STEP_SECS)
    return value


def next_second() -> None:
    """A token says in whole seconds when it was issued, and one as old as a password or a revocation counts as older than it."""
    now = int(time.time())
    until(lambda: int(time.time()) > now)
