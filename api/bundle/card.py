"""The model card: a README in Markdown with the front matter that the Hugging Face hub reads.

https://huggingface.co/docs/hub/model-cards. Its words are in card.md.j2.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, StrictUndefined

from api.bundle.model import FILE_NAMES, Model
from api.tabular import formats
from api.tabular.variants import latency, speed_up
from search.intervals import Interval, f1_intervals, wilson
from search.study.winners import TOLERATED_F1

_TEMPLATE = Path(__file__).with_name("card.md.j2")
_SQUARED = {"pad": "padded with black to a square", "stretch": "stretched to a square", "crop": "cropped to a square"}
_CAPTIONS = {
    "front": "F1 and latency of the study's models on this host; this one is the star",
    "confusion": "What it takes for what: images of the validation split",
    "learning": "How it learned, before it was compressed",
}

Rows = list[tuple[str, str]]


def model_card(model: Model, plots: Mapping[str, str]) -> str:
    """``plots`` are the file names of the plots by what they show."""
    environment = Environment(trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    variant = model.variant
    return template.render(
        model=model,
        variant=variant,
        title=_title(model),
        dataset=_dataset(model),
        front_matter=_front_matter(model),
        praise=_praise(model),
        figures=_figures(model),
        images=None if variant.confusion is None else sum(map(sum, variant.confusion)),
        by_class=_by_class(model),
        plots=[(caption, plots[name]) for name, caption in _CAPTIONS.items() if name in plots],
        squared=_SQUARED[model.study.spec.dataset.resize],
        side_px=model.trial.candidate.image_size,
        files=[(FILE_NAMES[file.kind], formats.size(file.size_bytes), file.sha256) for file in variant.artifacts],
        made=_made(model),
    )


def _title(model: Model) -> str:
    return f"{model.study.name}, trial {model.trial.number}, {model.variant.recipe}"


def _dataset(model: Model) -> str:
    """A name for the data set: the last part of its path, as the rest is the business of whoever trained it."""
    dataset = model.study.spec.dataset
    return (dataset.path or "").rstrip("/").rsplit("/", 1)[-1] or dataset.name or dataset.source


def _front_matter(model: Model) -> str:
    metrics = model.variant.metrics
    result: dict[str, Any] = {
        "task": {"type": "image-classification"},
        "dataset": {"name": _dataset(model), "type": model.study.spec.dataset.source, "split": "validation"},
        "metrics": [
            {"type": "f1", "name": "F1 (macro)", "value": round(metrics["f1"], 4)},
            {"type": "accuracy", "name": "Accuracy", "value": round(metrics["accuracy"], 4)},
        ],
    }
    library = "onnx" if "onnx" in model.files else "pytorch"
    fields = {
        "library_name": library,
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "seedleaf", library],
        "metrics": ["f1", "accuracy"],
        "model-index": [{"name": _title(model), "results": [result]}],
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    return text


def _praise(model: Model) -> str:
    front = model.front
    picks = (
        (front.recommended, f"the recommended one of its study, the fastest within {TOLERATED_F1:g} of the best F1"),
        (front.knee, "the knee of the front, beyond which F1 is dear"),
        (front.best_score, "the best by the competition's score"),
    )
    praise = [words for variant_id, words in picks if variant_id == model.variant.id]
    return f"It is {'; '.join(praise)}." if praise else "It is not one of its study's picks."


def _figures(model: Model) -> Rows:
    variant = model.variant
    metrics, gained = variant.metrics, speed_up(variant)
    f1 = accuracy = None
    if variant.confusion is not None:
        matrix = np.asarray(variant.confusion)
        f1 = f1_intervals(variant.confusion).macro
        accuracy = wilson(int(matrix.trace()), int(matrix.sum()))
    facts = {
        "F1 (macro)": _bounded(metrics["f1"], f1),
        "accuracy": _bounded(metrics["accuracy"], accuracy),
        "latency, median": f"{latency(variant)} ms",
        "latency, 90th percentile": f"{formats.milliseconds(metrics['latency_p90_ms'])} ms",
        "faster than its trial's fp32 file": formats.ratio(gained) if gained else None,
        "multiply-accumulates": formats.si(metrics["macs"]),
        "parameters": formats.si(metrics["params"]),
        "size": formats.size(metrics["size_bytes"]),
        "score (lower is better)": f"{metrics['score']:.4f}" if "score" in metrics else None,
    }
    return [(name, value) for name, value in facts.items() if value is not None]


def _bounded(value: float, interval: Interval | None) -> str:
    return f"{value:.4f}" if interval is None else f"{value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _by_class(model: Model) -> list[tuple[str, str, int]]:
    variant = model.variant
    if variant.confusion is None or variant.per_class_f1 is None:
        return []
    bounded = map(_bounded, variant.per_class_f1, f1_intervals(variant.confusion).per_class)
    return list(zip(model.classes, bounded, map(sum, variant.confusion), strict=True))


def _made(model: Model) -> Rows:
    candidate, variant = model.trial.candidate, model.variant
    facts = {
        "image side": f"{candidate.image_size} px",
        "batch": str(candidate.batch_size),
        "optimizer": f"{candidate.optimizer}, learning rate {candidate.learning_rate:.3g}, {candidate.schedule}",
        "loss": f"{candidate.loss}, label smoothing {candidate.label_smoothing:g}",
        "augmentation": ", ".join(operation.name for operation in candidate.augmentation.operations) or "none",
        "trained for": _trained_for(model),
        "compressed by": f"`{variant.recipe}`: {'; '.join(map(_step, variant.steps)) or 'as it was trained'}",
        "agreement with its PyTorch network": None if variant.agreement is None else f"{variant.agreement:.1%}",
    }
    return [(name, value) for name, value in facts.items() if value is not None]


def _trained_for(model: Model) -> str:
    if model.training is not None:
        return f"{model.training.epochs} epochs of the whole training split, the best of {model.training.seeds} seeds"
    spec = model.study.spec
    return f"{spec.budget.epochs} epochs of {spec.dataset.subset_fraction:.0%} of the training split"


def _step(step: Mapping[str, Any]) -> str:
    options = ", ".join(f"{name} {value}" for name, value in step.items() if name != "technique")
    return f"{step['technique']} ({options})" if options else str(step["technique"])
