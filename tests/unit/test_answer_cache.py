"""Answers are computed once for each change of a study, and once for all who ask meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.views import answer_cache
from services.views.answer_cache import AnswerCache


class Counted:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        return b"%d" % self.times


def test_an_answer_is_computed_again_once_something_has_happened_to_its_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "LONGEST_S", 1000.0)
    cache, compute = AnswerCache(), Counted()
    assert [cache.get("front", last_event_id=7, compute=compute) for _ in range(3)] == [b"1"] * 3
    assert cache.get("front", last_event_id=8, compute=compute) == b"2"
    assert cache.get("points", last_event_id=8, compute=compute) == b"3"


def test_an_answer_is_computed_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "LONGEST_S", -1.0)
    cache, compute = AnswerCache(), Counted()
    assert [cache.get("front", last_event_id=7, compute=compute) for _ in range(2)] == [b"1", b"2"]


def test_those_who_ask_meanwhile_wait_for_the_same_answer() -> None:
    cache, begun, go, compute = AnswerCache(), threading.Event(), threading.Event(), Counted()

    def slow() -> bytes:
        begun.set()
        go.wait()
        return compute()

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(cache.get, "front", last_event_id=7, compute=slow) for _ in range(5)]
        begun.wait()
        go.set()
        assert [one.result() for one in asked] == [b"1"] * 5


def test_what_fails_is_told_to_all_and_computed_again() -> None:
    def fails() -> bytes:
        raise ValueError("no")

    cache = AnswerCache()
    with pytest.raises(ValueError, match="no"):
        cache.get("front", last_event_id=7, compute=fails)
    assert cache.get("front", last_event_id=7, compute=Counted()) == b"1"


def test_few_answers_are_kept() -> None:
    cache, compute = AnswerCache(), Counted()
    for number in range(1000):
        cache.get(number, last_event_id=7, compute=compute)
    assert len(cache) <= 100
