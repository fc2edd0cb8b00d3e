"""What users ask of a study, as its events name it."""

from enum import StrEnum


class Action(StrEnum):
    CREATE = "create"
    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    COMPRESS = "compress"
    TRAIN = "train"
    RETRY = "retry"
