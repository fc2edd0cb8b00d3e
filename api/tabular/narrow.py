"""Fitting a table to a terminal's width: a row is one line."""

from collections.abc import Sequence
from dataclasses import dataclass

#: Spaces between two columns: the padding of the left one, and the box's own.
GAP = 2
#: A column that may be cut keeps at least so many characters.
_LEAST_CUT = 24


@dataclass(frozen=True, kw_only=True)
class Narrow:
    """``least`` has the columns that a narrow terminal goes without, the least useful first.

    ``cut`` is a column of texts, which are cut. Columns without any value are left out, too.
    """

    least: Sequence[str]
    cut: str | None = None

    def fitted(
        self, headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int
    ) -> tuple[list[str], list[list[str]]]:
        """The headers and cells of a table of at most ``width`` characters, if it can be that narrow."""
        columns = {header: cells for header, *cells in zip(headers, *rows, strict=True) if any(cells)}
        widths = {header: max(map(len, (header, *cells))) + GAP for header, cells in columns.items()}
        whole = widths.get(self.cut or "", 0)
        if self.cut in widths:
            widths[self.cut] = min(whole, _LEAST_CUT + GAP)
        for header in self.least:
            if sum(widths.values()) <= width:
                break
            widths.pop(header, None)
        if self.cut in widths:
            room = min(whole, max(_LEAST_CUT + GAP, widths[self.cut] + width - sum(widths.values())))
            columns[self.cut] = [_shortened(cell, room - GAP) for cell in columns[self.cut]]
        shown = {header: columns[header] for header in widths}
        return list(shown), [list(row) for row in zip(*shown.values(), strict=True)]


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
