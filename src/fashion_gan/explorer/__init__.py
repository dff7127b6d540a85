"""The server behind ``fashion-gan explore``: the interactive page, and the pictures that it asks for."""
