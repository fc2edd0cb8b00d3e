"""``python -m workers.inference``: {model, images, threads} as JSON on standard input, a submission as JSON back.

Exit code 1 with the reason on standard error.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from workers.data.errors import DataError
from workers.inference.submission import submit
from workers.model_metadata import UnknownModelError


def main() -> None:
    task = json.load(sys.stdin)
    model = Path(task["model"])
    try:
        found = submit(model.read_bytes(), Path(task["images"]), threads=task["threads"])
    except UnknownModelError as error:
        sys.exit(f"{model}: {error}")
    except (DataError, OSError) as error:
        sys.exit(str(error))
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    main()
