"""What the good trials of a study share, as rows for people and for CSV."""

from typing import Any

from search.study.importance import Importance, OperationUse

OPERATION_HEADERS = ("operation", "importance", "of the best", "of all", "mean with", "mean without")
PARAMETER_HEADERS = ("parameter", "importance")
WORDS = frozenset({"operation", "parameter"})


def nothing_found(found: Importance) -> str:
    """Why there are no parameters in it."""
    if found.trials < found.needed:
        return f"{found.trials} trials with {found.metric} can be compared: it takes {found.needed}"
    if found.best == 0:
        return f"no quarter of the {found.trials} trials has a better {found.metric} than the rest"
    return "the study's space leaves nothing to choose"


def operation_row(use: OperationUse) -> tuple[str, ...]:
    """Texts in the order of ``OPERATION_HEADERS``."""
    shares = (use.importance, use.share_of_best, use.share_of_all)
    return (use.name, *(f"{share:.0%}" for share in shares), _mean(use.mean_with), _mean(use.mean_without))


def parameter_rows(found: Importance) -> list[tuple[str, str]]:
    """Texts in the order of ``PARAMETER_HEADERS``, without the parameters that do not matter at all."""
    return [(item.name, f"{item.importance:.1%}") for item in found.parameters if item.importance >= 0.0005]


def flat(found: Importance) -> list[dict[str, Any]]:
    uses = {f"augmentation.{use.name}": use.model_dump(exclude={"name", "importance"}) for use in found.operations}
    nothing = dict.fromkeys(("share_of_best", "share_of_all", "mean_with", "mean_without"))
    return [
        {"parameter": item.name, "importance": item.importance, **uses.get(item.name, nothing)}
        for item in found.parameters
    ]


def _mean(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
