"""The compressors of a cluster: one Ray actor for each compression slot of its nodes, as nodes come and go."""

from dataclasses import dataclass

import ray
import structlog
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from search.contract.reports import CompressionFailed, CompressionResult
from search.files import UnwritableError
from workers.actors.lost import worker_was_lost
from workers.compression.task import CompressionTask

log = structlog.get_logger()
RESOURCE = "compression"
_ANSWER_S = 10.0


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """The compressor died, or the benchmark slot that it asked: this says nothing about the task."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class NotStored:
    """There was no room for the task's files: this says nothing about the task either."""

    error: UnwritableError


@dataclass(frozen=True, kw_only=True)
class FinishedTask:
    """How the task of a job ended."""

    job_id: str
    outcome: CompressionResult | WorkerLost | NotStored


class CompressorActor:
    """A Compressor in a process of its own; only that process imports PyTorch, and not the pool."""

    def __init__(self) -> None:
        from workers.actors.compressor import Compressor

        self._compressor = Compressor()

    def run(self, task: CompressionTask) -> CompressionResult:
        return self._compressor.run(task)


class Compressors:
    """Each compressor has one task at a time. ``adjust`` starts as many as there are tasks and slots for them."""

    def __init__(self, worker: type[object] = CompressorActor) -> None:
        self._worker = ray.remote(worker).options(num_cpus=0, resources={RESOURCE: 1})
        self._starting: dict[ray.ObjectRef[bool], ActorHandle] = {}
        self._idle: list[ActorHandle] = []
        self._busy: dict[ray.ObjectRef[CompressionResult], tuple[ActorHandle, str]] = {}

    @property
    def slots(self) -> int:
        """How many compressors the nodes of the cluster have resources for now."""
        return int(ray.cluster_resources().get(RESOURCE, 0))

    @property
    def free(self) -> int:
        """How many compressors are idle."""
        return len(self._idle)

    def adjust(self, tasks: int) -> None:
        """Start the compressors that are missing for so many ``tasks``, and use those that have started."""
        # One may always wait for a slot: a cluster that scales by demand adds a node for it.
        while self.free + len(self._starting) + len(self._busy) < min(tasks, max(self.slots, 1)):
            compressor = self._worker.remote()
            self._starting[compressor.__ray_ready__.remote()] = compressor
        started, _ = ray.wait(list(self._starting), num_returns=max(len(self._starting), 1), timeout=0)
        for answer in started:
            compressor = self._starting.pop(answer)
            if _answers(answer):
                self._idle.append(compressor)

    def take(self) -> ActorHandle | None:
        """An idle compressor that is alive, or None. One whose node has gone is dropped."""
        while self._idle:
            compressor = self._idle.pop()
            if _answers(compressor.__ray_ready__.remote()):
                return compressor
            ray.kill(compressor)
        return None

    def start(self, compressor: ActorHandle, job_id: str, task: object) -> None:
        """Have a compressor run ``task``, a CompressionTask where the workers are Compressors."""
        self._busy[compressor.run.remote(task)] = (compressor, job_id)

    def give_back(self, compressor: ActorHandle) -> None:
        """Return a compressor that was taken and not used."""
        self._idle.append(compressor)

    def finished(self, *, timeout_s: float) -> list[FinishedTask]:
        """The tasks that have ended, after waiting for the first of them up to ``timeout_s``."""
        done, _ = ray.wait(list(self._busy), num_returns=1, timeout=timeout_s)
        return [self._finish(reference) for reference in done]

    def _finish(self, reference: "ray.ObjectRef[CompressionResult]") -> FinishedTask:
        compressor, job_id = self._busy.pop(reference)
        outcome: CompressionResult | WorkerLost | NotStored
        try:
            outcome = ray.get(reference)
        except RayTaskError as error:
            outcome = _failed(error)  # the compressor lives
        except RayError as error:
            if not worker_was_lost(error):
                raise
            return FinishedTask(job_id=job_id, outcome=WorkerLost(reason=str(error)))
        self._idle.append(compressor)
        return FinishedTask(job_id=job_id, outcome=outcome)


def _failed(error: RayTaskError) -> CompressionFailed | WorkerLost | NotStored:
    """The task failed, or the slot died that it had asked, or a disk was full."""
    if worker_was_lost(error):
        return WorkerLost(reason=str(error.cause))
    if isinstance(error.cause, UnwritableError):
        return NotStored(error=error.cause)
    return CompressionFailed(reason=str(error))


def _answers(answer: "ray.ObjectRef[bool]") -> bool:
    try:
        ray.get(answer, timeout=_ANSWER_S)
    except RayError as error:
        log.warning("a compressor does not answer", error=str(error))
        return False
    return True
