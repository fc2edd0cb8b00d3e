"""A training's progress from its events; no output."""

from api.client.events import StudyEvent
from api.client.progress import Bar
from api.schemas import TrainingDetail
from search.contract.states import JobState


class TrainingProgress:
    """The progress of ``training``; ``apply`` its later events."""

    def __init__(self, training: TrainingDetail) -> None:
        self.state = training.state
        self._epochs, self._seeds = training.epochs, training.seeds
        self._done = {(epoch.seed, epoch.epoch) for epoch in training.curves}
        self._best_f1 = max((epoch.f1 for epoch in training.curves), default=None)

    def apply(self, event: StudyEvent) -> str | None:
        """Apply an event; returns a line about it if it deserves one."""
        if event.kind == "training":
            self.state = JobState(event.payload["state"])
            return f"training {self.state}"
        seed, epoch, f1 = (event.payload[name] for name in ("seed", "epoch", "f1"))
        self._done.add((seed, epoch))
        self._best_f1 = f1 if self._best_f1 is None else max(f1, self._best_f1)
        return f"seed {seed}, epoch {epoch}/{self._epochs}: f1 {f1:.3f}, best {self._best_f1:.3f}"

    def bars(self) -> list[Bar]:
        total = self._epochs * self._seeds
        counted = f"{len(self._done)}/{total} epochs"
        return [Bar(name="training", done=len(self._done), total=total, counted=counted)]

    def standing(self) -> str:
        return str(self.state) if self._best_f1 is None else f"{self.state}; best f1 {self._best_f1:.3f}"
