"""Latents (and labels) -> images, with NumPy and ONNX Runtime. Other frameworks' networks are passed as functions."""

import functools
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fashion_gan import latents as latent_space
from fashion_gan import pretrained
from fashion_gan.arrays import Array, FloatImages, Images, Inputs, Labels, Latents, Predict, Tensor
from fashion_gan.classes import class_number, class_numbers, is_single_label
from fashion_gan.config import Config
from fashion_gan.errors import InputError, as_array, check_flag, check_whole_number, one_line, show
from fashion_gan.hub.address import is_address, parse_address
from fashion_gan.hub.download import ONNX, fetch_model
from fashion_gan.loaders.stream import ImageStream
from fashion_gan.rendering.images import grid, html_figure, to_uint8
from fashion_gan.rendering.resize import resize_pixels
from fashion_gan.system import onnx_guard
from fashion_gan.system.installation import check_installed
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.parallel import available_cpus
from fashion_gan.system.paths import user_path

BATCH_SIZE = 256  # limits the memory of a large request
SLICE_SIZE = 32  # images per call and thread, so that the layers' outputs fit in a core's cache
MAX_COUNT = 100_000  # 78 MB of 28×28 gray images; use another seed for more
MAX_THREADS = 1024
MAX_SIZE = 1024  # pixels that images can be enlarged to
PROBED_IMAGES = 2  # drawn when a file is opened
CONFIG_KEY = "fashion_gan"  # the key in an ONNX file's metadata: the configuration that its network was built from
INPUT_NAMES = ("latents", "labels")  # names of the inputs in every format; only conditional networks have labels

LabelLike: TypeAlias = str | int | float | np.generic | Array
"""A class's name, or its number, as a number or as a string of digits.

An exact match of a name comes first. Otherwise case, spaces and punctuation are ignored.
"""

LabelsLike: TypeAlias = LabelLike | Iterable[Any] | Tensor
"""One label for all images, or one for each image: (N,), (N, 1) or one-hot (N, classes)."""


