"""CommandError: a command failed. Its message is printed, and the exit code is 1."""


class CommandError(Exception):
    """The message says what went wrong and what the user can do."""
