"""The weights folder: files NAME.safetensors, in a folder or at a URL that all nodes of a cluster see."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from search.files import replace_file
from search.weights.safetensors import Head, read_head

_SUFFIX = ".safetensors"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_HOME = "~/.seedleaf"


class WeightsFolderError(ValueError):
    """The folder cannot be read or written, or a file in it is damaged; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class StoredWeights:
    """A file of the folder. ``origin`` and ``license`` are as they were given when it was added."""

    name: str
    address: str
    size_bytes: int
    origin: str
    license: str | None


def default_folder(artifacts: str | Path) -> str:
    """The folder in the artifact store, which the server and the nodes of a cluster share."""
    return f"{str(artifacts).rstrip('/')}/weights"


def folder_of_environment(variables: Mapping[str, str] = os.environ) -> "WeightsFolder":
    """The folder of a process of the workers, from the variables that the service's settings are read from."""
    artifacts = variables.get("SEEDLEAF_ARTIFACTS_URL") or f"{variables.get('SEEDLEAF_HOME', _HOME)}/artifacts"
    return WeightsFolder(variables.get("SEEDLEAF_WEIGHTS") or default_folder(artifacts))


class WeightsFolder:
    """The folder at ``where``, a path or a URL. WeightsFolderError if nothing here can read such a URL.

    ``where`` becomes an absolute path or a URL.
    """

    def __init__(self, where: str) -> None:
        try:
            # Other processes write to it too: listings are not cached.
            files, root = fsspec.url_to_fs(where, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise WeightsFolderError(
                f"the weights folder {where} cannot be read ({error}): set SEEDLEAF_WEIGHTS to a folder, or install "
                "seedleaf[s3] for s3://, seedleaf[gcs] for gs://"
            ) from error
        self._files, self._root = files, root.rstrip("/")
        self._is_local = isinstance(files, LocalFileSystem)
        self.where = self._root if self._is_local else str(files.unstrip_protocol(self._root))

    def names(self) -> list[str]:
        """The networks whose weights are there, sorted."""
        try:
            paths = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # each file system has errors of its own
            raise self._unreadable(error) from error
        files = [path.rpartition("/")[2] for path in paths]
        return sorted(file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX) and _NAME.fullmatch(file))

    def find(self, name: str) -> StoredWeights | None:
        """The weights of the network ``name``; None if there are none. WeightsFolderError if they are damaged."""
        if (head := self._head(name)) is None:
            return None
        return StoredWeights(
            name=name,
            address=self.address(name),
            size_bytes=head.size_bytes,
            origin=head.metadata.get("origin", f"{name}{_SUFFIX}"),
            license=head.metadata.get("license"),
        )

    def address(self, name: str) -> str:
        """The path or URL of the weights of the network ``name``."""
        path = self._path(name)
        return path if self._is_local else str(self._files.unstrip_protocol(path))

    def read(self, name: str) -> bytes:
        """The file of the network ``name``, which must be there."""
        try:
            return bytes(self._files.cat_file(self._path(name)))
        except Exception as error:  # each file system has errors of its own
            raise self._unreadable(error) from error

    def store(self, name: str, content: bytes) -> StoredWeights:
        """Write a file whole or not at all; one of that name is replaced."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no network's name: give it with --name")
        try:
            if self._is_local:
                replace_file(Path(self._path(name)), content)
            else:
                self._files.pipe_file(self._path(name), content)
        except Exception as error:  # each file system has errors of its own
            raise self._unreadable(error) from error
        stored = self.find(name)
        assert stored is not None
        return stored

    def _head(self, name: str) -> Head | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            file: BinaryIO
            with self._files.open(self._path(name), "rb") as file:
                return read_head(file)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise WeightsFolderError(
                f"{self.address(name)} is damaged ({error}): remove it, or add it again"
            ) from error
        except Exception as error:  # each file system has errors of its own
            raise self._unreadable(error) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}{_SUFFIX}"

    def _unreadable(self, error: Exception) -> WeightsFolderError:
        return WeightsFolderError(
            f"the weights folder {self.where} does not answer ({error or type(error).__name__}): mend its access here, "
            "or set SEEDLEAF_WEIGHTS to another folder"
        )
