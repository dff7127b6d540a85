"""Latents (and labels) -> images, with NumPy and ONNX Runtime. Other frameworks' networks are passed as functions."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fashion_gan import latents as latent_space
from fashion_gan import pretrained
from fashion_gan.arrays import Array, Images, Inputs, Labels, Latents, Predict
from fashion_gan.config import Config
from fashion_gan.errors import InputError, check_range, suggestion
from fashion_gan.rendering.images import grid, html_figure, to_uint8
from fashion_gan.system.parallel import available_cpus

BATCH_SIZE = 256  # limits the memory of a large request
SLICE_SIZE = 32  # images per call and thread, so that the layers' outputs fit in a core's cache
MAX_COUNT = 100_000  # 78 MB of 28×28 gray images; use another seed for more
MAX_THREADS = 1024
MAX_LABEL_DIGITS = 9  # a longer string of digits is no class number, and int() may refuse it
MAX_SHOWN_LABEL = 60  # characters; error messages cut longer labels
CONFIG_KEY = "fashion_gan"  # the key in an ONNX file's metadata: the configuration that its network was built from
INPUT_NAMES = ("latents", "labels")  # names of the inputs in every format; only conditional networks have labels

LabelLike: TypeAlias = str | int | np.integer[Any]
"""A class's name, or its number, as an int or as a string of digits.

An exact match of a name comes first. Otherwise its case is ignored.
"""

LabelsLike: TypeAlias = LabelLike | Sequence[LabelLike] | Array
"""One label for all images, or one for each image."""


def open_onnx(path: Path) -> tuple[Predict, Config]:
    """Open an ``.onnx`` file that fashion-gan wrote. ``Generator.load`` documents the errors.

    Returns:
        A function that generates images on one core, and the configuration that its network was built from. The
        configuration of an imported generator has only its latent length and its classes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One call per thread: the threads generate different images. Splitting the layers of one image is slower.
    options.intra_op_num_threads = 1
    if not path.is_file():
        raise InputError(f"{path} is not a model file: no such file exists")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        text = session.get_modelmeta().custom_metadata_map.get(CONFIG_KEY)
    except Exception as error:  # ONNX Runtime's own exceptions have no common type.
        raise InputError(f"{path} cannot be read as ONNX: it is damaged, or of an unknown kind") from error
    if text is None:
        raise InputError(f"{path} is an ONNX file, but not a generator that fashion-gan wrote")
    config = Config.from_json(text, path)
    shapes = {value.name: value.shape for value in session.get_inputs()}
    names = list(INPUT_NAMES if config.class_names else INPUT_NAMES[:1])
    if list(shapes) != names or shapes[INPUT_NAMES[0]][1:] != [config.latent_dim]:
        raise InputError(f"{path} has the inputs {', '.join(shapes)}, which do not match its configuration")

    def predict(inputs: Inputs) -> Array:
        values = inputs if isinstance(inputs, list) else [inputs]
        images: Array = session.run(None, dict(zip(names, values, strict=True)))[0]
        return images

    return predict, config


