"""The two ways in which a command ends early, and the exit status of each."""

BAD_INPUT = 2
UNTRUSTED = 3


class InputError(Exception):
    """What the person gave cannot be used: one line that says what and why. Exit status 2."""

    status = BAD_INPUT


class RunError(Exception):
    """The run went wrong, or shows nothing about the layer: one line. Exit status 3. What was recorded stays."""

    status = UNTRUSTED
