"""Registry: what can be chosen by name. A new choice is a new file of the registry's folder, which registers it there.

Each folder of choices has a ``registry.py`` with its Registry; the folder's ``__init__`` imports all its files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar

Entry = TypeVar("Entry")


class UnknownNameError(KeyError):
    """No entry has this name; the message lists the names that there are."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Mapping[str, Entry]):
    """Entries by name. ``kind`` is what messages call an entry, in the singular.

    Names in ``order`` come first, in that order; the others follow as they were registered. Listings, the schemas of
    the public spec and the draws of a seeded search depend on the order.
    """

    def __init__(self, kind: str, *, order: Sequence[str] = ()) -> None:
        self._kind, self._order = kind, tuple(order)
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> None:
        """ValueError if another entry has the name."""
        if name in self._entries:
            raise ValueError(f"there already is a {self._kind} called {name!r}")
        self._entries[name] = entry

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """A decorator that adds a function or a class under ``name``."""

        def added(entry: Entry) -> Entry:
            self.add(name, entry)
            return entry

        return added

    def __getitem__(self, name: str) -> Entry:
        """UnknownNameError if there is none."""
        if name not in self._entries:
            raise UnknownNameError(f"there is no {self._kind} called {name!r}; there are {', '.join(self)}")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        first = [name for name in self._order if name in self._entries]
        return iter([*first, *(name for name in self._entries if name not in first)])

    def __len__(self) -> int:
        return len(self._entries)


def import_files(package: str) -> None:
    """Import every module of ``package``, in the order of their names: each registers what it holds."""
    folders = [str(Path(path)) for path in import_module(package).__path__]
    for module in iter_modules(folders):
        import_module(f"{package}.{module.name}")
