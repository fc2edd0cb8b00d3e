"""The plots of a model card: learning curve, confusion matrix, and F1 over latency beside the study's other models."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from api.bundle.model import Model

_DPI = 150
_ACCENT, _SECOND, _MUTED = "#17693f", "#2459a8", "#9aa59d"
#: With more classes the counts in the cells would be unreadable.
_MOST_COUNTED = 25


def draw(model: Model, folder: Path) -> dict[str, str]:
    """Write the plots that the model has data for into ``folder``; returns file name by plot."""
    plots: dict[str, tuple[Callable[[Model], Figure], bool]] = {
        "front": (_front, True),
        "confusion": (_confusion, model.variant.confusion is not None),
        "learning": (_learning, any(model.curves)),
    }
    names = {name: f"{name}.png" for name, (_, has_data) in plots.items() if has_data}
    for name, file_name in names.items():
        figure = plots[name][0](model)
        figure.savefig(folder / file_name, dpi=_DPI, metadata={"Software": None})
    return names


def _figure(width_in: float = 6.4, height_in: float = 4.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _learning(model: Model) -> Figure:
    figure, axes = _figure()
    losses = axes.twinx()
    losses.spines["top"].set_visible(False)
    for curve in model.curves:
        epochs = [epoch.epoch for epoch in curve]
        (quality,) = axes.plot(epochs, [epoch.f1 for epoch in curve], color=_ACCENT, marker=".")
        (loss,) = losses.plot(epochs, [epoch.loss for epoch in curve], color=_SECOND, linestyle=":")
    axes.set(xlabel="epoch", ylabel="macro F1, validation", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.set_ylabel("loss, training")
    legend = {"F1, validation": quality, "loss, training": loss}
    figure.legend(legend.values(), legend.keys(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _confusion(model: Model) -> Figure:
    matrix, classes = np.asarray(model.variant.confusion), model.classes
    side_in = min(14.0, 2.4 + 0.45 * len(classes))
    figure, axes = _figure(side_in + 0.8, side_in)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(fractions, cmap="Greens", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="true class", xticks=range(len(classes)), yticks=range(len(classes)))
    axes.set_xticklabels(classes, rotation=90)
    axes.set_yticklabels(classes)
    if len(classes) <= _MOST_COUNTED:
        for (row, column), count in np.ndenumerate(matrix):
            colour = "white" if fractions[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, label="fraction of the true class", shrink=0.8)
    return figure


def _front(model: Model) -> Figure:
    figure, axes = _figure()
    points = [(rival.metrics["latency_ms"], rival.metrics["f1"]) for rival in model.rivals]
    axes.plot(*zip(*points, strict=True), "o", color=_MUTED, markersize=4, label="models of this study")
    ordered = sorted((item.metrics["latency_ms"], item.metrics["f1"]) for item in model.front.items)
    axes.step(*zip(*ordered, strict=True), where="post", color=_ACCENT, marker="o", markersize=5, label="front")
    metrics = model.variant.metrics
    median_ms = metrics["latency_ms"]
    spread = [[median_ms - metrics["latency_low_ms"]], [metrics["latency_high_ms"] - median_ms]]
    axes.errorbar(
        median_ms, metrics["f1"], xerr=spread, fmt="*", color=_SECOND, markersize=14, capsize=3, label="this model"
    )
    axes.set(xlabel=f"latency, ms (median of batch 1, {model.variant.runtime})", ylabel="macro F1, validation")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure
