"""What the good trials have in common: the importance of each parameter and of each augmentation operation."""

from pydantic import BaseModel, ConfigDict

from search.contract.metrics import MetricName


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ParameterImportance(_Part):
    """A parameter's relative importance; all of them sum to 1."""

    name: str
    importance: float


class OperationUse(_Part):
    """An operation that trials had on or off: its part among the best and among all, and the metric's mean with and
    without it (None where no trial had it so). ``importance`` is that of switching it on or off.
    """

    name: str
    importance: float
    share_of_best: float
    share_of_all: float
    mean_with: float | None
    mean_without: float | None


class Importance(_Part):
    """Importances for one metric over ``trials`` completed trials, of which ``best`` are the best quarter.

    Only trials whose choices are of the study's space count. Most important first; ``best`` is 0 and the rest empty
    with fewer than ``needed`` trials, and where no quarter is better than the rest.
    """

    metric: MetricName
    trials: int
    needed: int
    best: int
    parameters: tuple[ParameterImportance, ...]
    operations: tuple[OperationUse, ...]
