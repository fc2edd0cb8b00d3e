"""Trials and variants as lists that become a pandas data frame, and that a notebook shows as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

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
    """Trials in the order in which they were asked for."""

    def to_pandas(self) -> "DataFrame":
        """A row a trial: its metrics, its best variant's, and ``choice.`` and its name for each choice that was made.

        MissingPackageError without pandas.
        """
        ranked = zip(trial_rows.ranks(self), self, strict=True)
        return _frame([{**trial_rows.flat(rank, trial), **_choices(trial)} for rank, trial in ranked])

    def _repr_html_(self) -> str:
        rows = [trial_rows.row(rank, trial) for rank, trial in zip(trial_rows.ranks(self), self, strict=True)]
        return html.table(trial_rows.HEADERS, rows, left=trial_rows.WORDS)


class Variants(list[V]):
    """Deployable models in the order in which they were asked for; ``front`` is their study's."""

    def __init__(self, variants: Iterable[V], front: ParetoView) -> None:
        super().__init__(variants)
        self._rows = variant_rows.ranked(self, front)

    def to_pandas(self) -> "DataFrame":
        """A row a variant. MissingPackageError without pandas."""
        return _frame([variant_rows.flat(row) for row in self._rows])

    def _repr_html_(self) -> str:
        rows = [variant_rows.row(row) for row in self._rows]
        return html.table(variant_rows.HEADERS, rows, left=variant_rows.WORDS)


def _choices(trial: TrialView) -> dict[str, Any]:
    return {f"choice.{name}": value for name, value in trial.assignment.items()}


def _frame(rows: list[dict[str, Any]]) -> "DataFrame":
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingPackageError("pandas") from error
    return pandas.DataFrame(rows)
