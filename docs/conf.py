"""Sphinx's settings for the documentation site. `make docs` builds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

from fashion_gan.version import __version__

project = "fashion-gan"
author = "the fashion-gan authors"
copyright = author  # noqa: A001  Sphinx reads this name.
release = version = __version__

extensions = [
    "myst_nb",  # MyST markdown, and notebooks for the course.
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "from_code",
    "live_page",
    "notebook_badges",
    "type_names",
]
exclude_patterns = ["_build", "results"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "substitution"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # Notebooks are executed by their own tests.

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
add_module_names = False

smartquotes_action = "qe"  # Dashes stay: "--seed" must not become "–seed".

html_theme = "furo"
html_title = f"fashion-gan {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
