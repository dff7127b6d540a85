"""Addresses of models and data sets on the Hub: ``hf://user/name`` and ``hf://datasets/user/name@revision``."""

import dataclasses
import os
import re
from typing import TypeGuard

from fashion_gan.errors import InputError, show

SCHEME = "hf://"
DATASETS = "datasets/"
MAX_NAME = 96  # characters, as on the Hub
MAX_REVISION = 100
_NAME = r"[A-Za-z0-9][\w.-]*"
_REPOSITORY = re.compile(f"({_NAME})/({_NAME})", re.ASCII)
_REVISION = re.compile(r"\w[\w./-]*", re.ASCII)
_COMMIT = re.compile("[0-9a-f]{40}")
FORMS = "hf://user/name or hf://datasets/user/name, and perhaps @ with a revision after it"


@dataclasses.dataclass(frozen=True)
class HubAddress:
    """A repository of the Hub, and a revision of it.

    Attributes:
        repository: "user/name".
        is_dataset: whether it is a data set. Otherwise it is a model.
        revision: a branch, a tag or a commit. None: the branch ``main``.
    """

    repository: str
    is_dataset: bool = False
    revision: str | None = None

    @property
    def kind(self) -> str:
        """The Hub's word: "model" or "dataset"."""
        return "dataset" if self.is_dataset else "model"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, whose files never change."""
        return self.revision is not None and _COMMIT.fullmatch(self.revision) is not None

    def at(self, revision: str) -> "HubAddress":
        """The same repository at another revision."""
        return dataclasses.replace(self, revision=revision)

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        return f"{SCHEME}{DATASETS * self.is_dataset}{self.repository}{revision}"


def is_address(value: object) -> TypeGuard[str]:
    """Whether a value is meant as an address of the Hub. It may be a wrong one."""
    return isinstance(value, str) and value.startswith(SCHEME)


def parse_address(text: str, revision: object = None) -> HubAddress:
    """Read an address.

    Args:
        text: the address.
        revision: a revision, if the address has none.

    Raises:
        InputError: it is no address, or both name a revision.

    Example:
        >>> str(parse_address("hf://datasets/someone/clothes", "v1"))
        'hf://datasets/someone/clothes@v1'
    """
    path, at, own_revision = text.removeprefix(SCHEME).partition("@")
    is_dataset = path.startswith(DATASETS)
    repository = check_repository("the address", path.removeprefix(DATASETS), f"{show(text)} must be {FORMS}")
    if at and revision is not None:
        raise InputError(f"revision={show(revision)} does not go with {show(text)}, which names a revision already")
    chosen = own_revision if at else revision
    return HubAddress(repository, is_dataset, None if chosen is None else _check_revision(chosen))


def check_repository(name: str, value: object, message: str = "") -> str:
    """Check a repository's name, "user/name". Raises InputError for anything else."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    match = _REPOSITORY.fullmatch(text) if isinstance(text, str) else None
    if match is None or len(match[0]) > MAX_NAME or ".." in match[0] or "--" in match[0] or match[0].endswith(".git"):
        raise InputError(message or f"{name}={show(value)} must be the name of a repository on the Hub: user/name")
    return match[0]


def _check_revision(revision: object) -> str:
    is_text = isinstance(revision, str) and len(revision) <= MAX_REVISION
    if not isinstance(revision, str) or not is_text or not _REVISION.fullmatch(revision) or ".." in revision:
        raise InputError(f"revision={show(revision)} must be a branch, a tag or a commit of the repository")
    return revision
