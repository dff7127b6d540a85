"""The client of the Hub: ``huggingface_hub`` without telemetry, and its errors in one line."""

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from fashion_gan.errors import InputError, one_line
from fashion_gan.hub.address import HubAddress
from fashion_gan.system.installation import check_installed
from fashion_gan.system.telemetry import import_hub
from fashion_gan.version import __version__

MAX_REASON = 200  # characters of the client's own message
REMEDIES = {
    "HFValidationError": "its name is not one that the Hub takes",
    "GatedRepoError": "its owner gives access to it on request: ask for it on its page, and set HF_TOKEN",
    "RepositoryNotFoundError": "there is no such repository; or it is private, and HF_TOKEN must be set to a token",
    "RevisionNotFoundError": "it has no such revision",
    "OfflineModeIsEnabled": "HF_HUB_OFFLINE is set",
}


def open_client(purpose: str) -> tuple[ModuleType, Any]:
    """The module ``huggingface_hub`` and its ``HfApi``, for the server that ``HF_ENDPOINT`` names.

    Args:
        purpose: what needs it, as the start of a message.

    Raises:
        InputError: it is not installed.
    """
    check_installed("huggingface_hub", purpose, "hub")
    hub = import_hub()
    options = {"library_name": "fashion-gan", "library_version": __version__}
    return hub, hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT"), **options)


def is_offline(hub: ModuleType) -> bool:
    """Whether the user has set ``HF_HUB_OFFLINE``."""
    return bool(hub.constants.HF_HUB_OFFLINE)


@contextlib.contextmanager
def errors_in_one_line(hub: ModuleType, address: HubAddress, endpoint: str, verb: str) -> Iterator[None]:
    """Turn the client's errors into an InputError that names the repository, the server and the reason."""
    try:
        yield
    except InputError:
        raise
    except (hub.errors.HTTPError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{address} could not be {verb} ({endpoint}): {_reason(hub, error)}") from error


def _reason(hub: ModuleType, error: Exception) -> str:
    known = next((REMEDIES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in REMEDIES), None)
    if known is not None:
        return known
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"access is denied (HTTP {status}): set HF_TOKEN to a token that may do this"
    text = one_line(error)[:MAX_REASON]
    return f"{type(error).__name__}: {text}" if isinstance(error, hub.errors.HTTPError) else text
