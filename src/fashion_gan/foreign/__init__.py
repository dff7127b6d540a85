"""Generators that other programs left behind as ``.h5`` files of Keras 2, read without running anything in them."""
