"""The page to play on: served by `fashion-gan explore`, or written as one file."""
