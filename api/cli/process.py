"""Worker processes: the command line has no torch and no image library, so such work runs in a process of its own."""

import subprocess
import sys
from typing import TypeVar

from pydantic import TypeAdapter

from api.cli.errors import CommandError

T = TypeVar("T")


def run_worker(module: str, task: str, report: type[T]) -> T:
    """Run ``python -m module`` with ``task``, JSON, and read the report that it prints.

    CommandError with its standard error if it fails.
    """
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=task, text=True, capture_output=True, check=False)
    if done.returncode:
        raise CommandError(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
    return TypeAdapter(report).validate_json(done.stdout)
