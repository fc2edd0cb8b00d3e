"""The importance of a study's parameters and operations, as rows for people and for CSV."""

from search.contract.importance import Importance, OperationUse

OPERATION_HEADERS = ("operation", "importance", "of the best", "of all", "mean with", "mean without")
PARAMETER_HEADERS = ("parameter", "importance")
WORDS = frozenset({"operation", "parameter"})


def no_parameters(importance: Importance) -> str:
    """Why ``importance`` lists no parameters."""
    if importance.trials < importance.needed:
        return f"{importance.trials} trials with {importance.metric} can be compared: it takes {importance.needed}"
    if importance.best == 0:
        return f"no quarter of the {importance.trials} trials has a better {importance.metric} than the rest"
    return "the study's space leaves nothing to choose"


def operation_row(use: OperationUse) -> tuple[str, ...]:
    """Texts in the order of ``OPERATION_HEADERS``."""
    fractions = (use.importance, use.share_of_best, use.share_of_all)
    return (use.name, *(f"{fraction:.0%}" for fraction in fractions), _mean(use.mean_with), _mean(use.mean_without))


def parameter_rows(importance: Importance) -> list[tuple[str, str]]:
    """Texts in the order of ``PARAMETER_HEADERS``, without parameters of no importance."""
    return [(item.name, f"{item.importance:.1%}") for item in importance.parameters if item.importance >= 0.0005]


def flat(importance: Importance) -> list[dict[str, object]]:
    """CSV columns by name, one row per parameter."""
    uses = {f"augmentation.{use.name}": use.model_dump(exclude={"name", "importance"}) for use in importance.operations}
    no_use = dict.fromkeys(("share_of_best", "share_of_all", "mean_with", "mean_without"))
    return [
        {"parameter": item.name, "importance": item.importance, **uses.get(item.name, no_use)}
        for item in importance.parameters
    ]


def _mean(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
