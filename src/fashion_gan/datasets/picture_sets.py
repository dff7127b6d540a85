"""Pictures of any kind and size, from wherever they come -> an array of images of one size."""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from fashion_gan.arrays import Labels, Picture
from fashion_gan.datasets.contents import ClassContents, Contents, Size
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.image_store import Store
from fashion_gan.datasets.options import DEFAULT_OPTIONS, PictureOptions
from fashion_gan.datasets.picture_files import MODES, Header, Source, brightest, read_header, read_square
from fashion_gan.datasets.picture_listing import Tally, check_classes, list_pictures, printable
from fashion_gan.errors import InputError, check_whole_number
from fashion_gan.system import progress
from fashion_gan.system.paths import user_path

Content = TypeVar("Content")
Failures = dict[str, str]
"""Why pictures cannot be read, by their indices, which are texts because they are stored as JSON."""

MAX_IMAGE_SIZE = 4096
UNREADABLE = "cannot be read"
NOT_READ = "cannot be read as a picture"
FIT_NOTES = {
    "crop": "their central square is taken",
    "pad": "they get a border",
    "stretch": "their proportions are changed",
}
KEPT = "all pictures are gray and {size}×{size}, and stay so: training enlarges them"
MIN_COLOR_BITS = 6  # of the upper eight. With fewer, 16-bit colors hold numbers of about 12 bits, and come out black.
MAX_NAMED = 20  # damaged pictures that an error names
MAX_REASON = 150  # characters of why one cannot be read
REMEDY = "choose a smaller image_size, 1 channel instead of 3, or fewer pictures"


