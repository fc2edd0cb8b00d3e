"""Scores on the test split as columns of trials and of variants, and of the rows that show them."""

from dataclasses import dataclass, fields

from sqlalchemy import RowMapping

from search.contract.on_test import ScoresOnTest


@dataclass(frozen=True, kw_only=True)
class OnTest:
    """Macro F1 on the test split with its 95% interval, and the number of its images; None where it was not scored."""

    f1_test: float | None
    f1_test_low: float | None
    f1_test_high: float | None
    test_images: int | None


TEST_COLUMNS = tuple(field.name for field in fields(OnTest))
NOT_SCORED: dict[str, None] = dict.fromkeys(TEST_COLUMNS)


def columns_of(scores: ScoresOnTest) -> dict[str, float | int]:
    """The values of the columns."""
    return dict(zip(TEST_COLUMNS, (scores.f1, scores.low, scores.high, scores.images), strict=True))


def read_on_test(row: RowMapping) -> OnTest:
    """The scores of a row."""
    return OnTest(**{name: row[name] for name in TEST_COLUMNS})
