"""Source ``parquet``: tables with a column of images and one of labels."""

from search.contract.sources.registry import SOURCES, SourceFields

SOURCES.add("parquet", SourceFields(needs=("path",), takes=("image_column", "label_column")))
