"""Answers about a study that take long to compute: once for all who ask, until something happens to the study."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass

#: What happens without an event, such as a score on the test split, is seen after so long.
LONGEST_S = 10.0
_MOST = 100


@dataclass(frozen=True, kw_only=True)
class _Entry:
    last_event_id: int
    computed_at_s: float
    answer: "Future[bytes]"


class AnswerCache:
    """The last answers, as bytes. Those who ask for one that is being computed wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: Hashable, *, last_event_id: int, compute: Callable[[], bytes]) -> bytes:
        """The answer to a question about a study whose latest event has this id."""
        with self._lock:
            entry = self._entries.get(question)
            now_s = time.monotonic()
            is_old = entry is None or entry.last_event_id != last_event_id or now_s > entry.computed_at_s + LONGEST_S
            if is_old:
                entry = _Entry(last_event_id=last_event_id, computed_at_s=now_s, answer=Future())
                self._entries[question] = entry
                self._entries.move_to_end(question)
                if len(self._entries) > _MOST:
                    self._entries.popitem(last=False)
        assert entry is not None
        if is_old:
            try:
                entry.answer.set_result(compute())
            except BaseException as error:
                entry.answer.set_exception(error)
                with self._lock:
                    if self._entries.get(question) is entry:
                        del self._entries[question]
        return entry.answer.result()