def open_onnx(path: Path) -> tuple[Predict, Config]:
    """Open an ``.onnx`` file that fashion-gan wrote. ``Generator.load`` documents the errors.

    Returns:
        A function that generates images on one core, and the configuration that its network was built from. The
        configuration of an imported generator has only its latent length and its classes.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a model file: no such file exists")
    if path.stat().st_size > onnx_guard.MAX_FILE_BYTES:
        raise InputError(f"{path} is larger than {onnx_guard.MAX_FILE_BYTES >> 30} GiB")
    content = path.read_bytes()
    try:
        session = onnx_guard.open_plain(content)
        text = session.get_modelmeta().custom_metadata_map.get(CONFIG_KEY)
    except onnx_guard.errors() as error:
        reason = one_line(error) if isinstance(error, InputError) else "it is damaged, or of an unknown kind"
        raise InputError(f"{path} cannot be read as ONNX: {reason}") from error
    if text is None:
        raise InputError(f"{path} is an ONNX file, but not a generator that fashion-gan wrote")
    config = Config.from_json(text, path)
    shapes = {value.name: value.shape for value in session.get_inputs()}
    names = list(INPUT_NAMES if config.class_names else INPUT_NAMES[:1])
    if list(shapes) != names or shapes[INPUT_NAMES[0]][1:] != [config.latent_dim]:
        raise InputError(f"{path} has the inputs {', '.join(shapes)}, which do not match its configuration")
    guard = onnx_guard.Guard()
    _probe(path, session, config, guard)
    return OnnxPredict(content, guard.seconds_per_image), config


def _probe(path: Path, session: Any, config: Config, guard: onnx_guard.Guard) -> None:
    """Draw two images. Raises InputError if that takes too long or too much memory, or if they are no images."""
    values = latent_space.draw_inputs(PROBED_IMAGES, config.latent_dim, len(config.class_names))
    try:
        images = guard.probe(session, dict(zip(INPUT_NAMES, values, strict=False)))[0]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    is_array = isinstance(images, np.ndarray) and images.dtype == np.float32 and images.ndim == 4
    if not is_array or len(images) != PROBED_IMAGES or images.shape[3] not in (1, 3, 4):
        kind = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise InputError(f"{path} draws {kind}, but images are float32 (N, H, W, 1, 3 or 4)")


class OnnxPredict:
    """A function that generates images with ONNX Runtime, on one core. It can be pickled, and copied by ``fork``.

    Args:
        content: the bytes of the ``.onnx`` file.
        seconds_per_image: the time limit of a call grows by this for each image.
    """

    def __init__(self, content: bytes, seconds_per_image: float) -> None:
        self.content = content
        self.guard = onnx_guard.Guard(seconds_per_image)
        self._open()

    def __call__(self, inputs: Inputs) -> Array:
        values = inputs if isinstance(inputs, list) else [inputs]
        return self.guard.run(self.session, dict(zip(INPUT_NAMES, values, strict=False)))[0]

    @property
    def session(self) -> Any:
        """The open network. A forked process opens its own: threads and locks of a session do not survive a fork."""
        if self._process != os.getpid():
            _SESSIONS_OF_PARENTS.append(self._session)
            self._open()
        return self._session

    def _open(self) -> None:
        # One core per call: the threads generate different images. Splitting the layers of one image is slower.
        self._session = onnx_guard.open_session(self.content, onnx_guard.session_options())
        self._process = os.getpid()

    def __reduce__(self) -> tuple[type["OnnxPredict"], tuple[bytes, float]]:
        return OnnxPredict, (self.content, self.guard.seconds_per_image)  # The session is opened again, not copied.


_SESSIONS_OF_PARENTS: list[Any] = []
"""Sessions that a forked process got from its parent. Closing one could wait for a thread that it does not have."""


class Generator:
    """A trained generator, ready for use. A notebook shows it as a grid of 16 images.

    Args:
        predict: a function: latents (N, latent_dim), or for a conditional generator a list [latents, int32 labels
            (N,)] -> images (N, H, W, C), floats in [-1, 1].
        latent_dim: length of a latent vector.
        class_names: the classes of a conditional generator, in the order of their labels. () if unconditional.
        threads: number of threads that call ``predict`` at the same time, in batches of up to 32 images. None calls it
            on the caller's thread, in batches of up to 256.
        size: height and width that the images are enlarged to, by linear interpolation, which adds no detail. None
            leaves them as they are drawn.

    Example:
        >>> generator = fashion_gan.Generator.from_pretrained("fashion")
        >>> generator
        Generator(28×28 gray, latent_dim 100, 10 classes)
        >>> generator.generate(64, labels="Dress", seed=3).shape
        (64, 28, 28, 1)
        >>> gray = fashion_gan.Generator(lambda latents: np.zeros((len(latents), 28, 28, 1)), latent_dim=100)
        >>> int(gray.generate(1).max())
        128
    """

    def __init__(
        self,
        predict: Predict,
        latent_dim: int,
        class_names: Sequence[str] = (),
        *,
        threads: int | None = None,
        size: int | None = None,
    ) -> None:
        if not callable(predict):
            raise InputError(f"predict={show(predict)} must be a function that draws images")
        is_list = isinstance(class_names, Sequence) and not isinstance(class_names, (str, bytes))
        if not is_list or not all(isinstance(name, str) for name in class_names):
            raise InputError(f"class_names={show(class_names)} must be a list of names")
        self.predict = predict
        self.latent_dim = check_whole_number("latent_dim", latent_dim, 1)
        self.class_names = tuple(class_names)
        self.threads = None if threads is None else check_whole_number("threads", threads, 1, MAX_THREADS)
        self.size = None if size is None else check_whole_number("size", size, 1, MAX_SIZE)

    @classmethod
    def from_pretrained(
        cls, name: str = "fashion", *, revision: str | None = None, threads: int | None = None
    ) -> "Generator":
        """Load a generator that comes with fashion-gan, or one on the Hugging Face Hub. ONNX Runtime runs it.

        Args:
            name: the generator's name: "fashion", which comes with fashion-gan; or ``hf://user/name``, which is
                downloaded into the Hub's cache. That needs the extra ``hub``. With ``HF_HUB_OFFLINE=1``, only the
                cache is read.
            revision: a branch, a tag or a commit of a generator on the Hub. None: the newest.
            threads: as in ``load``.

        Returns:
            The generator.

        Raises:
            InputError: no generator has this name, it cannot be downloaded, or a value is out of range.
        """
        if is_address(name):
            return cls.load(fetch_model(parse_address(name, revision)).folder / ONNX, threads=threads)
        if revision is not None:
            raise InputError(f"revision={show(revision)} is for generators on the Hub, hf://user/name")
        return cls.load(pretrained.folder(name) / "generator.onnx", threads=threads)

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> "Generator":
        """Read an ``.onnx`` file that fashion-gan wrote. This needs no training framework.

        Args:
            path: the file.
            threads: number of processor cores to use, from 1 to 1,024. None means all that the process may use.

        Returns:
            The generator.

        Raises:
            InputError: there is no such file, it is damaged, fashion-gan did not write it, or the number of threads is
                out of range.
        """
        if threads is not None:
            check_whole_number("threads", threads, 1, MAX_THREADS)
        predict, config = open_onnx(user_path("path", path))
        return cls(predict, config.latent_dim, config.class_names, threads=threads or available_cpus())

    def enlarged(self, size: int | None) -> "Generator":
        """The same generator, whose images are enlarged to ``size`` × ``size`` pixels. None: as they are drawn.

        Fashion-MNIST holds 28×28 pixels of information, and training at 64×64 enlarges it in the same way. So enlarged
        images are as good as those of a generator that was trained at 64×64.

        Raises:
            InputError: the size is out of range, or, when images are drawn, smaller than they are.

        Example:
            >>> fashion_gan.Generator.from_pretrained("fashion").enlarged(64).generate(2).shape
            (2, 64, 64, 1)
        """
        return Generator(self.predict, self.latent_dim, self.class_names, threads=self.threads, size=size)

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
        seed: int | None = 0,
        truncation: float = 1.0,
        *,
        as_float: bool = False,
    ) -> Array:
        """Draw images. The same seed gives the same images.

        Args:
            count: number of images, from 1 to 100,000.
            labels: a class's name or number for all images, or one for each image: a list, or an array or a tensor
                (N,), (N, 1) or one-hot (N, classes). None cycles through the classes.
            seed: seed of the latents, at least 0. None draws other images at each call.
            truncation: standard deviation of the latents, above 0 and at most 1.5. A value below 1 gives more typical
                and less varied images.
            as_float: return float32 instead of uint8.

        Returns:
            uint8 (count, H, W, C) in [0, 255], or float32 in [-1, 1].

        Raises:
            InputError: a number is out of range, a label is unknown, or an unconditional generator gets a label.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> generator.generate(3, labels=["Bag", "Sandal", 0], truncation=0.7).shape
            (3, 28, 28, 1)
            >>> generator.generate(3, as_float=True).dtype
            dtype('float32')
        """
        return self.decode(self.latents(count, seed, truncation), self.labels(count, labels), as_float=as_float)

    @default_settings()
    def latents(self, count: int, seed: int | None = 0, truncation: float = 1.0) -> Latents:
        """Draw the latents that ``generate`` turns into images.

        Args:
            count, seed, truncation: as in ``generate``.

        Returns:
            float32 (count, latent_dim).

        Raises:
            InputError: a number is out of range.

        Example:
            >>> fashion_gan.load_generator("fashion").latents(16, seed=3).shape
            (16, 100)
        """
        count = check_whole_number("count", count, 1, MAX_COUNT)
        return latent_space.draw_latents(count, self.latent_dim, seed, truncation)

    @default_settings()
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

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> latents = generator.latents(4, seed=3)
            >>> bool((generator.decode(latents, "Bag") == generator.generate(4, "Bag", seed=3)).all())
            True
        """
        as_float, vectors = check_flag("as_float", as_float), _as_floats("latents", latents)
        if vectors.ndim != 2 or vectors.shape[1] != self.latent_dim or not len(vectors):
            raise InputError(f"latents must be (N, {self.latent_dim}), got {vectors.shape}")
        numbers = self.labels(len(vectors), labels)
        size = min(SLICE_SIZE, -(-len(vectors) // self.threads)) if self.threads else BATCH_SIZE
        guard = self.predict.guard if isinstance(self.predict, OnnxPredict) else None
        limit = None if guard is None else guard.limit(size)
        threads: set[int] = set()

        def draw(start: int) -> Array:
            part = slice(start, start + size)
            inputs = vectors[part] if numbers is None else [vectors[part], numbers[part]]
            threads.add(threading.get_ident())
            images = np.asarray(self.predict(inputs), np.float32)
            if not np.isfinite(images).all():
                raise InputError("the model draws pixels that are not finite numbers: its weights are damaged")
            if self.size is not None:
                images = _enlarge(images, self.size)
            return images if as_float else to_uint8(images)

        starts = range(0, len(vectors), size)
        if not self.threads:  # Keras must run on the thread that set it up.
            return np.concatenate([draw(start) for start in starts])
        with ThreadPoolExecutor(self.threads) as pool:
            parts = [pool.submit(draw, start) for start in starts]
            try:
                return np.concatenate([part.result(limit) for part in parts])
            except TimeoutError as error:
                raise InputError(f"the model takes over {limit:.0f} seconds for {size} images") from error
            finally:  # After an error or a Ctrl-C, the other parts are ended: leaving the block waits for them.
                pool.shutdown(wait=False, cancel_futures=True)
                if guard is not None:
                    guard.stop(threads)

    @default_settings()
    def vary(self, latent: npt.ArrayLike, strength: float = 0.3, count: int = 16, seed: int | None = 0) -> Latents:
        """Draw neighbors of a latent: √(1 − strength²) · latent + strength · Gaussian noise.

        Args:
            latent: a latent (latent_dim,), or a seed, which stands for the first latent it draws.
            strength: in [0, 1]. At 0 all neighbors equal the latent. At 1 they are independent of it.
            count: number of neighbors, from 1 to 100,000.
            seed: seed of the noise, at least 0. None draws other neighbors at each call.

        Returns:
            float32 (count, latent_dim).

        Raises:
            InputError: a number is out of range, or the latent has the wrong length.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> generator.decode(generator.vary(3, strength=0.2, count=9), "Dress").shape
            (9, 28, 28, 1)
        """
        count = check_whole_number("count", count, 1, MAX_COUNT)
        return latent_space.vary(self._latent(latent), strength, count, seed)

    @default_settings()
    def mix(self, first: npt.ArrayLike, second: npt.ArrayLike, share: float = 0.5) -> Latents:
        """Interpolate between two latents along the sphere.

        Args:
            first, second: latents (latent_dim,), or seeds, which stand for the first latents they draw.
            share: share of the second latent, in [0, 1].

        Returns:
            float32 (latent_dim,).

        Raises:
            InputError: a number is out of range, or a latent has the wrong length.

        Example:
            >>> fashion_gan.load_generator("fashion").mix(3, 4, share=0.25).shape
            (100,)

        Source: White 2016, arXiv:1609.04468.
        """
        return latent_space.mix(self._latent(first), self._latent(second), share)

    @default_settings()
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

        Example:
            >>> fashion_gan.load_generator("fashion").interpolate(3, 4, frames=8, label="Dress").shape
            (8, 28, 28, 1)

        Source: White 2016, arXiv:1609.04468.
        """
        path = latent_space.walk(self._latent(first), self._latent(second), frames)
        return self.decode(path, 0 if label is None and self.class_names else label)

    def _latent(self, latent: npt.ArrayLike) -> Latents:
        """A latent, or the first latent of a seed."""
        if is_single_label(latent):
            first: Latents = self.latents(1, check_whole_number("seed", latent, 0))[0]
            return first
        vector = _as_floats("a latent", latent)
        if vector.shape != (self.latent_dim,):
            raise InputError(f"a latent must be ({self.latent_dim},), got {vector.shape}")
        return vector

    def labels(self, count: int, labels: LabelsLike | None = None) -> Labels | None:
        """Turn class names and numbers into int32 (count,). None for an unconditional generator.

        Args:
            count: number of images.
            labels: as in ``generate``.

        Returns:
            int32 (count,), or None.

        Raises:
            InputError: a label is unknown, the number of labels is not ``count``, or an unconditional generator gets a
                label.

        Example:
            >>> fashion_gan.load_generator("fashion").labels(3, ["Bag", "ankle boot", "2"])
            array([8, 9, 2], dtype=int32)
        """
        count = check_whole_number("count", count, 1, MAX_COUNT)
        if not self.class_names:
            if labels is not None:
                raise InputError(f"label={show(labels)} needs a conditional model: this one is unconditional")
            return None
        if labels is None:
            return np.arange(count, dtype=np.int32) % len(self.class_names)
        if is_single_label(labels):
            return np.full(count, self.label_number(labels), np.int32)
        numbers = class_numbers(labels, self.class_names, limit=count + 1)
        if len(numbers) != count:
            length = f"more than {count}" if len(numbers) > count else len(numbers)
            raise InputError(f"labels has {length} entries for {count} images")
        return numbers

    def label_number(self, label: object) -> int:
        """The number of a class, from its name or number. Raises InputError if the label is unknown or ambiguous."""
        return class_number(label, self.class_names)

    # ---- Data sets of other libraries ----

    def as_torch_dataset(
        self,
        count: int | None = None,
        *,
        labels: LabelsLike | None = None,
        seed: int | None = 0,
        truncation: float = 1.0,
        as_float: bool = False,
    ) -> Any:
        """The images as a PyTorch data set, for a ``DataLoader``. This needs PyTorch.

        Args:
            count: number of images, from 1 to 100,000. None: endlessly many.
            labels: as in ``generate``. Endless images take one class, or None for all classes in turn.
            seed: seed of the latents. None draws one now. The same seed gives the same images in every epoch.
            truncation, as_float: as in ``generate``.

        Returns:
            A ``torch.utils.data.Dataset`` of the images of ``generate(count, labels, seed, truncation)``; or, without a
            count, an ``IterableDataset``, of which each worker draws other images. An item is an image, uint8 or
            float32 (C, H, W), and its label, int64 (). Without classes it is only the image.

        Raises:
            InputError: PyTorch is not installed, a number is out of range, or a label is refused as in ``generate``.

        Example:
            >>> import torch
            >>> dataset = fashion_gan.load_generator("fashion").as_torch_dataset(20, labels="Dress", as_float=True)
            >>> images, labels = next(iter(torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True)))
            >>> images.shape, labels.tolist()
            (torch.Size([8, 1, 28, 28]), [3, 3, 3, 3, 3, 3, 3, 3])
        """
        check_installed("torch", "as_torch_dataset", "torch")
        from fashion_gan.loaders import torch_data

        stream = ImageStream(self, count, labels, seed, truncation, as_float)
        return torch_data.EndlessImages(stream) if count is None else torch_data.CountedImages(stream)

    def as_tf_dataset(
        self,
        count: int | None = None,
        *,
        labels: LabelsLike | None = None,
        seed: int | None = 0,
        truncation: float = 1.0,
        as_float: bool = False,
    ) -> Any:
        """The images as a ``tf.data.Dataset``. This needs TensorFlow.

        Args:
            count, labels, seed, truncation, as_float: as in ``as_torch_dataset``.

        Returns:
            A data set that knows its length. An item is an image, uint8 or float32 (H, W, C), and its label, int64 ().
            Without classes it is only the image.

        Raises:
            InputError: as ``as_torch_dataset`` does, for TensorFlow.

        Example:
            >>> dataset = fashion_gan.load_generator("fashion").as_tf_dataset(20, seed=3)
            >>> len(dataset), [tuple(images.shape) for images, labels in dataset.batch(16)]
            (20, [(16, 28, 28, 1), (4, 28, 28, 1)])
        """
        check_installed("tensorflow", "as_tf_dataset", "train")
        from fashion_gan.loaders import tensorflow_data

        return tensorflow_data.as_dataset(ImageStream(self, count, labels, seed, truncation, as_float))

    def as_hf_dataset(
        self,
        count: int | None = None,
        *,
        labels: LabelsLike | None = None,
        seed: int | None = 0,
        truncation: float = 1.0,
    ) -> Any:
        """The images as a data set of the Hugging Face library ``datasets``. This needs the extra ``datasets``.

        Args:
            count, labels, seed, truncation: as in ``as_torch_dataset``.

        Returns:
            A ``datasets.Dataset`` in memory; or, without a count, a ``datasets.IterableDataset``. The column ``image``
            holds pictures. With classes, the column ``label`` holds their numbers, and its feature their names.

        Raises:
            InputError: as ``as_torch_dataset`` does, for the library ``datasets``.

        Example:
            >>> dataset = fashion_gan.load_generator("fashion").as_hf_dataset(20, seed=3)
            >>> dataset[9]["image"].size, dataset.features["label"].int2str(dataset[9]["label"])
            ((28, 28), 'Ankle boot')
        """
        check_installed("datasets", "as_hf_dataset", "datasets")
        from fashion_gan.loaders import hugging_face_data

        return hugging_face_data.as_dataset(ImageStream(self, count, labels, seed, truncation, as_float=False))


def _enlarge(images: FloatImages, size: int) -> FloatImages:
    """Images (N, h, w, C) -> (N, size, size, C), by linear interpolation."""
    height, width = images.shape[1:3]
    if size < max(height, width):
        raise InputError(f"size={size} is smaller than the images that the model draws, {width}×{height}")
    return resize_pixels(images, size, size)


def _as_floats(name: str, values: object) -> Latents:
    """The values as float32. Raises InputError unless they are finite real numbers."""
    array = as_array(name, values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must be numbers, not {array.dtype}")
    with np.errstate(over="ignore"):  # A number that float32 cannot hold becomes infinite.
        floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise InputError(f"{name} must be finite numbers")
    return floats
