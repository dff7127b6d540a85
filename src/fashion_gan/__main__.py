"""``python -m fashion_gan`` is the command ``fashion-gan``."""

import sys

from fashion_gan.cli import main

sys.exit(main())
