"""CommandError: a command could not do what it was asked for; told to the user, exit code 1."""


class CommandError(Exception):
    """Its text says what went wrong and what the user can do."""
