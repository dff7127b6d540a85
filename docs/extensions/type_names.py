"""Shows signatures as they are written in the code: ``Images``, not ``ndarray[tuple[Any, ...], dtype[uint8]]``."""

import ast
import inspect
import textwrap

from sphinx.application import Sphinx


def written_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """The signature from the source of a function, or of a class's ``__init__``; None keeps Sphinx's own."""
    function = vars(obj).get("__init__") if what == "class" else inspect.unwrap(getattr(obj, "__func__", obj))
    if not inspect.isfunction(function) or function.__code__.co_filename == "<string>":  # A dataclass has no source.
        return None
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    returned = ast.unparse(node.returns) if node.returns and what != "class" else None
    return f"({ast.unparse(arguments)})", returned.strip("'") if returned else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-signature", written_signature)
    return {"parallel_read_safe": True}