class Generator:
    """A trained generator, ready for use. A notebook shows it as a grid of 16 images.

    Args:
        predict: a function: latents (N, latent_dim), or for a conditional generator a list [latents, int32 labels
            (N,)] -> images (N, H, W, C), floats in [-1, 1].
        latent_dim: length of a latent vector.
        class_names: the classes of a conditional generator, in the order of their labels. () if unconditional.
        threads: number of threads that call ``predict`` at the same time, in batches of up to 32 images. None calls it
            on the caller's thread, in batches of up to 256.

    Example:
        >>> fashion_gan.Generator.from_pretrained("fashion").generate(64, labels="Dress", seed=3).shape
        (64, 28, 28, 1)
    """

    def __init__(
        self, predict: Predict, latent_dim: int, class_names: Sequence[str] = (), *, threads: int | None = None
    ) -> None:
        self.predict = predict
        self.latent_dim = latent_dim
        self.class_names = tuple(class_names)
        self.threads = threads

    @classmethod
    def from_pretrained(cls, name: str = "fashion", *, threads: int | None = None) -> "Generator":
        """Load a generator that comes with fashion-gan. ONNX Runtime runs it.

        Args:
            name: the generator's name.
            threads: as in ``load``.

        Raises:
            InputError: no generator has this name, or the number of threads is out of range.
        """
        return cls.load(pretrained.folder(name) / "generator.onnx", threads=threads)

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> "Generator":
        """Read an ``.onnx`` file that fashion-gan wrote. This needs no training framework.

        Args:
            path: the file.
            threads: number of processor cores to use, from 1 to 1,024. None means all that the process may use.

        Raises:
            InputError: there is no such file, it is damaged, fashion-gan did not write it, or the number of threads is
                out of range.
        """
        if threads is not None:
            check_range("threads", threads, 1, MAX_THREADS)
        predict, config = open_onnx(Path(path))
        return cls(predict, config.latent_dim, config.class_names, threads=threads or available_cpus())

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        classes = f"{len(self.class_names):,} classes" if self.class_names else "no classes"
        color = "gray" if channels == 1 else "color"
        return f"Generator({height}×{width} {color}, latent_dim {self.latent_dim}, {classes})"

    def _repr_html_(self) -> str:
        """A grid of 16 images, drawn now."""
        return html_figure(grid(self.generate(16), scale=max(1, round(56 / self.image_shape[0]))), repr(self))

    @functools.cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images. The first access draws one image to measure them."""
        height, width, channels = self.generate(1).shape[1:]
        return height, width, channels

    def generate(
        self,
        count: int,
        labels: LabelsLike | None = None,
        seed: int = 0,
        truncation: float = 1.0,
        *,
        as_float: bool = False,
    ) -> Array:
        """Draw images. The same seed gives the same images.

        Args:
            count: number of images, from 1 to 100,000.
            labels: a class's name or number for all images, or one for each image. None cycles through the classes.
            seed: seed of the latents, at least 0.
            truncation: standard deviation of the latents, above 0 and at most 1.5. A value below 1 gives more typical
                and less varied images.
            as_float: return float32 instead of uint8.

        Returns:
            uint8 (count, H, W, C) in [0, 255], or float32 in [-1, 1].

        Raises:
            InputError: a number is out of range, a label is unknown, or an unconditional generator gets a label.
        """
        return self.decode(self.latents(count, seed, truncation), self.labels(count, labels), as_float=as_float)

    def latents(self, count: int, seed: int = 0, truncation: float = 1.0) -> Latents:
        """Draw the latents that ``generate`` turns into images: float32 (count, latent_dim).

        Raises:
            InputError: a number is out of range.
        """
        check_range("count", count, 1, MAX_COUNT)
        return latent_space.draw_latents(count, self.latent_dim, seed, truncation)

    def decode(self, latents: npt.ArrayLike, labels: LabelsLike | None = None, *, as_float: bool = False) -> Array:
        """Turn latents into images, in batches.

        Args:
            latents: floats (N, latent_dim), N at least 1, for example from ``latents`` or ``vary``.
            labels: as in ``generate``.
            as_float: return float32 instead of uint8.

        Returns:
            uint8 (N, H, W, C) in [0, 255], or float32 in [-1, 1].

        Raises:
            InputError: the latents have the wrong shape or are not finite, or a label is refused as in ``generate``.
        """
        latents = np.asarray(latents, np.float32)
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim or not len(latents):
            raise InputError(f"latents must be (N, {self.latent_dim}), got {latents.shape}")
        if not np.isfinite(latents).all():
            raise InputError("latents must be finite numbers")
        numbers = self.labels(len(latents), labels)
        size = min(SLICE_SIZE, -(-len(latents) // self.threads)) if self.threads else BATCH_SIZE

        def draw(start: int) -> Array:
            part = slice(start, start + size)
            inputs = latents[part] if numbers is None else [latents[part], numbers[part]]
            images = np.asarray(self.predict(inputs), np.float32)
            return images if as_float else to_uint8(images)

        starts = range(0, len(latents), size)
        if not self.threads:  # Keras must run on the thread that set it up.
            return np.concatenate([draw(start) for start in starts])
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(draw, starts)))

    def vary(self, latent: npt.ArrayLike, strength: float = 0.3, count: int = 16, seed: int = 0) -> Latents:
        """Draw neighbors of a latent: float32 (count, latent_dim).

        Args:
            latent: a latent (latent_dim,), or a seed, which stands for the first latent it draws.
            strength: in [0, 1]. At 0 all neighbors equal the latent. At 1 they are independent of it.
            count: number of neighbors, from 1 to 100,000.
            seed: seed of the noise, at least 0.

        Raises:
            InputError: a number is out of range, or the latent has the wrong length.
        """
        check_range("count", count, 1, MAX_COUNT)
        return latent_space.vary(self._latent(latent), strength, count, seed)

    def mix(self, first: npt.ArrayLike, second: npt.ArrayLike, share: float = 0.5) -> Latents:
        """Interpolate between two latents along the sphere: float32 (latent_dim,).

        Args:
            first, second: latents (latent_dim,), or seeds, which stand for the first latents they draw.
            share: share of the second latent, in [0, 1].

        Raises:
            InputError: a number is out of range, or a latent has the wrong length.
        """
        return latent_space.mix(self._latent(first), self._latent(second), share)

    def interpolate(
        self, first: npt.ArrayLike, second: npt.ArrayLike, frames: int = 16, label: LabelLike | None = None
    ) -> Images:
        """Draw the images on the path from one latent to another along the sphere.

        Args:
            first, second: latents (latent_dim,), or seeds, which stand for the first latents they draw.
            frames: number of images, from 2 to 1,000, both ends included.
            label: the class of all frames. None means the first class.

        Returns:
            uint8 (frames, H, W, C).

        Raises:
            InputError: a number is out of range, a latent has the wrong length, or the label is unknown.
        """
        path = latent_space.walk(self._latent(first), self._latent(second), frames)
        return self.decode(path, 0 if label is None and self.class_names else label)

    def _latent(self, latent: npt.ArrayLike) -> Latents:
        """A latent, or the first latent of a seed."""
        if isinstance(latent, (int, np.integer)):
            first: Latents = self.latents(1, int(latent))[0]
            return first
        latent = np.asarray(latent, np.float32)
        if latent.shape != (self.latent_dim,):
            raise InputError(f"a latent must be ({self.latent_dim},), got {latent.shape}")
        return latent

    def labels(self, count: int, labels: LabelsLike | None = None) -> Labels | None:
        """Turn class names and numbers into int32 (count,). None for an unconditional generator.

        Args:
            count: number of images.
            labels: as in ``generate``.

        Raises:
            InputError: a label is unknown, the number of labels is not ``count``, or an unconditional generator gets a
                label.
        """
        if not self.class_names:
            if labels is not None:
                raise InputError(f"label={labels!r} needs a conditional model: this one is unconditional")
            return None
        if labels is None:
            return np.arange(count, dtype=np.int32) % len(self.class_names)
        if isinstance(labels, (str, int, np.integer)):
            return np.full(count, self.label_number(labels), np.int32)
        if len(labels) != count:
            raise InputError(f"labels has {len(labels)} entries for {count} images")
        values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
        numbers = {value: self.label_number(value) for value in set(values)}  # Each distinct label is read once.
        return np.array([numbers[value] for value in values], np.int32)

    def label_number(self, label: LabelLike) -> int:
        """The number of a class, from its name or number. Raises InputError if the label is unknown."""
        text = str(label).strip()
        if isinstance(label, str):  # An int is always a number, even if a class is called 3.
            for name in (label, text):
                if name in self.class_names:
                    return self.class_names.index(name)
            numbers_by_name = {name.lower(): number for number, name in enumerate(self.class_names)}
            if text.lower() in numbers_by_name:
                return numbers_by_name[text.lower()]
        if text.isdecimal() and len(text) <= MAX_LABEL_DIGITS and int(text) < len(self.class_names):
            return int(text)
        label = str(label)[:MAX_SHOWN_LABEL]
        allowed = suggestion(label, list(self.class_names))
        raise InputError(f"label={label!r} is unknown: {allowed}, or 0 to {len(self.class_names) - 1}")
