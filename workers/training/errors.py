"""What goes wrong in training.

TrainingError
├── NotFiniteError     the loss is no number any more      a retry ends the same way: change the settings
├── DeviceMemoryError  the device's memory is full         a retry helps once other processes have left the device
└── CheckpointError    a file holds no such training       a retry ends the same way: remove the file
"""


class TrainingError(Exception):
    """The training cannot go on; the message says what to change."""


class NotFiniteError(TrainingError, FloatingPointError):
    """The loss is NaN or infinite."""


class DeviceMemoryError(TrainingError, MemoryError):
    """The training does not fit into the device's memory, or into the part of it that this process may have."""


class CheckpointError(TrainingError, ValueError):
    """The checkpoint cannot be read, or is that of another training."""
