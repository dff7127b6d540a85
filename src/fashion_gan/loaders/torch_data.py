"""Generated images as data sets of PyTorch, for its ``DataLoader``."""

import operator
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from fashion_gan.arrays import Array, Labels, Tensor
from fashion_gan.loaders.stream import ImageStream

Item: TypeAlias = tuple[Tensor, Tensor] | Tensor
"""An image (C, H, W) and its label, an int64 (); only the image if there are no classes."""


class CountedImages(Dataset):  # type: ignore[type-arg]
    """A given number of images. An index finds each, so that a ``DataLoader`` can shuffle and split them."""

    def __init__(self, stream: ImageStream) -> None:
        self.stream = stream

    def __len__(self) -> int:
        assert self.stream.count is not None
        return self.stream.count

    def __getitem__(self, index: int) -> Item:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} is out of range: there are {len(self)} images")
        return self.__getitems__([place])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """The images of a batch. A ``DataLoader`` asks for all of them together, which is faster."""
        _share_processors(self.stream)
        return _items(*self.stream.draw(indices))


class EndlessImages(IterableDataset):  # type: ignore[type-arg]
    """Endlessly many images. Each worker of a ``DataLoader`` draws other ones."""

    def __init__(self, stream: ImageStream) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[Item]:
        worker = _share_processors(self.stream)
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for images, labels in self.stream.blocks(first, step):
            yield from _items(images, labels)


def _share_processors(stream: ImageStream) -> Any:
    """Let each worker of a ``DataLoader`` draw on one processor. Returns PyTorch's facts about the worker, or None."""
    worker = get_worker_info()
    if worker is not None and stream.generator.threads:
        stream.generator.threads = 1  # A worker has a copy of the generator.
    return worker


def _items(images: Array, labels: Labels | None) -> list[Item]:
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    if labels is None:
        return list(pictures)
    return list(zip(pictures, torch.from_numpy(labels).long(), strict=True))
