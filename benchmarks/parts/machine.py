"""What a figure was measured on and how figures are printed."""

import platform
from collections.abc import Sequence
from statistics import median


def describe() -> str:
    """The machine in a line."""
    import psutil  # here, so that a machine with torch alone can print figures

    from workers.latency.host import this_host
    from workers.latency.runtimes import CPU

    host = this_host(runtime=CPU, threads=1)
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{host.cpu}, {host.cores} cores, {memory_gib:.0f} GiB, Python {platform.python_version()}"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median with the smallest and largest: ``1.20 [1.10, 1.31] (n=3)``."""
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}] (n={len(values)})"
