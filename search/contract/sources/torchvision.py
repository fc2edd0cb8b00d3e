"""Source ``torchvision``: its classification sets."""

from search.contract.sources.registry import SOURCES, SourceFields

SOURCES.add("torchvision", SourceFields(needs=("path", "name"), takes=("download",)))
