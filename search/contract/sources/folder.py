"""Source ``folder``: class folders."""

from search.contract.sources.registry import SOURCES, SourceFields

SOURCES.add("folder", SourceFields(needs=("path",), takes=("test_list",)))
