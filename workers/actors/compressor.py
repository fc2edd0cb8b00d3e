"""The Ray actor of the compression pool: one recipe of one trial after another, each ending in measured variants."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import ray
import torch
from ray.actor import ActorHandle

from search.contract.latency import HostLatency
from search.contract.reports import (
    CompressedModel,
    CompressionFailed,
    CompressionResult,
    DatasetChanged,
    Files,
    Measurement,
    RecipeNotApplicable,
    VariantResult,
)
from search.contract.targets import TargetSpec
from workers.actors.hosts import Slots, TargetMissingError
from workers.compression.pipeline import Compressed, finish
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.step_cache import StepCache
from workers.compression.task import CompressionTask
from workers.data import DatasetChangedError
from workers.export import load_weights, save_weights, to_onnx
from workers.inputs import dataset_of, prepare, require_unchanged, split_on_device
from workers.latency.gate import HostGate
from workers.model_metadata import describe
from workers.models import Network, build_network
from workers.training.metrics import scores


class Compressor:
    """Runs one task after another."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._gate, self._slots = HostGate(), Slots()

    def run(self, task: CompressionTask) -> CompressionResult:
        """The variants of a task, one for each runtime and target, or why there are none."""
        slots, complaints = self._offered(task.spec.targets)
        if not slots:
            return CompressionFailed(reason="\n".join(complaints))
        try:
            compressed, parent, files = self._compress(task)
        except NotApplicableError as error:
            return RecipeNotApplicable(reason=str(error))
        except DatasetChangedError as error:
            return DatasetChanged(reason=str(error))
        variants = []
        for target, slot in slots.items():
            try:
                variants.append(self._timed(task, compressed, parent, files, target, slot))
                # A probe is a study's first model, and does not wait for a comparison with eager PyTorch.
                is_compared = not task.recipe.steps and task.candidate.method != "linear-probe"
                if is_compared and target in _of_each_kind(slots):
                    variants.append(self._timed_eagerly(task, compressed, target, slot))
            except ray.exceptions.RayTaskError as error:
                complaints.append(f"{target}: {error.cause}")
        if not variants:
            return CompressionFailed(reason="\n".join(complaints))
        return CompressedModel(variants=tuple(variants), not_timed="\n".join(complaints) or None)

    def _offered(self, targets: Sequence[TargetSpec]) -> tuple[dict[TargetSpec, ActorHandle], list[str]]:
        """The slot of each target that a node offers, and for the others why none does."""
        slots, complaints = {}, []
        for target in targets:
            try:
                slots[target] = self._slots.ready(target)
            except TargetMissingError as error:
                complaints.append(str(error))
        return slots, complaints

    def _compress(self, task: CompressionTask) -> tuple[Compressed, bytes, Files]:
        """What the recipe makes, the parent's file, and the recipe's files by their kinds, with their usage in them."""
        torch.manual_seed(task.spec.sampler.seed)
        side_px = task.candidate.image_size
        with self._gate.working():
            require_unchanged(task.dataset, task.cache_dir)
            dataset = dataset_of(task.dataset, side_px, task.cache_dir)
        validation = dataset.splits.validation
        state = self._state(task)
        parent = self._exported(state) if task.recipe.network_steps else None
        self._step_cache(task, dataset.id).run(task.recipe.network_steps, state)
        images, labels = dataset.images[validation], dataset.labels[validation]
        compressed = finish(task.recipe.file_steps, state, images, labels)
        model = describe(compressed.model, classes=dataset.classes, side_px=side_px, resize=task.spec.dataset.resize)
        files = {"onnx": model, **_weights(state.network, task)}
        if compressed.program:
            files["program"] = compressed.program
        return compressed, parent or compressed.exported, files

    def _exported(self, state: CompressionState) -> bytes:
        with self._gate.working():
            return to_onnx(state.network, state.candidate.image_size)

    def _timed(
        self,
        task: CompressionTask,
        compressed: Compressed,
        parent: bytes,
        files: Files,
        target: TargetSpec,
        slot: ActorHandle,
    ) -> VariantResult:
        """The file on one target."""
        compressed = self._rescored(task, compressed, target, slot)
        latency = ray.get(slot.time_variant.remote(compressed.model, parent, target=target))
        return _variant(task, compressed, latency, target, runtime=target.runtime, files=files)

    def _timed_eagerly(
        self, task: CompressionTask, compressed: Compressed, target: TargetSpec, slot: ActorHandle
    ) -> VariantResult:
        """The network in eager PyTorch, which the file of the recipe without steps is compared with."""
        candidate = task.candidate
        measurement = slot.time_eager.remote(candidate.architecture, task.weights, candidate.image_size, target=target)
        files = {"weights": save_weights(_network(task))}
        return _variant(task, compressed, ray.get(measurement), target, runtime="torch", files=files)

    def _rescored(
        self, task: CompressionTask, compressed: Compressed, target: TargetSpec, slot: ActorHandle
    ) -> Compressed:
        """With the scores that the file has on ``target``: int8 and bfloat16 round differently elsewhere."""
        if target.runtime == "onnxruntime" and target.node is None:
            return compressed
        dataset = dataset_of(task.dataset, task.candidate.image_size, task.cache_dir)
        validation = dataset.splits.validation
        predicted = ray.get(slot.predict.remote(compressed.model, dataset.images[validation], target=target))
        labels = torch.from_numpy(dataset.labels[validation])
        return replace(compressed, scores=scores(torch.tensor(predicted), labels, len(dataset.classes)))

    def _step_cache(self, task: CompressionTask, dataset_id: str) -> StepCache:
        teacher = None if task.teacher is None else hashlib.sha256(task.teacher.weights).hexdigest()
        weights = hashlib.sha256(task.weights).hexdigest()
        split = task.spec.dataset.model_dump_json()
        candidate, seed = task.candidate.model_dump_json(), task.spec.sampler.seed
        parts = [weights, candidate, dataset_id, split, seed, teacher]
        if task.answers is not None:
            parts.append(hashlib.sha256(task.answers.logits.tobytes()).hexdigest())
        origin = json.dumps(parts)
        return StepCache(folder=task.cache_dir / "beginnings", origin=origin)

    def _state(self, task: CompressionTask) -> CompressionState:
        candidate, spec = task.candidate, task.spec
        network = _network(task)
        dataset = dataset_of(task.dataset, candidate.image_size, task.cache_dir)
        return CompressionState(
            network=network,
            candidate=candidate,
            training=lambda: prepare(
                candidate,
                task.dataset,
                spec.sampler.seed,
                "cpu",
                task.cache_dir,
                self._gate.working(),
                answers=task.answers,
            ),
            validation=split_on_device(task.dataset, candidate.image_size, task.cache_dir, "validation", "cpu"),
            calibration=dataset.images[dataset.splits.calibration],
            seed=spec.sampler.seed,
            working=self._gate.working,
            has_answers=task.answers is not None,
            teacher=task.teacher,
        )


