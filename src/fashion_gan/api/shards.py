"""Writing one shard of a data set, and merging all of them into a data set with a manifest and a card."""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from fashion_gan.api.dataset_card import write_manifest
from fashion_gan.api.numbered_images import NumberedImages
from fashion_gan.arrays import JsonObject, Shape
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.datasets.shard_writers import open_shard
from fashion_gan.datasets.shards import (
    SHARD_FILES,
    Shard,
    all_shards,
    difference,
    find_records,
    read_record,
    settings_of,
    shard_of,
    write_record,
)
from fashion_gan.errors import InputError
from fashion_gan.system import progress
from fashion_gan.system.atomic_files import atomic_file, remove_leftovers, sha256
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.parallel import parallel_map
from fashion_gan.system.paths import user_path

SHOWN_SHARDS = 10  # that a message names


def write_shard(folder: Path, shard: Shard, settings: JsonObject, images: NumberedImages, *, force: bool) -> JsonObject:
    """Write the files of a shard into a folder, and their record. A shard that is complete is left as it is.

    Each file is written atomically, so a killed process leaves no half shard. The record comes first: a file without
    a record was written by something else.

    Args:
        folder: the folder of all shards. It is made if it is missing.
        shard: the shard.
        settings: what the records of all shards say.
        images: draws the images.
        force: replace a shard of other settings.

    Returns:
        The shard's record.

    Raises:
        InputError: the folder holds another data set, or files that fashion-gan did not write.
    """
    _make_folder(folder)
    written = _written_record(folder, shard, settings, force=force)
    if written is not None and not _faults(folder, [written]):
        progress.notice(f"shard {shard} in {folder} is complete, and its checksums are right: nothing to do")
        return written
    names = shard.file_names(settings["format"])
    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(atomic_file(folder / name)) for name in names]
        shape: Shape = tuple(settings["shape"])
        with open_shard(settings["format"], paths, shard, shape, settings["class_names"]) as write:
            for part, labels in images.draw(shard.start, shard.stop):
                write(part, labels)
        record: JsonObject = {
            **settings,
            "shard": shard.number,
            "classes": [dataclasses.asdict(tally) for tally in images.tallies],
            "files": {name: sha256(path) for name, path in zip(names, paths, strict=True)},
        }
        with atomic_file(folder / shard.record_name) as path:
            write_record(path, record)
    return record


def _make_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise InputError(f"{folder} cannot be made: there is no folder {folder.parent}")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder: choose another path")
    folder.mkdir(exist_ok=True)


def _written_record(folder: Path, shard: Shard, settings: JsonObject, *, force: bool) -> JsonObject | None:
    """The record of this shard, if it is there. Raises InputError if the folder holds anything else."""
    path = folder / shard.record_name
    records = find_records(folder)
    if (folder / MANIFEST).exists() and not records:
        raise InputError(f"{folder} holds another data set: choose another folder")
    if force:
        return None
    if not path.exists():
        for name in shard.file_names(settings["format"]):
            if (folder / name).exists():
                raise InputError(f"{folder / name} already exists, but no {path.name}: choose another folder")
    for other in [path] if path.exists() else records[:1]:  # The merge compares all of them.
        if differs := difference(read_record(other), settings):
            raise InputError(f"{other} is of another data set, with {differs}: choose another folder, or set --force")
    record = read_record(path) if path.exists() else None
    return record if record is not None and shard_of(record) == shard else None


