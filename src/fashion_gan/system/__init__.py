"""The process and the machine: Keras's backend, CPU cores, atomic files, progress bars."""
