"""``python -m workers.augmentation``: a task as JSON on standard input; progress as JSON lines on standard output.

The task is ``{"dataset": ..., "policy": ..., "seed": ..., "out": ...}`` with ``"copies"`` for a folder of copies, and
without for a preview. Exit code 1 with the reason on standard error where it cannot be done.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from search.contract.augmentation import Policy
from search.contract.dataset import DatasetSpec
from search.files import replace_file
from workers.augmentation.copies import CopyJob, preview, write_copies
from workers.data.errors import DataError


class AugmentationTask(BaseModel):
    """``copies``: of each image, for a folder of them; None for a preview."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: DatasetSpec
    policy: Policy
    seed: int
    out: Path
    copies: int | None = None


def main() -> None:
    task = AugmentationTask.model_validate_json(sys.stdin.read())
    try:
        if task.copies is None:
            replace_file(task.out, preview(task.dataset, task.policy, seed=task.seed))
            return
        job = CopyJob(dataset=task.dataset, policy=task.policy, copies=task.copies, seed=task.seed, out=task.out)
        for done, total, part in write_copies(job):
            print(json.dumps({"done": done, "total": total, **asdict(part)}), flush=True)
    except (DataError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