@dataclasses.dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures that are found, but not read.

    Attributes:
        place: the folder or the file that they come from.
        paths: the name of each picture: a path below the place. A row of a table is called ``row 3``.
        labels: the number of each picture's class, int32 (N,); all 0 without classes.
        class_names: the classes in the order of their labels, or ().
        open: the index of a picture -> its file, its content, or the picture. May raise InputError.
        stamps: yields texts that change if a picture changes. None: there are no such texts.
        left_out: files that are no pictures.
        notes: sentences about what is taken.
        keeps_gray: if all pictures are gray squares of one size, not larger than the images, they stay as they are, and
            the model enlarges them batch by batch.
        class_root: the folder whose subfolders are the classes, each of which must have a picture. None: classes
            without pictures are allowed.
    """

    place: Path
    paths: Sequence[Path]
    labels: Labels
    class_names: tuple[str, ...]
    open: Callable[[int], Source]
    stamps: Callable[[], Iterable[str]] | None
    left_out: Tally
    notes: tuple[str, ...] = ()
    keeps_gray: bool = False
    class_root: Path | None = None


def find_pictures(place: str | Path, *, test: bool = False) -> PictureSet:
    """Find the pictures in a folder or in a zip or tar archive; see ``list_pictures``."""
    listing = list_pictures(user_path("folder", place), test=test)
    paths, tree = listing.paths, listing.tree
    counts = [len(paths) for paths in listing.classes.values()]
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    names = tuple(name for name in listing.classes if name)

    def stamps() -> Iterator[str]:
        yield str(listing.folder.resolve())
        for path in paths:
            yield f"{path.relative_to(listing.folder)} {tree.stamp(path)}"

    return PictureSet(
        listing.folder,
        paths,
        labels,
        names,
        lambda index: tree.open(paths[index]),
        stamps,
        listing.left_out,
        listing.notes,
        class_root=listing.root if names and not test else None,
    )


def picture_sizes(pictures: PictureSet, *, skip_damaged: bool = False) -> set[Size]:
    """The sizes of the pictures, from their headers. The errors are those of ``load_pictures``."""
    reading = _Reading(pictures, skip_damaged)
    headers = reading.each(read_header, "looking at")
    reading.check()
    return {header.size for header in headers.values()}


def load_pictures(
    place: str | Path,
    image_size: int,
    channels: int,
    options: PictureOptions = DEFAULT_OPTIONS,
    *,
    test: bool = False,
) -> Dataset:
    """Load a folder or an archive of pictures. Each picture becomes a square and is resized.

    Pictures at the top of the folder have no classes. Pictures in subfolders have the subfolders' names as classes.
    Classes and pictures are sorted by name. Without a channel of opacity, transparent parts get the background. Of an
    animation, the first frame is read. ``contents`` of the result says what was found, and what was left out and why.

    Args:
        place: the folder, or a zip or tar archive. Hidden files, and files without a picture's suffix, are left out.
        image_size: height and width of the images, in pixels.
        channels: 1 (gray), 3 (color) or 4 (color and opacity).
        options: how pictures become squares, and whether damaged ones are left out.
        test: load the test pictures of a place that has ``train`` and ``test`` or ``val``.

    Returns:
        Images of shape (N, image_size, image_size, channels).

    Raises:
        InputError: there is no such place, it holds no pictures, it holds pictures both at its top and in subfolders, a
            class has no picture that can be read, a picture is damaged, or the images do not fit into memory.
    """
    return load_picture_set(find_pictures(place, test=test), image_size, channels, options)


def load_picture_set(
    pictures: PictureSet, image_size: int, channels: int, options: PictureOptions = DEFAULT_OPTIONS
) -> Dataset:
    """Load pictures, in their order.

    Gray levels of 16 bits are reduced to 8 by the same factor in all pictures: the brightest level of all of them
    decides how many bits are used. Images that take much of the memory are stored in a file; see ``image_store``.

    Args:
        pictures: the pictures.
        image_size, channels, options: as for ``load_pictures``.

    Returns:
        Images of shape (N, image_size, image_size, channels), or (N, H, H, 1) if gray squares stay as they are.

    Raises:
        InputError: as ``load_pictures``.
    """
    image_size = check_whole_number("image_size", image_size, 1, MAX_IMAGE_SIZE)
    channels = check_whole_number("channels", channels, 1, 4)
    if channels not in MODES:
        raise InputError(f"channels={channels} is not allowed: 1 for gray, 3 for color, 4 for color and opacity")
    reading = _Reading(pictures, options.skip_damaged)
    headers = reading.each(read_header, "looking at")
    kept = _kept_size(headers.values(), image_size) if pictures.keeps_gray else None
    size, channels = (image_size, channels) if kept is None else (kept, 1)
    shift = _shift(reading, headers)

    def read(source: Source, name: str) -> Picture:
        return read_square(source, size, channels, shift, options, name)

    shape, while_read = (size, size, channels), max(header.bytes_while_read for header in headers.values())
    what = f"{pictures.place}: {len(headers):,} pictures at {'×'.join(map(str, shape))}"
    settings = f"{size} {channels} {options.fit} {options.background} {shift}"
    store = Store(what, REMEDY, _key(pictures, settings), while_read)
    images, failures = store.fill(len(reading.usable), shape, lambda failures: reading.pictures_with(read, failures))
    reading.fail(failures)
    reading.check()
    labels = pictures.labels[reading.usable]
    usable_headers = [headers[index] for index in reading.usable]
    notes = _notes(usable_headers, image_size, shift, options, kept)
    rows = class_rows([header.size for header in usable_headers], labels, pictures.class_names)
    contents = Contents(rows, reading.left_out.rows(), (*pictures.notes, *notes))
    return Dataset(images, labels, pictures.class_names, str(pictures.place), contents)


class _Reading:
    """Reads pictures in several passes, and records which cannot be read.

    Args:
        pictures: the pictures.
        skip_damaged: leave out those that cannot be read. Otherwise ``check`` raises an error that names them.

    Attributes:
        usable: the indices of the pictures that could be read so far.
        left_out: files that are no pictures, and pictures that cannot be read.
    """

    def __init__(self, pictures: PictureSet, skip_damaged: bool) -> None:
        self._pictures, self._skip_damaged = pictures, skip_damaged
        self.usable = list(range(len(pictures.paths)))
        self._failures: Failures = {}
        self.left_out = Tally(pictures.place)
        self.left_out.update(pictures.left_out)

    def name(self, index: int) -> str:
        """The name of a picture."""
        return str(self._pictures.paths[index])

    def each(
        self, read: Callable[[Source, str], Content], verb: str, among: set[int] | None = None
    ) -> dict[int, Content]:
        """Read each usable picture, or those of them that are named, with a function of a picture and its name.

        Raises:
            InputError: no picture can be read, or none of a class.
        """
        contents, failures = {}, {}
        indices = self.usable if among is None else [index for index in self.usable if index in among]
        for index in progress.bar(indices, f"{verb} {self._pictures.place}", "pictures"):
            try:
                contents[index] = read(self._pictures.open(index), str(self._pictures.paths[index]))
            except InputError as error:
                failures[str(index)] = str(error)
        self.fail(failures)
        if not self.usable or self._skip_damaged:
            self.check()
        return contents

    def pictures_with(self, read: Callable[[Source, str], Picture], failures: Failures) -> Iterator[Picture]:
        """Yield each usable picture. Those that cannot be read are added to ``failures``."""
        for index in progress.bar(self.usable, f"reading {self._pictures.place}", "pictures"):
            try:
                picture = read(self._pictures.open(index), str(self._pictures.paths[index]))
            except InputError as error:
                failures[str(index)] = str(error)
            else:
                yield picture

    def fail(self, failures: Failures) -> None:
        """Record that pictures cannot be read."""
        self._failures |= failures
        for index, message in failures.items():
            path = self._pictures.paths[int(index)]
            self.left_out.add(UNREADABLE, path, f"({_reason(message, path)})")
        self.usable = [index for index in self.usable if str(index) not in failures]

    def check(self) -> None:
        """Raise InputError if pictures that cannot be read are an error, or if a class has no others."""
        if self._failures and not self._skip_damaged:
            raise InputError(self._damage())
        if not self.usable:
            raise InputError(next(iter(self._failures.values()), f"{self._pictures.place} holds no pictures"))
        root, names = self._pictures.class_root, self._pictures.class_names
        if root is not None:
            counts = np.bincount(self._pictures.labels[self.usable], minlength=len(names))
            classes = {name: range(count) for name, count in zip(names, counts, strict=True)}
            check_classes(root, classes, self.left_out)

    def _damage(self) -> str:
        """Names all pictures that cannot be read, up to a number, and the remedies."""
        place, numbers = self._pictures.place, sorted(map(int, self._failures))
        if len(numbers) == 1:
            message = self._failures[str(numbers[0])]
            return f"{message}: mend or remove it, or leave it out with skip_damaged (--skip-damaged)"
        named = []
        for number in numbers[:MAX_NAMED]:
            path = self._pictures.paths[number]
            reason = _reason(self._failures[str(number)], path).removeprefix(f"{NOT_READ}: ")[:MAX_REASON]
            named.append(f"{printable(path.relative_to(place).as_posix())} ({reason})")
        others = f", and {len(numbers) - MAX_NAMED:,} more" if numbers[MAX_NAMED:] else ""
        return (
            f"{place}: {len(numbers):,} of {len(self._pictures.paths):,} pictures cannot be read: mend or remove them, "
            f"or leave them out with skip_damaged (--skip-damaged): {', '.join(named)}{others}"
        )


def _reason(message: str, path: Path) -> str:
    """An error's message without the path of the picture, which it begins with."""
    return message.removeprefix(str(path)).strip()


