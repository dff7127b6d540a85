"""The interactive page: its HTML, its scripts, and the version in a single file that needs no server."""
