"""The process: backends, cores, files, progress, the machine."""
