"""Generated images as data sets of the Hugging Face library ``datasets``."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from fashion_gan.arrays import JsonObject
from fashion_gan.loaders.stream import ImageStream
from fashion_gan.rendering.images import png_bytes
from fashion_gan.system.telemetry import import_datasets

SHARDS = 64  # of endless images: up to so many workers of a DataLoader draw other ones


def as_dataset(stream: ImageStream) -> Any:
    """A ``datasets.Dataset`` in memory, or for endless images a ``datasets.IterableDataset``.

    The column ``image`` holds pictures, and with classes the column ``label`` their numbers and names.
    """
    datasets = import_datasets()
    columns: JsonObject = {"image": datasets.Image()}
    if stream.class_names:
        columns["label"] = datasets.ClassLabel(names=list(stream.class_names))
    features = datasets.Features(columns)
    if stream.count is None:
        rows_of = functools.partial(_endless_rows, stream)
        shards = {"shards": list(range(SHARDS))}
        return datasets.IterableDataset.from_generator(rows_of, features=features, gen_kwargs=shards)
    rows = list(itertools.chain.from_iterable(map(_rows, *zip(*stream.blocks(), strict=True))))
    return datasets.Dataset.from_list(rows, features=features)


def _endless_rows(stream: ImageStream, shards: list[int]) -> Iterator[JsonObject]:
    """Endless rows of a shard. Each worker of a ``DataLoader`` begins with another shard, and never leaves it."""
    for images, labels in stream.blocks(shards[0], SHARDS):
        yield from _rows(images, labels)


def _rows(images: Any, labels: Any) -> Iterator[JsonObject]:
    for place, image in enumerate(images):
        row: JsonObject = {"image": {"bytes": png_bytes(image), "path": None}}
        yield row if labels is None else {**row, "label": int(labels[place])}
