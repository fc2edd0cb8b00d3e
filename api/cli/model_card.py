"""What goes with a model that is handed out: a model card."""

from api.rows import formats
from api.rows.variants import latency, speed_up
from api.schemas import ArtifactView, StudyView, TrialView, VariantView

_FILE_NAMES = {"onnx": "model.onnx", "weights": "model.safetensors"}
_RESIZES = {"pad": "padded with black to a square", "stretch": "stretched to a square", "crop": "cropped to a square"}
_USE = {
    "onnxruntime": """
```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(None, {session.get_inputs()[0].name: image})  # float32 [1, classes]
```
""",
    "torch": """
`model.safetensors` holds the weights of the network that model.yaml describes.
""",
}


def file_name(artifact: ArtifactView) -> str:
    return _FILE_NAMES.get(artifact.kind, f"model.{artifact.kind}")


def model_card(study: StudyView, trial: TrialView, variant: VariantView) -> str:
    """A short README in Markdown: what the model is, how good and fast, how to feed it, and what it says."""
    side_px, classes = trial.candidate.image_size, study.classes or []
    named = "\n".join(f"{index}. {name}" for index, name in enumerate(classes))
    files = "\n".join(f"- `{file_name(file)}`, sha256 `{file.sha256}`" for file in variant.artifacts)
    return f"""# {study.name}: {variant.recipe}

An image classifier that Seedleaf found: trial {trial.number} of study `{study.id}`, compressed by the recipe
`{variant.recipe}` (variant `{variant.id}`).

| | |
|---|---|
{_facts(variant)}

Scored on the study's validation split; latency is the median of batch 1 with its 95% interval, measured on
{variant.host}.

## Use

An image is RGB, {_RESIZES[study.spec.dataset.resize]}, resized to {side_px} x {side_px} pixels and divided by 255:
float32 [1, 3, {side_px}, {side_px}].
{_USE[variant.runtime]}
The largest logit is the class:

{named}

## Files

{files}
- `model.yaml`, the architecture that was trained{_before_pruning(variant)}
"""


def _facts(variant: VariantView) -> str:
    metrics, gained = variant.metrics, speed_up(variant)
    facts = {
        "F1 (macro)": f"{metrics['f1']:.4f}",
        "accuracy": f"{metrics['accuracy']:.4f}",
        "latency": f"{latency(variant)} ms",
        "faster than its fp32 file": formats.ratio(gained) if gained else None,
        "multiply-accumulates": formats.si(metrics["macs"]),
        "parameters": formats.si(metrics["params"]),
        "size": formats.size(metrics["size_bytes"]),
        "runtime": variant.runtime,
    }
    return "\n".join(f"| {name} | {value} |" for name, value in facts.items() if value is not None)


def _before_pruning(variant: VariantView) -> str:
    pruned = any("pruning" in step["technique"] for step in variant.steps)
    return "; pruning changed it afterwards" if pruned else ""
