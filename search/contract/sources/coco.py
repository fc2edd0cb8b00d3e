"""Source ``coco``: crops of the boxes of a COCO annotation file."""

from search.contract.sources.registry import SOURCES, SourceFields

SOURCES.add("coco", SourceFields(needs=("path", "annotations"), takes=("classes", "min_side_px", "margin")))
