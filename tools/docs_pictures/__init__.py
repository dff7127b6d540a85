"""The pictures of the documentation. ``tools/draw_docs.py`` draws them."""
