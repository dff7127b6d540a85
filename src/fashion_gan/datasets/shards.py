"""The shards of a data set: which images each holds, how its files are called, and the record of each."""

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Indices, JsonObject, Labels
from fashion_gan.errors import InputError, check_whole_number, show

FORMATS = ("idx", "npz", "parquet", "webdataset")
MAX_COUNT = 10**12  # images of a data set
MAX_SHARDS = 10**6
RECORDS = "train-*-of-*.json"
SHARD_FILES = "train-*-of-*"
SUFFIXES = {
    "idx": ("-images-idx3-ubyte.gz", "-labels-idx1-ubyte.gz"),
    "npz": (".npz",),
    "parquet": (".parquet",),
    "webdataset": (".tar",),
}
OF_ONE_SHARD = ("shard", "classes", "files")  # What a record says of its own shard. The rest is equal in all shards.


@dataclasses.dataclass(frozen=True)
class Shard:
    """A part of a data set: consecutive images.

    Attributes:
        number: which of the shards, from 1.
        of: the number of shards.
        count: the images of the whole data set.
    """

    number: int
    of: int
    count: int

    @classmethod
    def parse(cls, text: object, count: int) -> "Shard":
        """Read a shard such as "17/1000".

        Raises:
            InputError: the text has another form, there is no such shard, or there are more shards than images.

        Example:
            >>> Shard.parse("17/1000", 10**9).start
            16000000
        """
        match = re.fullmatch(r"(\d{1,12})/(\d{1,12})", text, re.ASCII) if isinstance(text, str) else None
        if match is None:
            raise InputError(f"shard={show(text)} must be two whole numbers such as 17/1000: shard 17 of 1,000")
        number, of = int(match[1]), int(match[2])
        if not 1 <= number <= of:
            allowed = f"from 1/{of} to {of}/{of}" if of else "such as 1/10: there is at least one shard"
            raise InputError(f"shard={show(text)} is out of range: it must be {allowed}")
        if of > min(count, MAX_SHARDS):
            limit = "" if of <= MAX_SHARDS else f"; there can be at most {MAX_SHARDS:,}"
            raise InputError(f"shard={show(text)}: {count:,} images cannot be divided into {of:,} shards{limit}")
        return cls(number, of, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def start(self) -> int:
        """The number of its first image."""
        return self.count * (self.number - 1) // self.of

    @property
    def stop(self) -> int:
        """The number after that of its last image."""
        return self.count * self.number // self.of

    @property
    def name(self) -> str:
        """The start of its files' names, as the Hugging Face Hub has it: counted from 0."""
        digits = max(5, len(str(self.of)))
        return f"train-{self.number - 1:0{digits}d}-of-{self.of:0{digits}d}"

    @property
    def record_name(self) -> str:
        """The name of its record."""
        return f"{self.name}.json"

    def file_names(self, format: str) -> list[str]:
        """The names of its files of images and labels."""
        return [self.name + suffix for suffix in SUFFIXES[format]]


def all_shards(of: int, count: int) -> list[Shard]:
    """All shards of a data set, in their order."""
    return [Shard(number, of, count) for number in range(1, of + 1)]


def labels_of(numbers: Indices, classes: int) -> Labels:
    """The labels of numbered images: the classes take turns."""
    return (numbers % classes).astype(np.int32)


def settings_of(record: JsonObject) -> JsonObject:
    """What the records of all shards of one data set say."""
    return {name: value for name, value in record.items() if name not in OF_ONE_SHARD}


def write_record(path: Path, record: JsonObject) -> None:
    """Write a record as it is read again."""
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_record(path: Path) -> JsonObject:
    """Read the record of a shard.

    Raises:
        InputError: it is damaged, or it is something else.
    """
    try:
        record: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        files, names = record["files"], shard_of(record).file_names(record["format"])
        is_complete = sorted(files) == sorted(names) and all(isinstance(digest, str) for digest in files.values())
        is_complete &= len(record["classes"]) == len(record["class_names"]) and len(record["shape"]) == 3
        counts = [row[key] for row in record["classes"] for key in ("drawn", "kept", "unsure", "duplicates")]
        if not is_complete or not all(isinstance(number, int) for number in (*counts, *record["shape"])):
            raise ValueError("it is not complete")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not the record of a shard, or it is damaged: remove it") from error
    return record


def shard_of(record: JsonObject) -> Shard:
    """The shard that a record describes. Raises InputError, KeyError or TypeError if it describes none."""
    count = check_whole_number("count", record["count"], 1, MAX_COUNT)
    return Shard.parse(f"{record['shard']}/{record['shards']}", count)


def find_records(folder: Path) -> Sequence[Path]:
    """The records of the shards in a folder, in the order of their names."""
    return sorted(folder.glob(RECORDS))


def difference(record: JsonObject, other: JsonObject) -> str:
    """How the settings of a record differ from those of another: ``"seed=1, not 0"``. Empty if they are equal."""
    own, others = settings_of(record), settings_of(other)
    for name in {**others, **own}:
        mine, theirs = own.get(name), others.get(name)
        if mine != theirs and isinstance(mine, dict) and isinstance(theirs, dict):
            name, mine, theirs = next(
                (f"{name}.{key}", mine.get(key), theirs.get(key))
                for key in {**theirs, **mine}
                if mine.get(key) != theirs.get(key)
            )
        if mine != theirs:
            return f"{name}={show(mine)}, not {show(theirs)}"
    return ""
