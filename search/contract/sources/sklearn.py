"""Source ``sklearn``: its handwritten digits."""

from search.contract.sources.registry import SOURCES, SourceFields

SOURCES.add("sklearn", SourceFields(takes=("name",), names=("digits",)))
