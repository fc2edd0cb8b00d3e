"""Lists of trials and variants that convert to pandas data frames; a notebook displays them as tables."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from api.client import html
from api.client.errors import MissingPackageError
from api.schemas import ParetoView, TrialView, VariantView
from api.tabular import trials as trial_rows
from api.tabular import variants as variant_rows

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T", bound=TrialView)
V = TypeVar("V", bound=VariantView)


class Trials(list[T]):
    """Trials, in the order of the query."""

    def to_pandas(self) -> "DataFrame":
        """One row per trial: its metrics, those of its best variant, and a column ``choice.NAME`` per parameter.

        MissingPackageError without pandas.
        """
        ranked = zip(trial_rows.ranks(self), self, strict=True)
        return _frame([{**trial_rows.flat(rank, trial), **_choices(trial)} for rank, trial in ranked])

    def _repr_html_(self) -> str:
        rows = [trial_rows.row(rank, trial) for rank, trial in zip(trial_rows.ranks(self), self, strict=True)]
        return html.table(trial_rows.HEADERS, rows, left=trial_rows.WORDS)


class Variants(list[V]):
    """Deployable models, in the order of the query; ``front`` is their study's."""

    def __init__(self, variants: Iterable[V], front: ParetoView) -> None:
        super().__init__(variants)
        self._rows = variant_rows.ranked(self, front)

    def to_pandas(self) -> "DataFrame":
        """One row per variant. MissingPackageError without pandas."""
        return _frame([variant_rows.flat(row) for row in self._rows])

    def _repr_html_(self) -> str:
        rows = [variant_rows.row(row) for row in self._rows]
        return html.table(variant_rows.HEADERS, rows, left=variant_rows.WORDS)


def _choices(trial: TrialView) -> dict[str, object]:
    return {f"choice.{name}": value for name, value in trial.assignment.items()}


def _frame(rows: list[dict[str, object]]) -> "DataFrame":
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingPackageError("pandas") from error
    return pandas.DataFrame(rows)
