"""The compressors of a cluster: one Ray actor for each place that its nodes offer, as nodes come and go."""

from dataclasses import dataclass
from typing import Any

import ray
import structlog
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from workers.actors.compressor import Compressor

log = structlog.get_logger()
RESOURCE = "compression"
_ANSWER_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the task of a job: Compressor's ``result``, or the ``failure`` that it raised; ``lost`` is the
    worker's end, or its benchmark slot's, that says nothing of the task.
    """

    job_id: str
    result: dict[str, Any] | None = None
    failure: str | None = None
    lost: str | None = None


class Compressors:
    """Each compressor has one task at a time. ``adjust`` makes them as many as the places are now."""

    def __init__(self, worker: type[Any] = Compressor) -> None:
        self._worker = ray.remote(worker).options(num_cpus=0, resources={RESOURCE: 1})
        self._starting: dict[ray.ObjectRef[Any], Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[ray.ObjectRef[Any], tuple[Any, str]] = {}

    @property
    def places(self) -> int:
        """What the nodes of the cluster offer now."""
        return int(ray.cluster_resources().get(RESOURCE, 0))

    @property
    def free(self) -> int:
        """Compressors that have nothing to do."""
        return len(self._idle)

    def adjust(self) -> None:
        """Start what is missing and take in what has started."""
        # One may always wait for a place: a cluster that scales by demand adds a node for it.
        while self.free + len(self._starting) + len(self._busy) < max(self.places, 1):
            compressor = self._worker.remote()
            self._starting[compressor.__ray_ready__.remote()] = compressor
        started, _ = ray.wait(list(self._starting), num_returns=max(len(self._starting), 1), timeout=0)
        for answer in started:
            compressor = self._starting.pop(answer)
            if _answers(answer):
                self._idle.append(compressor)

    def take(self) -> Any | None:
        """A compressor that lives and has nothing to do, or None. One that its node has taken along is dropped."""
        while self._idle:
            compressor = self._idle.pop()
            if _answers(compressor.__ray_ready__.remote()):
                return compressor
            ray.kill(compressor)
        return None

    def start(self, compressor: Any, job_id: str, task: Any) -> None:
        self._busy[compressor.run.remote(task)] = (compressor, job_id)

    def give_back(self, compressor: Any) -> None:
        """Of one that was taken for nothing."""
        self._idle.append(compressor)

    def ended(self, *, timeout_s: float) -> list[Outcome]:
        """The outcomes of the tasks that have ended, after waiting for the first of them up to ``timeout_s``."""
        done, _ = ray.wait(list(self._busy), num_returns=1, timeout=timeout_s)
        return [self._outcome(reference) for reference in done]

    def _outcome(self, reference: "ray.ObjectRef[Any]") -> Outcome:
        compressor, job_id = self._busy.pop(reference)
        try:
            outcome = Outcome(job_id=job_id, result=ray.get(reference))
        except RayTaskError as error:
            # The compressor lives: either the task failed, or the slot died that it had asked.
            if isinstance(error.cause, RayActorError):
                outcome = Outcome(job_id=job_id, lost=str(error.cause))
            else:
                outcome = Outcome(job_id=job_id, failure=str(error))
        except RayActorError as error:
            return Outcome(job_id=job_id, lost=str(error))
        self._idle.append(compressor)
        return outcome


def _answers(answer: "ray.ObjectRef[Any]") -> bool:
    try:
        ray.get(answer, timeout=_ANSWER_S)
    except (RayActorError, GetTimeoutError) as error:
        log.warning("a compressor does not answer", error=str(error))
        return False
    return True
