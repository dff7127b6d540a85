"""Files of the Hub, in its cache: only those of named kinds, of limited size, and with the right checksums."""

import dataclasses
import fnmatch
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from fashion_gan.errors import InputError
from fashion_gan.hub.address import HubAddress, parse_address
from fashion_gan.hub.client import errors_in_one_line, is_offline, open_client
from fashion_gan.system.atomic_files import sha256

ONNX, CONFIG = "generator.onnx", "config.json"
GENERATOR, DISCRIMINATOR = "generator.safetensors", "discriminator.safetensors"
MODEL_FILES = (ONNX, CONFIG, GENERATOR, DISCRIMINATOR)
DATA_FILES = ("*.parquet",)
MAX_MODEL_BYTES = 1 << 31  # of all files of a model together
MAX_DATA_BYTES = 1 << 34
MAIN = "main"
MAX_LISTED = 5  # other files that an error names


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Files of a repository at one commit.

    Attributes:
        folder: the folder of the cache that holds them.
        address: the repository at its commit.
    """

    folder: Path
    address: HubAddress


def fetch_model(address: HubAddress) -> Snapshot:
    """Download a model: ONNX, safetensors and JSON files, whose names are known. No other file is touched.

    Without a connection, or for a commit that is in the cache, the cache is used.

    Raises:
        InputError: it is a data set, it holds no model of fashion-gan, it is too large, or it cannot be downloaded.
    """
    if address.is_dataset:
        raise InputError(f"{address} is a data set, not a model")
    return _fetch(address, MODEL_FILES, ONNX, MAX_MODEL_BYTES)


def fetch_dataset(text: str) -> Snapshot:
    """Download the Parquet files of a data set. The errors are those of ``fetch_model``."""
    address = parse_address(text)
    if not address.is_dataset:
        raise InputError(f"{address} is a model; a data set's address is hf://datasets/{address.repository}")
    return _fetch(address, DATA_FILES, DATA_FILES[0], MAX_DATA_BYTES)


def _fetch(address: HubAddress, patterns: Sequence[str], required: str, max_bytes: int) -> Snapshot:
    hub, api = open_client(str(address))
    if address.is_pinned or is_offline(hub):
        folder = _find_in_cache(hub, api, address, patterns)
        if folder is not None:
            return Snapshot(folder, address.at(folder.name))
        if is_offline(hub):
            raise InputError(f"{address} is not in the cache of the Hub, and HF_HUB_OFFLINE is set")
    with errors_in_one_line(hub, address, api.endpoint, "downloaded"):
        info = api.repo_info(
            address.repository,
            repo_type=address.kind,
            revision=address.revision,
            files_metadata=True,
            timeout=hub.constants.HF_HUB_ETAG_TIMEOUT,
        )
        files = _chosen_files(address, info.siblings or (), patterns, required, max_bytes)
        folder = Path(_snapshot(api, address, patterns, local_files_only=False))
        if folder.name != info.sha:
            raise InputError(f"{address} was changed while it was downloaded: try again")
        for file in files:
            _verify(address, folder / file.rfilename, file)
    return Snapshot(folder, address.at(folder.name))


def _find_in_cache(hub: ModuleType, api: Any, address: HubAddress, patterns: Sequence[str]) -> Path | None:
    try:
        return Path(_snapshot(api, address, patterns, local_files_only=True))
    except hub.errors.LocalEntryNotFoundError:
        return None


def _snapshot(api: Any, address: HubAddress, patterns: Sequence[str], *, local_files_only: bool) -> str:
    """The folder of the cache that holds the files. The client resumes downloads that were interrupted."""
    return str(
        api.snapshot_download(
            address.repository,
            repo_type=address.kind,
            revision=address.revision or MAIN,
            allow_patterns=list(patterns),
            local_files_only=local_files_only,
        )
    )


def _chosen_files(
    address: HubAddress, files: Sequence[Any], patterns: Sequence[str], required: str, max_bytes: int
) -> list[Any]:
    """The files to download. Raises InputError if a needed one is missing, or if they are too large."""
    chosen = [file for file in files if any(fnmatch.fnmatch(file.rfilename, pattern) for pattern in patterns)]
    if not any(fnmatch.fnmatch(file.rfilename, required) for file in chosen):
        others = sorted(file.rfilename for file in files)
        more = " …" if others[MAX_LISTED:] else ""
        raise InputError(
            f"{address} holds no {required}, and other files are not opened, because they may run code: it holds "
            f"{', '.join(others[:MAX_LISTED]) or 'nothing'}{more}"
        )
    unknown = [file.rfilename for file in chosen if not isinstance(file.size, int)]
    if unknown:
        raise InputError(f"{address}: the Hub does not tell the size of {unknown[0]}")
    size = sum(file.size for file in chosen)
    if size > max_bytes:
        raise InputError(f"{address} has {size:,} bytes, and at most {max_bytes:,} are downloaded")
    return chosen


def _verify(address: HubAddress, path: Path, file: Any) -> None:
    """Raise InputError if a file is not what the Hub says. Then it is removed from the cache."""
    stored = path.resolve()
    digest = sha256(stored) if file.lfs is not None else _git_hash(stored)
    if digest == (file.lfs.sha256 if file.lfs is not None else file.blob_id):
        return
    for broken in (path, stored):
        broken.unlink(missing_ok=True)
    raise InputError(f"{address}: {file.rfilename} arrived damaged: its checksum is not the Hub's; try again")


def _git_hash(path: Path) -> str:
    """The name that Git gives a file of this content. The Hub tells it for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
