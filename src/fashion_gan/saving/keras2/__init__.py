"""Import generators from the files of other programs that use Keras 2 or Keras 3, without running code from a file."""

MAX_CLASSES = 1000  # of an imported generator
