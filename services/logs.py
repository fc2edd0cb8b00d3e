"""Logs: a JSON object per line on standard error, with what the process works on; coloured lines on a terminal.

Whatever looks like a secret is masked: keys, bearer tokens, passwords in URLs.
"""

import logging
import re
import sys
from collections.abc import Mapping

import structlog
from structlog.types import EventDict, Processor

_SECRETS = (
    (re.compile(r"\bseedleaf_[\w-]{20,}"), "***"),
    (re.compile(r"(?i)\b(bearer)\s+[^\s'\",]+"), r"\1 ***"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), r"\1:***@"),
)


def configure(process: str, **ids: str) -> None:
    """Add the process's name and its ``ids`` to all that it logs, by structlog or by the standard library."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _adds_context({"process": process, **ids}),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    on_terminal = sys.stderr.isatty()
    renderer: Processor = structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    structlog.configure(processors=[*shared, renderer], logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
    )
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _adds_context(context: Mapping[str, str]) -> Processor:
    def add(logger: object, method: str, event: EventDict) -> EventDict:
        return {**context, **event}

    return add


def without_secrets(logger: object, method: str, event: EventDict) -> EventDict:
    """The event with what looks like a secret masked in each of its texts."""
    return {name: _masked(value) if isinstance(value, str) else value for name, value in event.items()}


def _masked(text: str) -> str:
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text
