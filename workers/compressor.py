"""The Ray actor of the compression pool: one recipe of one trial after another, each ending in measured variants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch

from search.candidate import Candidate
from search.recipes import Recipe
from search.spec import StudySpec
from workers.compression.pipeline import Compressed, compress
from workers.compression.registry import NotApplicableError, TrainedModel, Workpiece
from workers.deployed import describe
from workers.export import load_weights, save_weights, to_onnx
from workers.latency.gate import HostGate
from workers.models import Network, build_network
from workers.slot import Timing, benchmark_slot
from workers.trial import dataset_of, prepare, resident_split

RESOURCE = "compression"
Variant = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CompressionTask:
    """One recipe for one trial; plain data. ``teacher`` is the study's best model, if the recipe learns from it."""

    candidate: Candidate
    weights: bytes
    spec: StudySpec
    recipe: Recipe
    teacher: TrainedModel | None
    cache_dir: Path


class Compressor:
    """``run`` returns the variants of a task; ``not_applicable`` with the reason where the recipe does not apply."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._gate = HostGate()

    def run(self, task: CompressionTask) -> dict[str, Any]:
        try:
            return {"variants": self._variants(task)}
        except NotApplicableError as error:
            return {"not_applicable": str(error)}

    def _variants(self, task: CompressionTask) -> list[Variant]:
        torch.manual_seed(task.spec.sampler.seed)
        dataset = dataset_of(task.spec.dataset, task.candidate.image_size, task.cache_dir)
        validation = dataset.splits.validation
        piece = self._workpiece(task)
        with self._gate.working():
            parent = to_onnx(piece.network, task.candidate.image_size)
        compressed = compress(task.recipe, piece, dataset.images[validation], dataset.labels[validation])
        threads = task.spec.target.threads
        timing = ray.get(benchmark_slot().time_variant.remote(compressed.model, parent, threads=threads))
        spec, side_px = task.spec.dataset, task.candidate.image_size
        model = describe(compressed.model, classes=dataset.classes, side_px=side_px, resize=spec.resize)
        files = {"onnx": model}
        variants = [_variant(task, compressed, timing, runtime="onnxruntime", files=files)]
        if not task.recipe.steps:
            variants.append(self._eager(task, compressed))
        return variants

    def _workpiece(self, task: CompressionTask) -> Workpiece:
        candidate, spec = task.candidate, task.spec
        network = _network(task)
        dataset = dataset_of(spec.dataset, candidate.image_size, task.cache_dir)
        return Workpiece(
            network=network,
            candidate=candidate,
            training=lambda: prepare(
                candidate, spec.dataset, spec.sampler.seed, "cpu", task.cache_dir, self._gate.working()
            ),
            validation=resident_split(spec.dataset, candidate.image_size, task.cache_dir, "validation", "cpu"),
            calibration=dataset.images[dataset.splits.calibration],
            seed=spec.sampler.seed,
            working=self._gate.working,
            teacher=task.teacher,
        )

    def _eager(self, task: CompressionTask, compressed: Compressed) -> Variant:
        """The uncompressed network in eager PyTorch: what the files are compared with."""
        architecture = task.candidate.architecture.model_dump(mode="json")
        timing = ray.get(
            benchmark_slot().time_eager.remote(
                architecture, task.weights, task.candidate.image_size, threads=task.spec.target.threads
            )
        )
        return _variant(task, compressed, timing, runtime="torch", files={"weights": save_weights(_network(task))})


def _network(task: CompressionTask) -> Network:
    network = build_network(task.candidate.architecture, pretrained=False)
    load_weights(network, task.weights)
    return network


def _variant(
    task: CompressionTask, compressed: Compressed, timing: Timing, *, runtime: str, files: dict[str, bytes]
) -> Variant:
    f1, latency_ms = compressed.scores.f1, timing["p50_ms"]
    return {
        "runtime": runtime,
        "host": timing["host"],
        "metrics": {
            "f1": f1,
            "accuracy": compressed.scores.accuracy,
            "latency_ms": latency_ms,
            "latency_low_ms": timing["low_ms"],
            "latency_high_ms": timing["high_ms"],
            "latency_p90_ms": timing["p90_ms"],
            "macs": compressed.macs,
            "params": compressed.params,
            "size_bytes": sum(len(content) for content in files.values()),
            "score": task.spec.score.of(f1=f1, latency_ms=latency_ms),
        },
        "parity_error": compressed.parity.error,
        "agreement": compressed.parity.agreement,
        "latency": timing,
        "files": files,
    }
