"""Tells a lost worker from an error that its code raised: only the error says anything about the task."""

from ray.exceptions import (
    LocalRayletDiedError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)

#: What Ray raises for a process or a node that died. Its memory monitor ends processes by OutOfMemoryError.
_LOST = (
    RayActorError,
    WorkerCrashedError,
    NodeDiedError,
    LocalRayletDiedError,
    OutOfMemoryError,
    ObjectLostError,
)


def worker_was_lost(error: BaseException | None) -> bool:
    """Whether a task ended because its worker died, or a process that its worker waited for, such as the slot."""
    if isinstance(error, RayTaskError):
        return isinstance(error.cause, _LOST)
    if isinstance(error, RayActorError) and error.actor_init_failed:
        return False
    return isinstance(error, _LOST)
