"""``python -m workers.inference``: {model, images, threads} as JSON on standard input, a submission as JSON back.

Exit code 1 with the reason on standard error.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from workers.data.errors import DataError
from workers.inference.submission import submit
from workers.model_metadata import UnknownModelError


class InferenceTask(BaseModel):
    """``model``: the file; ``images``: the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path
    images: Path
    threads: int


def main() -> None:
    task = InferenceTask.model_validate_json(sys.stdin.read())
    try:
        submission = submit(task.model.read_bytes(), task.images, threads=task.threads)
    except UnknownModelError as error:
        sys.exit(f"{task.model}: {error}")
    except (DataError, OSError) as error:
        sys.exit(str(error))
    json.dump(asdict(submission), sys.stdout)


if __name__ == "__main__":
    main()
