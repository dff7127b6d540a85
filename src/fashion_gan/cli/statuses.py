"""What the command ends with."""

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
