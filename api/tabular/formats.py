"""Numbers for people: SI prefixes, three significant digits, intervals."""

from math import floor, log10

_PREFIXES = ("", "k", "M", "G", "T")


def si(value: float) -> str:
    """``1.23 M`` for 1234567: three significant digits with an SI prefix."""
    exponent = 0
    while float(f"{value:.3g}") >= 1000 and exponent < len(_PREFIXES) - 1:
        value, exponent = value / 1000, exponent + 1
    digits = f"{value:.{decimals(value) if exponent else 0}f}"
    return f"{digits} {_PREFIXES[exponent]}".rstrip()


def size(value_bytes: float) -> str:
    """``340 kB`` for 340123 bytes."""
    text = si(value_bytes)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def decimals(value: float) -> int:
    """How many decimals show three significant digits of a positive ``value``."""
    return max(0, 2 - floor(log10(float(f"{value:.3g}")))) if value > 0 else 2


def milliseconds(value_ms: float) -> str:
    """``0.213`` for 0.21312."""
    return f"{value_ms:.{decimals(value_ms)}f}"


def interval(value_ms: float, low_ms: float | None, high_ms: float | None) -> str:
    """``0.213 [0.210, 0.217]``; only the value if the interval is unknown."""
    if low_ms is None or high_ms is None:
        return milliseconds(value_ms)
    digits = decimals(value_ms)
    return f"{value_ms:.{digits}f} [{low_ms:.{digits}f}, {high_ms:.{digits}f}]"


def ratio(value: float) -> str:
    """``2.6x`` for 2.6: how many times faster."""
    return f"{value:.1f}x" if value < 100 else f"{value:.0f}x"


def clock(duration_s: float) -> str:
    """``1:18`` for 78 seconds, ``2:03:09`` for more than an hour."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def brief(reason: str | None, width: int = 60) -> str:
    """The last line of a reason (the error, if it is a traceback), cut to ``width`` characters."""
    line = (reason or "").strip().rpartition("\n")[2].strip()
    return line if len(line) <= width else f"{line[: width - 3]}..."
