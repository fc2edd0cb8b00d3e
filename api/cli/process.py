"""What needs torch or reads images runs in a process of its own: the command line has none of the workers' packages."""

import json
import subprocess
import sys
from typing import Any

from api.cli.errors import CommandError


def ask(module: str, task: str) -> dict[str, Any]:
    """What ``python -m module`` answers to ``task``, both JSON. CommandError with its reason if it fails."""
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=task, text=True, capture_output=True, check=False)
    if done.returncode:
        raise CommandError(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
