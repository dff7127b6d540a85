"""How this copy of fashion-gan was installed, and so how its user installs what is missing."""

import importlib.metadata
import importlib.util
import json
import shlex
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from fashion_gan.errors import InputError

PACKAGE = "fashion-gan"
CHECKOUT = Path(__file__).resolve().parents[3]


def is_installed(module: str) -> bool:
    """Whether a module can be imported. A folder that only has the module's name does not count."""
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None


def check_installed(module: str, purpose: str, extra: str) -> None:
    """Raise InputError if a module is missing.

    Args:
        module: the module.
        purpose: what needs it, as the start of the message: "evaluate", "reading x.safetensors".
        extra: the extra of fashion-gan that installs it.
    """
    if not is_installed(module):
        raise InputError(f"{purpose} needs {module}: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The command that installs an extra of this copy of fashion-gan.

    Example:
        >>> "[train]" in install_command("train")
        True
    """
    if (CHECKOUT / "pyproject.toml").is_file():  # This code runs from a checkout.
        return f"pip install -e {_quoted(f'{CHECKOUT}[{extra}]')}"
    return f"pip install {_quoted(_requirement(extra, _origin()))}"


def _origin() -> dict[str, object]:
    """What pip recorded about the source of the installation (PEP 610). Empty for a package index."""
    try:
        text = importlib.metadata.distribution(PACKAGE).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return {}
    return json.loads(text) if text else {}


def _requirement(extra: str, origin: dict[str, object]) -> str:
    url, control = str(origin.get("url", "")), origin.get("vcs_info")
    if not url:
        return f"{PACKAGE}[{extra}]"
    if isinstance(control, dict):
        return f"{PACKAGE}[{extra}] @ {control['vcs']}+{url}@{control['commit_id']}"
    if url.startswith("file:"):  # a checkout, a wheel or a source distribution
        path = urllib.request.url2pathname(urllib.parse.urlsplit(url).path)
        return f"{path}[{extra}]" if Path(path).exists() else f"{PACKAGE}[{extra}]"
    return f"{PACKAGE}[{extra}] @ {url}"


def _quoted(word: str) -> str:
    return f'"{word}"' if sys.platform == "win32" else shlex.quote(word)
