"""The model card: a README in Markdown with the front matter of the Hugging Face hub.

https://huggingface.co/docs/hub/model-cards. Its text is the template card.md.j2.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml
from jinja2 import Environment, StrictUndefined

from api.bundle.model import FILE_NAMES, Model
from api.schemas import VariantDetail, VariantView
from api.tabular import formats
from api.tabular.variants import latency, speed_up
from search.intervals import Interval, f1_intervals, wilson
from search.study.winners import TOLERATED_F1
from search.weights.needed import needs_of_network

#: Of the tables by class, where there are many classes.
_MOST_ROWS = 50
_TEMPLATE = Path(__file__).with_name("card.md.j2")
_SQUARED = {"pad": "padded with black to a square", "stretch": "stretched to a square", "crop": "cropped to a square"}
_CAPTIONS = {
    "front": "F1 and latency of the study's models on this host; the star is this model",
    "confusion": "Confusion matrix: images of the validation split",
    "learning": "Learning curve, before compression",
}

Rows = list[tuple[str, str]]


def model_card(model: Model, plots: Mapping[str, str]) -> str:
    """``plots``: file name by plot, as ``draw`` returns it."""
    environment = Environment(trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    variant = model.variant
    return template.render(
        model=model,
        variant=variant,
        title=_title(model),
        dataset=_dataset(model),
        front_matter=_front_matter(model),
        picks=_picks(model),
        looks=_looks(model),
        figures=_figures(model),
        images=sum(_images_by_class(variant)),
        by_class=_by_class(model),
        lowest=variant.confusion_summary is not None,
        confusions=_confusions(model),
        plots=[(caption, plots[name]) for name, caption in _CAPTIONS.items() if name in plots],
        squared=_SQUARED[model.study.spec.dataset.resize],
        side_px=model.trial.candidate.image_size,
        files=[(FILE_NAMES[file.kind], formats.size(file.size_bytes), file.sha256) for file in variant.artifacts],
        made=_made(model),
    )


def _title(model: Model) -> str:
    return f"{model.study.name}, trial {model.trial.number}, {model.variant.recipe}"


def _dataset(model: Model) -> str:
    """A name for the data set. Only the last part of its path: the rest may be private."""
    dataset = model.study.spec.dataset
    return (dataset.path or "").rstrip("/").rsplit("/", 1)[-1] or dataset.name or dataset.source


def _front_matter(model: Model) -> str:
    metrics, f1_test = model.variant.metrics, model.variant.f1_test
    validation = [_front_metric("f1", metrics["f1"]), _front_metric("accuracy", metrics["accuracy"])]
    results = [_front_result(model, "validation", validation)]
    if f1_test is not None:
        results.append(_front_result(model, "test", [_front_metric("f1", f1_test)]))
    library = "onnx" if "onnx" in model.files else "pytorch"
    fields = {
        "library_name": library,
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "seedleaf", library],
        "metrics": ["f1", "accuracy"],
        "model-index": [{"name": _title(model), "results": results}],
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    return text


def _front_result(model: Model, split: str, metrics: list[dict[str, object]]) -> dict[str, object]:
    return {
        "task": {"type": "image-classification"},
        "dataset": {"name": _dataset(model), "type": model.study.spec.dataset.source, "split": split},
        "metrics": metrics,
    }


def _front_metric(kind: str, value: float) -> dict[str, object]:
    return {"type": kind, "name": {"f1": "F1 (macro)", "accuracy": "Accuracy"}[kind], "value": round(value, 4)}


def _picks(model: Model) -> str:
    front = model.front
    picks = (
        (front.recommended, f"the recommended one of its study, the fastest within {TOLERATED_F1:g} of the best F1"),
        (front.knee, "the knee of the front: beyond it, a small gain in F1 costs much latency"),
        (front.best_score, "the one with the best competition score"),
    )
    words = [text for variant_id, text in picks if variant_id == model.variant.id]
    return f"It is {'; '.join(words)}." if words else "It is not one of its study's picks."


def _figures(model: Model) -> Rows:
    variant = model.variant
    metrics, gained = variant.metrics, speed_up(variant)
    f1 = accuracy = None
    if variant.confusion is not None:
        f1 = f1_intervals(variant.confusion).macro
        accuracy = wilson(int(np.trace(variant.confusion)), sum(_images_by_class(variant)))
    elif variant.confusion_summary is not None:
        accuracy = wilson(sum(variant.confusion_summary.hits), sum(_images_by_class(variant)))
    values = {
        "F1 (macro), validation": _bounded(metrics["f1"], f1),
        "F1 (macro), test": _f1_test(variant),
        "accuracy, validation": _bounded(metrics["accuracy"], accuracy),
        "latency, median": f"{latency(variant)} ms",
        "latency, 90th percentile": f"{formats.milliseconds(metrics['latency_p90_ms'])} ms",
        "faster than its trial's fp32 file": formats.ratio(gained) if gained else None,
        "multiply-accumulates": formats.si(metrics["macs"]),
        "parameters": formats.si(metrics["params"]),
        "size": formats.size(metrics["size_bytes"]),
        "score (lower is better)": f"{metrics['score']:.4f}" if "score" in metrics else None,
    }
    return [(name, value) for name, value in values.items() if value is not None]


def _f1_test(variant: VariantView) -> str | None:
    if variant.f1_test is None or variant.f1_test_low is None or variant.f1_test_high is None:
        return None
    return _bounded(variant.f1_test, Interval(low=variant.f1_test_low, high=variant.f1_test_high))


def _looks(model: Model) -> str:
    """How many times models of the study were scored on its test split."""
    looks = model.study.test_looks
    return "once" if looks == 1 else f"{looks} times"


def _bounded(value: float, interval: Interval | None) -> str:
    return f"{value:.4f}" if interval is None else f"{value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _images_by_class(variant: VariantDetail) -> list[int]:
    """The validation images of each class; empty where they are not known."""
    if variant.confusion_summary is not None:
        return variant.confusion_summary.images
    return [sum(row) for row in variant.confusion or ()]


def _by_class(model: Model) -> list[tuple[str, str, int]]:
    """Class, F1 and images of each class; of many classes, of those with the lowest F1 and without intervals."""
    variant, images = model.variant, _images_by_class(model.variant)
    if not images or variant.per_class_f1 is None:
        return []
    if variant.confusion is not None:
        bounded = map(_bounded, variant.per_class_f1, f1_intervals(variant.confusion).per_class)
        return list(zip(model.classes, bounded, images, strict=True))
    present = [(f1, label) for label, f1 in enumerate(variant.per_class_f1) if images[label]]
    return [(model.classes[label], f"{f1:.4f}", images[label]) for f1, label in sorted(present)[:_MOST_ROWS]]


def _confusions(model: Model) -> list[tuple[str, str, int]]:
    """True class, predicted class and images of the largest confusions, where there is no matrix."""
    summary = model.variant.confusion_summary
    largest = [] if summary is None else summary.largest[:_MOST_ROWS]
    return [(model.classes[true], model.classes[predicted], images) for true, predicted, images in largest]


def _made(model: Model) -> Rows:
    candidate, variant = model.trial.candidate, model.variant
    values = {
        **_starting_weights(model),
        "image side": f"{candidate.image_size} px",
        "batch": str(candidate.batch_size),
        "optimizer": f"{candidate.optimizer}, learning rate {candidate.learning_rate:.3g}, {candidate.schedule}",
        "loss": f"{candidate.loss}, label smoothing {candidate.label_smoothing:g}",
        "augmentation": ", ".join(operation.name for operation in candidate.augmentation.operations) or "none",
        "trained for": _trained_for(model),
        "compressed by": f"`{variant.recipe}`: {'; '.join(map(_step, variant.steps)) or 'no step'}",
        "agreement with its PyTorch network": None if variant.agreement is None else f"{variant.agreement:.1%}",
    }
    return [(name, value) for name, value in values.items() if value is not None]


def _starting_weights(model: Model) -> dict[str, str]:
    """Where the network's first weights come from, and their licence; nothing for a network trained from nothing."""
    needs = needs_of_network(model.trial.candidate.architecture)
    if not needs:
        return {}
    (need, *_) = needs
    found = {(item.network, item.weights): item for item in model.study.weights}.get((need.network, need.weights))
    origin = f" ({found.origin})" if found is not None else ""
    return {
        "started from": f"pretrained weights of {need.network}{origin}",
        "licence of these weights": (found.license if found is not None else None) or "unknown",
    }


def _trained_for(model: Model) -> str:
    if model.training is not None:
        return f"{model.training.epochs} epochs of the whole training split, the best of {model.training.seeds} seeds"
    spec = model.study.spec
    epochs = spec.epochs_for(model.trial.assignment)
    return f"{epochs} epochs of {spec.dataset.subset_fraction:.0%} of the training split"


def _step(step: Mapping[str, object]) -> str:
    options = ", ".join(f"{name} {value}" for name, value in step.items() if name != "technique")
    return f"{step['technique']} ({options})" if options else str(step["technique"])