def _weights(network: Network, task: CompressionTask) -> dict[str, bytes]:
    """The network's weights, by their kind: whether they fit the trial's architecture or that has been changed."""
    fits = _shapes(network) == _shapes(_network(task))
    return {"weights" if fits else "reshaped_weights": save_weights(network)}


def _shapes(network: Network) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


def _of_each_kind(targets: Iterable[TargetSpec]) -> list[TargetSpec]:
    """The first of those that differ by their runtime alone: eager PyTorch is the same on all of them."""
    return list({(target.threads, target.node): target for target in reversed(list(targets))}.values())


def _network(task: CompressionTask) -> Network:
    network = build_network(task.candidate.architecture, pretrained=False)
    load_weights(network, task.weights)
    return network


def _variant(
    task: CompressionTask,
    compressed: Compressed,
    latency: HostLatency,
    target: TargetSpec,
    *,
    runtime: str,
    files: Files,
) -> VariantResult:
    """A variant as it is recorded. The score counts the latency on the study's ``target``: others have none."""
    scores, deployed = compressed.scores, files["onnx"] if "onnx" in files else files["weights"]
    metrics = {
        "f1": scores.f1,
        "accuracy": scores.accuracy,
        **latency.latency.metrics,
        "macs": compressed.macs,
        "params": compressed.params,
        "size_bytes": len(deployed),
    }
    if target == task.spec.target:
        metrics["score"] = task.spec.score.of(f1=scores.f1, latency_ms=metrics["latency_ms"])
    return VariantResult(
        runtime=runtime,
        measurement=Measurement(metrics=metrics, host=latency.host),
        scores=scores,
        parity_error=compressed.parity.error,
        agreement=compressed.parity.agreement,
        latency=latency,
        files=files,
    )
