"""What a model scored on the test split of its study, which nothing but the final scoring reads."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ScoresOnTest:
    """Macro ``f1`` on the ``images`` of the test split; ``low`` and ``high`` bound its 95% interval (bootstrap over the
    images).
    """

    f1: float
    low: float
    high: float
    images: int
