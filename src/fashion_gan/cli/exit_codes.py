"""The exit codes of the command."""

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
