"""Networks in the middle of recipes, kept on disk: recipes with a common beginning train it once."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock
from torch import nn

from search.contract.recipes import Step
from search.contract.recipes.config import TrainingConfig
from search.files import replacing, writing_to
from workers.compression.pipeline import change_network
from workers.compression.state import CompressionState

_MOST_FILES = 200
#: What techniques put into a network beside the modules that it has.
_NEW_MODULES = (nn.Sequential, nn.Conv2d, nn.Linear, nn.Identity)


@dataclass(frozen=True, kw_only=True)
class StepCache:
    """A folder of them. ``origin`` names all that a network comes from but the steps: the candidate, its weights, the
    data set, the seed, the teacher.
    """

    folder: Path
    origin: str

    def run(self, steps: Sequence[Step], state: CompressionState) -> None:
        """Apply the steps that work on the network; what ends with a training is taken from the folder if it is there,
        and otherwise trained by one process while others that want the same wait for it.
        """
        start = 0
        for end in [position + 1 for position, step in enumerate(steps) if isinstance(step, TrainingConfig)]:
            self._once(steps[:end], state, lambda part=steps[start:end]: change_network(part, state))  # type: ignore[misc]
            start = end
        change_network(steps[start:], state)

    def _once(self, steps: Sequence[Step], state: CompressionState, work: Callable[[], None]) -> None:
        text = json.dumps([self.origin, torch.__version__, [step.model_dump(mode="json") for step in steps]])
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.pt"
        with self._alone(path):
            if path.exists():
                _restore(path, state)
            else:
                work()
                _keep(path, state)
                self._forget_old()

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """A lock that a killed process leaves open."""
        with ExitStack() as stack:
            with writing_to(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(self.folder / f"{path.name[:2]}.lock"))
            yield

    def _forget_old(self) -> None:
        newest_first = sorted(self.folder.glob("*.pt"), key=lambda file: -file.stat().st_mtime)
        for file in newest_first[_MOST_FILES:]:
            file.unlink(missing_ok=True)


def _keep(path: Path, state: CompressionState) -> None:
    content = {"network": state.network, "masks": state.masks, "random": torch.get_rng_state()}
    with writing_to(path.parent), replacing(path) as file:
        torch.save(content, file)


def _restore(path: Path, state: CompressionState) -> None:
    """Nothing but modules of the classes that a network may have is read."""
    classes = {type(module) for module in state.network.modules()} | set(_NEW_MODULES)
    with torch.serialization.safe_globals(list(classes)):
        content = torch.load(path, weights_only=True)
    state.network, state.masks = content["network"], content["masks"]
    torch.set_rng_state(content["random"])
