"""Totals as the record holds them: sums that are kept up to date instead of counted."""

from dataclasses import dataclass

from sqlalchemy import RowMapping


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sum of a quantity over all studies; ``label`` splits it, by state for instance, and is empty otherwise."""

    name: str
    label: str
    amount: float

    @classmethod
    def from_row(cls, row: RowMapping) -> "Total":
        return cls(name=row["name"], label=row["label"], amount=row["amount"])


@dataclass(frozen=True, kw_only=True)
class StudyTotal:
    """A total of one study."""

    study_id: str
    total: Total

    @classmethod
    def from_row(cls, row: RowMapping) -> "StudyTotal":
        return cls(study_id=row["study_id"], total=Total.from_row(row))
