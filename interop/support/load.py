"""Many callers at once, who write down each call that was answered."""

import threading
from concurrent.futures import ThreadPoolExecutor

from openai import APIConnectionError, OpenAI

from .clients import ANSWER, ask_with_id


class Load:
    """Calls from `callers` threads until the system stops answering; then `answered` is complete."""

    def __init__(self, client: OpenAI, callers: int = 6):
        self.answered: list[str] = []
        self._client, self._enough, self._wanted = client, threading.Event(), 0
        self._pool = ThreadPoolExecutor(callers)
        self._calls = [self._pool.submit(self._call) for _ in range(callers)]

    def _call(self) -> None:
        try:
            while True:
                answer, request_id = ask_with_id(self._client)
                assert answer == ANSWER
                self.answered.append(request_id)
                if len(self.answered) >= self._wanted > 0:
                    self._enough.set()
        except APIConnectionError:
            return

    def wait_for(self, calls: int, timeout: float) -> None:
        self._wanted = calls
        assert self._enough.wait(timeout), f"only {len(self.answered)} calls answered in {timeout} s"

    def finish(self) -> list[str]:
        """Waits for every caller to notice; a failure that is not a broken connection is raised here."""
        for call in self._calls:
            call.result(30)
        self._pool.shutdown()
        return self.answered
