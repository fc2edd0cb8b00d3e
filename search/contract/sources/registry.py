"""Which fields of DatasetSpec belong to a source, and the sources by name."""

from dataclasses import dataclass

from search.registry import Registry


@dataclass(frozen=True, kw_only=True)
class SourceFields:
    """``needs`` are fields of DatasetSpec that the source cannot do without, ``takes`` further ones that it uses.
    ``names``: what the field ``name`` may be, where that is fixed.
    """

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.needs + self.takes)


SOURCES = Registry[SourceFields]("source", order=("folder", "coco", "torchvision", "parquet", "sklearn"))
