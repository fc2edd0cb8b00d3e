"""Host: the fingerprint of what a latency was measured on. Figures of different hosts are never ranked together."""

import hashlib
import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from workers.latency.runtimes import Runtime

#: Instruction sets that change how fast a network runs, by the names of /proc/cpuinfo.
_INSTRUCTION_SETS = {
    "avx2": "avx2",
    "avx512f": "avx512f",
    "avx512_vnni": "avx512_vnni",
    "avx512_bf16": "avx512_bf16",
    "avx_vnni": "avx_vnni",
    "amx_tile": "amx",
    "asimd": "neon",
    "asimddp": "neon_dotprod",
    "i8mm": "i8mm",
    "sve": "sve",
}


@dataclass(frozen=True, kw_only=True)
class Host:
    """cpu: the model's name. instruction_sets: sorted. cores: physical ones. governor: of the clock, None if untold.
    gpu: the model's name, where the runtime uses it.
    """

    cpu: str
    instruction_sets: tuple[str, ...]
    cores: int
    governor: str | None
    os: str
    gpu: str | None
    runtime: str
    runtime_version: str
    threads: int

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits, equal for equal fingerprints."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """Such as ``AMD EPYC, 2 cores, onnxruntime 1.32.0, 1 thread``."""
        return f"{self.machine}, {self.runtime} {self.runtime_version}, {_counted(self.threads, 'thread')}"

    @property
    def machine(self) -> str:
        """The label without runtime and threads."""
        return f"{self.cpu}, {_counted(self.cores, 'core')}" + (f", {self.gpu}" if self.gpu else "")


def this_host(*, runtime: Runtime, threads: int) -> Host:
    """The fingerprint of the machine that this process runs on. RuntimeMissingError where the runtime is missing."""
    cpuinfo = _text("/proc/cpuinfo")
    return Host(
        cpu=cpu_from(cpuinfo) or _cpu_elsewhere(),
        instruction_sets=instruction_sets_from(cpuinfo) or _instruction_sets_elsewhere(),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        governor=_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or None,
        os=f"{platform.system()} {platform.machine()}",
        gpu=_gpu() if runtime.device == "gpu" else None,
        runtime=runtime.name,
        runtime_version=runtime.version(),
        threads=threads,
    )


def cpu_from(cpuinfo: str) -> str | None:
    """The CPU's name in the text of /proc/cpuinfo: the model's on x86, implementer and part on ARM."""
    fields = _fields(cpuinfo)
    if "model name" in fields:
        return fields["model name"]
    if {"CPU implementer", "CPU part"} <= fields.keys():
        return f"ARM implementer {fields['CPU implementer']}, part {fields['CPU part']}"
    return None


def instruction_sets_from(cpuinfo: str) -> tuple[str, ...]:
    """The instruction sets of interest in the text of /proc/cpuinfo, sorted."""
    fields = _fields(cpuinfo)
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    return tuple(sorted(name for flag, name in _INSTRUCTION_SETS.items() if flag in flags))


def _gpu() -> str:
    command = ["nvidia-smi", "--id=0", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _fields(cpuinfo: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _cpu_elsewhere() -> str:
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def _instruction_sets_elsewhere() -> tuple[str, ...]:
    """Every 64-bit ARM has neon; elsewhere nothing can be read without /proc."""
    return ("neon",) if platform.machine().lower() in ("arm64", "aarch64") else ()


def _text(path: str) -> str:
    """The file's text, empty on systems that have no such file."""
    return Path(path).read_text() if Path(path).exists() else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