@default_settings()
def merge_dataset(folder: str | Path) -> JsonObject:
    """Check that all shards of a data set are there, and write its manifest and its card.

    The shards may come from any number of jobs. They must have the same model, seed, count and settings. Every file is
    read once, and compared with its checksum. No image is changed, and none is copied.

    Args:
        folder: the folder of all shards.

    Returns:
        The manifest, as written to ``manifest.json``.

    Raises:
        InputError: a shard is missing, damaged, there twice, or of another data set. The message names it.

    Example:
        >>> for number in (1, 2, 3):
        ...     shard = fashion_gan.make_dataset("many", count=100, shard=f"{number}/3", format="npz")
        >>> manifest = fashion_gan.merge_dataset("many")
        >>> manifest["images"], manifest["shards"]
        (100, 3)
    """
    place = user_path("folder", folder)
    records = _all_records(place)
    if faults := _faults(place, records):
        raise InputError(f"{place}: {faults[0]}{_and_more(len(faults) - 1, 'fault')}: run the job of that shard again")
    remove_leftovers(place)
    manifest = _manifest(records)
    write_manifest(place, manifest)
    return manifest


def _all_records(folder: Path) -> list[JsonObject]:
    """The records of all shards, in their order. Raises InputError if one is missing, doubled or foreign."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of shards: there is no such folder")
    paths = find_records(folder)
    if not paths:
        raise InputError(f"{folder} holds no shards, which fashion-gan dataset --count … --shard 1/10 writes")
    found: dict[Shard, Path] = {}
    records = [read_record(path) for path in paths]
    for path, record in zip(paths, records, strict=True):
        shard = shard_of(record)
        if differs := difference(record, records[0]):
            raise InputError(f"{path} is of another data set than {paths[0].name}, with {differs}")
        if shard in found:
            raise InputError(f"{folder}: shard {shard} is there twice, as {found[shard].name} and {path.name}")
        if path.name != shard.record_name:
            raise InputError(f"{path} holds shard {shard}, whose record is called {shard.record_name}")
        found[shard] = path
    _check_complete(folder, records)
    return records


def _check_complete(folder: Path, records: Sequence[JsonObject]) -> None:
    """Raise InputError if a shard is missing, or if there are files of other ones."""
    shards = [shard_of(record) for record in records]
    here = {shard.number for shard in shards}
    missing = [str(shard) for shard in all_shards(shards[0].of, shards[0].count) if shard.number not in here]
    if missing:
        shown = ", ".join(missing[:SHOWN_SHARDS]) + _and_more(len(missing) - SHOWN_SHARDS, "shard")
        raise InputError(f"{folder}: {len(missing):,} of {shards[0].of:,} shards are missing: {shown}")
    known = {
        name for shard, record in zip(shards, records, strict=True) for name in (shard.record_name, *record["files"])
    }
    for path in sorted(folder.glob(SHARD_FILES)):
        if path.name not in known:
            raise InputError(f"{path} is of no shard of this data set: remove it")


def _faults(folder: Path, records: Sequence[JsonObject]) -> list[str]:
    """What is wrong with the files of shards: which are missing, or differ from their checksums."""
    files = [(shard_of(record), name, digest) for record in records for name, digest in record["files"].items()]

    def fault(file: tuple[Shard, str, str]) -> str:
        shard, name, digest = file
        if not (folder / name).is_file():
            return f"shard {shard} is damaged: {name} is missing"
        return "" if sha256(folder / name) == digest else f"shard {shard} is damaged: {name} differs from its checksum"

    found = progress.bar(parallel_map(fault, files), f"verifying {folder}", "files", total=len(files))
    return [text for text in found if text]


def _and_more(count: int, unit: str) -> str:
    return f" and {count:,} more {unit}{'s' if count > 1 else ''}" if count > 0 else ""


def _manifest(records: Sequence[JsonObject]) -> JsonObject:
    """The manifest of a data set, without its card, from the records of all its shards."""
    settings = settings_of(records[0])
    images = settings.pop("count")
    counted = ("drawn", "kept", "unsure", "duplicates")
    classes = [
        {"name": rows[0]["name"], **{key: sum(row[key] for row in rows) for key in counted}}
        for rows in zip(*(record["classes"] for record in records), strict=True)
    ]
    files = {name: digest for record in records for name, digest in record["files"].items()}
    return {**settings, "images": images, "classes": classes, "files": files}
