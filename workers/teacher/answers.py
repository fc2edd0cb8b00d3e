"""TeacherAnswers: a teacher's logits on every training image of a data set, as arrays and as a file."""

import hashlib
import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.data import Dataset

Logits = NDArray[np.float16]
_LARGEST = float(np.finfo(np.float16).max)


class AnswersError(ValueError):
    """Answers that cannot be used: those of other images, or a file that is none. Compute them anew."""


@dataclass(frozen=True, kw_only=True)
class TeacherAnswers:
    """``logits`` float16 [n, classes], one row for each image of ``full_train`` in its order.

    ``images`` tells these images and their labels from all others.
    """

    images: str
    logits: Logits

    @classmethod
    def on(cls, dataset: Dataset, logits: NDArray[np.floating]) -> "TeacherAnswers":
        """``logits`` [n, classes] for the n images of the data set's ``full_train``."""
        expected = (len(dataset.splits.full_train), len(dataset.classes))
        if logits.shape != expected:
            raise AnswersError(f"a teacher answered {list(logits.shape)}, not {list(expected)}: images, classes")
        if not np.isfinite(logits).all():
            raise AnswersError("a teacher's answers are not finite: train it anew, or take another one")
        return cls(images=_images_key(dataset), logits=logits.clip(-_LARGEST, _LARGEST).astype(np.float16))

    def for_rows(self, dataset: Dataset, rows: NDArray[np.int64]) -> Logits:
        """The logits [m, classes] of ``rows`` of the data set, int64 [m], each of which is in ``full_train``.

        AnswersError if the answers are on other images than those of the data set's ``full_train``.
        """
        if self.images != _images_key(dataset):
            raise AnswersError(
                "the teacher's answers are on other training images: the data set or its split has changed since they"
                " were computed; start a new study"
            )
        return self.logits[np.searchsorted(dataset.splits.full_train, rows)]

    def to_bytes(self) -> bytes:
        """As a compressed npz file."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=np.array(self.images), logits=self.logits)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "TeacherAnswers":
        """What ``to_bytes`` wrote. AnswersError for anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return cls(images=str(file["images"]), logits=file["logits"])
        except (KeyError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise AnswersError("a file of a teacher's answers is damaged: have them computed anew") from error


def _images_key(dataset: Dataset) -> str:
    rows = dataset.splits.full_train
    parts = (dataset.id.encode(), rows.astype(np.int64).tobytes(), dataset.labels[rows].astype(np.int64).tobytes())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
