"""Files side by side: every model in every runtime that was asked for, timed in one interleaved measurement."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from workers.latency.gate import HostGate
from workers.latency.host import this_host
from workers.latency.memory import peak_memory_bytes
from workers.latency.onnx_inputs import read_onnx, settled
from workers.latency.protocol import THOROUGH, Effort, Latency, measure
from workers.latency.reference import reference_for
from workers.latency.result import overlap, ranks
from workers.latency.runtimes import CPU, PROGRAM, RUNTIMES, ModelError, Runtime, Session, random_images
from workers.latency.subject import Subject, model_subject

_DEFAULT = {"onnx": CPU, "pt2": PROGRAM}
#: A batch's outputs may differ from those of its images alone by this fraction of their range.
_BATCH_TOLERANCE = 0.02
_TIMEOUT_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file in a runtime: ``at(batch)`` is what the runtime opens for that many images, None where it cannot."""

    path: Path
    runtime: Runtime
    at: Callable[[int], bytes | None]


@dataclass(frozen=True, kw_only=True)
class Row:
    """The measures of an entry.

    place: one more than how many are faster without a tie. ties: whether the interval overlaps with another's of this
    place. speed_up: the first entry's median over this one's. images_per_s: by batch, None where the file is made for
    one image only. peak_memory_bytes: of a process that only runs this.
    """

    model: str
    runtime: str
    runtime_version: str
    place: int
    ties: bool
    speed_up: float
    latency: Latency
    images_per_s: dict[int, float | None]
    peak_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    host: str
    threads: int
    rows: list[Row]


def entries(paths: Sequence[Path], runtimes: Sequence[Runtime], *, side_px: int | None) -> list[Entry]:
    """Each file in each of ``runtimes`` that takes its kind; without ``runtimes`` in the usual one of its kind.

    ModelError with the file's name where it is none or no runtime takes it; RuntimeMissingError.
    """
    chosen = []
    for path in paths:
        kind = _kind(path)
        wanted = [runtime for runtime in runtimes or [_DEFAULT[kind]] if runtime.takes == kind]
        if not wanted:
            able = ", ".join(runtime.name for runtime in RUNTIMES.values() if runtime.takes == kind)
            raise ModelError(f"{path}: none of the runtimes that you name runs it; {able} would")
        for runtime in wanted:
            runtime.require()
        at = _reader(path, kind, side_px)
        chosen += [Entry(path=path, runtime=runtime, at=at) for runtime in wanted]
    return chosen


def bench(entries: Sequence[Entry], *, threads: int, batches: Sequence[int], effort: Effort = THOROUGH) -> list[Row]:
    """The rows of ``entries``, in their order. ModelError, SlotBusyError, or ValueError for too many threads."""
    subjects: dict[tuple[int, int], Subject] = {}
    for number, entry in enumerate(entries):
        single = _opened(entry, threads)
        subjects[number, 1] = model_subject(f"{number}", entry.runtime, entry.at(1))
        for batch in set(batches) - {1}:
            if (subject := _batched(entry, single, batch, threads)) is not None:
                subjects[number, batch] = subject
    reference = reference_for(entries[0].runtime)
    measured = measure(
        list(subjects.values()),
        threads=threads,
        gate=HostGate(),
        effort=effort,
        reference=reference,
        timeout_s=_TIMEOUT_S,
    )
    latencies = dict(zip(subjects, measured, strict=True))
    singles = [latencies[number, 1] for number in range(len(entries))]
    rows = []
    for number, (entry, place) in enumerate(zip(entries, ranks(singles), strict=True)):
        latency = singles[number]
        others = [other for position, other in enumerate(singles) if position != number]
        rows.append(
            Row(
                model=str(entry.path),
                runtime=entry.runtime.name,
                runtime_version=entry.runtime.version(),
                place=place,
                ties=any(overlap(latency, other) for other in others),
                speed_up=singles[0].p50_ms / latency.p50_ms,
                latency=latency,
                images_per_s={batch: _images_per_s(latencies.get((number, batch)), batch) for batch in (1, *batches)},
                peak_memory_bytes=_peak_memory_bytes(entry, threads),
            )
        )
    return rows


def report(
    paths: Sequence[Path], runtimes: Sequence[Runtime], *, threads: int, batches: Sequence[int], side_px: int | None
) -> BenchReport:
    """``bench`` with the host."""
    chosen = entries(paths, runtimes, side_px=side_px)
    rows = bench(chosen, threads=threads, batches=batches)
    hosts = [this_host(runtime=entry.runtime, threads=threads) for entry in chosen]
    return BenchReport(host=hosts[0].machine, threads=threads, rows=rows)


def _kind(path: Path) -> Literal["onnx", "pt2"]:
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file")
    if path.suffix == ".onnx":
        return "onnx"
    if path.suffix == ".pt2":
        return "pt2"
    raise ModelError(f"{path}: its name says neither .onnx nor .pt2, the models that can be timed")


def _reader(path: Path, kind: Literal["onnx", "pt2"], side_px: int | None) -> Callable[[int], bytes | None]:
    """A ``.pt2`` program is fixed to the batch that it was exported for."""
    if kind == "pt2":
        program = path.read_bytes()
        return lambda batch: program if batch == 1 else None
    try:
        model = read_onnx(path)
        settled(model, batch=1, side_px=side_px)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return lambda batch: settled(model, batch=batch, side_px=side_px)


def _opened(entry: Entry, threads: int) -> Session:
    """Opened once before anything is timed: it says early what cannot be, and compiled code is in its cache then."""
    try:
        session = entry.runtime.open(entry.at(1), threads)
        if session.shape[0] != 1:
            raise ModelError(f"it is made for {session.shape[0]} images at once: export it for one")
        session.run(random_images(session))
    except ModelError as error:
        raise ModelError(f"{entry.path} in {entry.runtime.name}: {error}") from error
    return session


def _batched(entry: Entry, single: Session, batch: int, threads: int) -> Subject | None:
    """The entry for ``batch`` images; None where it does not compute the same for them together as for each alone."""
    model = entry.at(batch)
    if model is None:
        return None
    try:
        session = entry.runtime.open(model, threads)
        images = random_images(session)
        together = session.run(images)
    except Exception:  # each runtime has its own for a graph that is fixed to one image
        return None
    alone = np.concatenate([single.run(images[number : number + 1]) for number in range(batch)])
    same = together.shape == alone.shape and np.allclose(together, alone, atol=_BATCH_TOLERANCE * np.ptp(alone))
    return model_subject(f"{entry.path} x{batch}", entry.runtime, model) if same else None


def _images_per_s(latency: Latency | None, batch: int) -> float | None:
    return None if latency is None else 1000 * batch / latency.p50_ms


def _peak_memory_bytes(entry: Entry, threads: int) -> int:
    with tempfile.NamedTemporaryFile(suffix=entry.path.suffix) as file:
        file.write(entry.at(1) or b"")
        file.flush()
        return peak_memory_bytes(entry.runtime, Path(file.name), threads=threads)
