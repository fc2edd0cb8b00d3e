"""Folders that take no files, as the record holds them."""

from dataclasses import dataclass

from sqlalchemy import RowMapping


@dataclass(frozen=True, kw_only=True)
class StorageFault:
    """A folder or URL where files could not be stored, and why.

    ``host`` is the machine that found it so, empty for a URL. ``due``: if the place takes files by now, work may be
    tried again.
    """

    place: str
    host: str
    reason: str
    due: bool

    @classmethod
    def from_row(cls, row: RowMapping) -> "StorageFault":
        return cls(place=row["place"], host=row["host"], reason=row["reason"], due=row["due"])
