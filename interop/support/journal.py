"""What callers of a system were answered, kept to be held against its audit log."""

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

# So long after a caller left, the system has noticed.
NOTICED_SECS = 1


@dataclass(frozen=True)
class Answer:
    """An answer that began with 200, and when its call began and ended."""

    request_id: str
    whole: bool
    began: float
    ended: float


class Journal:
    """For several threads."""

    def __init__(self):
        self.answers: list[Answer] = []
        self.others: Counter[str] = Counter()
        self._whole = 0
        self._faults: list[tuple[str, float, float]] = []
        self._changed = threading.Condition()

    @contextmanager
    def during(self, fault: str):
        """A fault that may cost an answer in the middle its record."""
        began = time.monotonic()
        yield
        self._faults.append((fault, began, time.monotonic()))

    def met(self, answer: Answer) -> str | None:
        """The fault during which the answer was under way."""
        met = [fault for fault, began, ended in self._faults if answer.began <= ended and began <= answer.ended + NOTICED_SECS]
        return met[0] if met else None

    def answered(self, request_id: str, whole: bool, began: float) -> None:
        with self._changed:
            self.answers.append(Answer(request_id, whole, began, time.monotonic()))
            self._whole += whole
            self._changed.notify_all()

    def failed(self, how: str) -> None:
        """No answer began, or it was no 200."""
        with self._changed:
            self.others[how] += 1
            self._changed.notify_all()

    def wait_for_answers(self, more: int = 40, within_secs: float = 60) -> None:
        wanted = self._whole + more
        self._wait(lambda: self._whole >= wanted, within_secs)

    def wait_for_failures(self, *hows: str, more: int = 5, within_secs: float = 60) -> None:
        def failures() -> int:
            return sum(self.others[how] for how in hows)

        wanted = failures() + more
        self._wait(lambda: failures() >= wanted, within_secs)

    def _wait(self, holds, within_secs: float) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, within_secs), f"{self._whole} whole answers, {dict(self.others)}"
