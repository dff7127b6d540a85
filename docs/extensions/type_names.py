"""Shows signatures as they are written in the code: ``Images``, not ``ndarray[tuple[Any, ...], dtype[uint8]]``.

The description of an argument follows a colon, not two dashes.
"""

import ast
import inspect
import re
import textwrap

from docutils import nodes
from sphinx.application import Sphinx

ARRAY_TYPE = re.compile(r"[~\w.]*ndarray\[[~\w.]*tuple\[[^]]*\], [~\w.]*dtype\[[~\w.]*?(uint8|int32)\]\]")
ALIASES = {"uint8": "Images", "int32": "Labels"}


def written_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """The signature from the source of a function, or of a class's ``__init__``; None keeps Sphinx's own."""
    function = vars(obj).get("__init__") if what == "class" else inspect.unwrap(getattr(obj, "__func__", obj))
    if not inspect.isfunction(function):
        return None
    if function.__code__.co_filename == "<string>":  # The signature of a dataclass has no source.
        return ARRAY_TYPE.sub(lambda match: ALIASES[match[1]], signature), returns
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    returned = ast.unparse(node.returns) if node.returns and what != "class" else None
    return f"({ast.unparse(arguments)})", returned.strip("'") if returned else None


def mend_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Undo two things that Napoleon does to a docstring.

    It takes words before a colon in a property's first line as the property's type. It also adds the type of each
    attribute. The text says an array's type and shape in fewer words.
    """
    if what == "property":
        lines[:] = inspect.cleandoc(obj.__doc__ or "").splitlines()
    lines[:] = [line for line in lines if ":type: numpy.ndarray" not in line]


def colons_for_dashes(app: Sphinx, document: nodes.document) -> None:
    """Replace what Sphinx puts between an argument's name and its description."""
    for text in list(document.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(": "))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-signature", written_signature)
    app.connect("autodoc-process-docstring", mend_docstring, priority=600)  # After Napoleon, which has 500.
    app.connect("doctree-read", colons_for_dashes)
    return {"parallel_read_safe": True}
