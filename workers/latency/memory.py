"""The peak memory of running one model: ``python -m workers.latency.memory RUNTIME THREADS FILE`` prints it in bytes.

It is that of a whole Python process that does nothing else, the runtime included: what a deployed model costs at least.
"""

import re
import resource
import subprocess
import sys
from pathlib import Path

from workers.latency.runtimes import RUNTIMES, Runtime, random_images

_RUNS = 10


def peak_memory_bytes(runtime: Runtime, model: Path, *, threads: int) -> int:
    """Measured in a process of its own, which opens the file and runs it."""
    command = [sys.executable, "-m", __name__, runtime.name, str(threads), str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return int(done.stdout)


def _peak_bytes() -> int:
    """Linux tells it in /proc: its getrusage would count the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists() and (peak := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(peak[1]) * 1024
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes


def main() -> None:
    name, threads, path = sys.argv[1:]
    session = RUNTIMES[name].open(Path(path).read_bytes(), int(threads))
    images = random_images(session)
    for _ in range(_RUNS):
        session.run(images)
    print(_peak_bytes())


if __name__ == "__main__":
    main()
