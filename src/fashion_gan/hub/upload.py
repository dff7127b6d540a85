"""A folder of files -> one commit in a repository of the Hub, which is made if it does not exist."""

from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError
from fashion_gan.hub.address import HubAddress
from fashion_gan.hub.client import errors_in_one_line, is_offline, open_client


def make_repository(address: HubAddress, *, private: bool) -> None:
    """Make a repository, unless it exists. This also finds out early whether the Hub takes anything from this user.

    Args:
        address: the repository, without a revision.
        private: a new repository is visible to its owner only.

    Raises:
        InputError: ``huggingface_hub`` is missing, the client is offline, or the Hub refuses it.
    """
    hub, api = open_client("push")
    if is_offline(hub):
        raise InputError("push needs the Hub, and HF_HUB_OFFLINE is set")
    with errors_in_one_line(hub, address, api.endpoint, "made"):
        api.create_repo(address.repository, repo_type=address.kind, private=private or None, exist_ok=True)


def upload_folder(folder: Path, address: HubAddress, message: str) -> HubAddress:
    """Upload all files of a folder in one commit.

    Args:
        folder: the folder.
        address: the repository, without a revision.
        message: the commit's message.

    Returns:
        The repository at the new commit.

    Raises:
        InputError: the Hub refuses the upload, or the connection ends.
    """
    hub, api = open_client("push")
    with errors_in_one_line(hub, address, api.endpoint, "uploaded"):
        commit = api.upload_folder(
            repo_id=address.repository, repo_type=address.kind, folder_path=str(folder), commit_message=message
        )
    return address.at(commit.oid)


def with_front_matter(card: str, facts: JsonObject) -> str:
    """A card with its facts as YAML at the top, in the form that the Hub reads."""
    hub, _ = open_client("push")
    return f"---\n{hub.CardData(**facts).to_yaml()}\n---\n\n{card}"