def _key(pictures: PictureSet, settings: str) -> Callable[[], str] | None:
    """A function that returns a checksum of everything that the images depend on. None if that is not known."""
    stamps = pictures.stamps
    if stamps is None:
        return None

    def key() -> str:
        digest = hashlib.sha256(settings.encode())
        for stamp in stamps():
            digest.update(f"{stamp}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    return key


def _kept_size(headers: Collection[Header], image_size: int) -> int | None:
    """The height and width of gray squares of one size that are not larger than the images. None for others."""
    sizes = {header.size for header in headers}
    are_gray = all(header.mode in ("1", "L") for header in headers)
    ((width, height), *others) = sizes
    return width if are_gray and not others and width == height <= image_size else None


def _shift(reading: _Reading, headers: dict[int, Header]) -> int:
    """How many bits the gray levels of 16 and 32 bits lose, so that the brightest one needs eight.

    Raises:
        InputError: colors of 16 bits would come out black, because Pillow reads only their upper eight.
    """
    deep = [index for index, header in headers.items() if header.is_deep_gray]
    colored = [index for index, header in headers.items() if header.has_16_bit_colors]
    if not deep and not colored:
        return 0
    levels = reading.each(brightest, "measuring", {*deep, *colored})
    bits = max((levels.get(index, 0).bit_length() for index in colored), default=8)
    if bits < MIN_COLOR_BITS:
        raise InputError(
            f"{reading.name(colored[0])} has 16 bits per color, of which at most {bits + 8} are used in these "
            f"{len(colored):,} pictures, so they would come out black: convert them to 8 bits per color"
        )
    return max(0, max((levels.get(index, 0).bit_length() for index in deep), default=0) - 8)


def class_rows(sizes: Sequence[Size], labels: Labels, class_names: tuple[str, ...]) -> tuple[ClassContents, ...]:
    """A row for each class that has pictures, from the size of each picture and its label."""
    of_class: dict[int, list[Size]] = {}
    for size, label in zip(sizes, labels.tolist(), strict=True):
        of_class.setdefault(label, []).append(size)
    rows = []
    for label, own in sorted(of_class.items()):
        ordered = sorted(set(own), key=math.prod)
        rows.append(ClassContents(class_names[label] if class_names else "", len(own), ordered[0], ordered[-1]))
    return tuple(rows)


def _notes(headers: Collection[Header], size: int, shift: int, options: PictureOptions, kept: int | None) -> list[str]:
    """How the pictures are changed, a sentence each."""
    if kept is not None:
        return [KEPT.format(size=kept)] if kept < size else []
    small, white = f"{size}×{size}", (256 << shift) - 1
    measured: Callable[[Size], int] = max if options.fit == "pad" else min  # the side that decides the scale
    counts = {
        f"not square: {FIT_NOTES[options.fit]}": sum(len(set(header.size)) > 1 for header in headers),
        f"smaller than {small} and are enlarged": sum(measured(header.size) < size for header in headers),
        "animated: their first frame is taken": sum(header.is_animated for header in headers),
        f"of 16-bit or 32-bit gray: level {white:,} becomes 255": sum(header.is_deep_gray for header in headers),
    }
    return [f"{count:,} of the pictures are {what}" for what, count in counts.items() if count]
