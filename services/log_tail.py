"""Why something failed, short enough to be read: the end of its traceback."""

_LINES = 12


def last_lines(text: str) -> str:
    """The last lines of a traceback or log, without those that only point at columns."""
    lines = [line for line in text.strip().splitlines() if line.strip(" ^~")]
    return "\n".join(lines[-_LINES:])
