"""Subject: something that can be timed."""

from collections.abc import Callable
from dataclasses import dataclass

from workers.latency.runtimes import Eager, Runtime, random_images

Run = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``open(threads)`` opens a fresh session and returns a function that runs one inference."""

    key: str
    open: Callable[[int], Run]


def model_subject(key: str, runtime: Runtime, model: bytes | Eager | None) -> Subject:
    """Time ``model``, of the kind that ``runtime`` takes, on images of random numbers. ModelError when opened, where
    that is impossible.
    """

    def open_session(threads: int) -> Run:
        session = runtime.open(model, threads)
        images = random_images(session)
        return lambda: session.run(images)

    return Subject(key=key, open=open_session)
