"""``python -m workers.augmentation``: a task as JSON on standard input; progress as JSON lines on standard output.

The task is ``{"dataset": ..., "policy": ..., "seed": ..., "out": ...}`` with ``"copies"`` for a folder of copies, and
without for a preview. Exit code 1 with the reason on standard error where it cannot be done.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.contract.augmentation import Policy
from search.contract.dataset import DatasetSpec
from search.files import replace_file
from workers.augmentation.copies import CopyJob, preview, write_copies
from workers.data.errors import DataError


def main() -> None:
    task: dict[str, Any] = json.load(sys.stdin)
    dataset, policy = DatasetSpec.model_validate(task["dataset"]), Policy.model_validate(task["policy"])
    try:
        if "copies" in task:
            job = CopyJob(
                dataset=dataset, policy=policy, copies=task["copies"], seed=task["seed"], out=Path(task["out"])
            )
            for done, total, part in write_copies(job):
                print(json.dumps({"done": done, "total": total, **asdict(part)}), flush=True)
        else:
            replace_file(Path(task["out"]), preview(dataset, policy, seed=task["seed"]))
    except (DataError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
