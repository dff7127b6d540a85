"""Latents (and labels) -> images, with NumPy and ONNX Runtime. Other frameworks' networks are passed as functions."""

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fashion_gan import latents as latent_space
from fashion_gan import pretrained
from fashion_gan.arrays import Array, FloatImages, Floats, Images, Labels, Latents, Predict, Tensor
from fashion_gan.classes import class_number, class_numbers, is_single_label
from fashion_gan.config import Config
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.editing.companions import Companions
from fashion_gan.editing.directions import Direction, choose, read_directions
from fashion_gan.errors import InputError, as_array, check_flag, check_range, check_whole_number, one_line, show
from fashion_gan.hub.address import is_address, parse_address
from fashion_gan.hub.download import ONNX, fetch_model
from fashion_gan.loaders.stream import ImageStream
from fashion_gan.rendering.images import grid, html_figure, to_uint8
from fashion_gan.rendering.resize import resize_pixels
from fashion_gan.system import onnx_guard
from fashion_gan.system.installation import check_installed
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.onnx_predict import OnnxPredict
from fashion_gan.system.parallel import available_cpus
from fashion_gan.system.paths import user_path

if TYPE_CHECKING:
    from fashion_gan.editing.depths import DepthNetwork
    from fashion_gan.editing.encoder import Encoder
    from fashion_gan.editing.projection import Projection

BATCH_SIZE = 256  # limits the memory of a large request
SLICE_SIZE = 32  # images per call and thread, so that the layers' outputs fit in a core's cache
MAX_COUNT = 100_000  # 78 MB of 28×28 gray images; use another seed for more
MAX_THREADS = 1024
MAX_SIZE = 1024  # pixels that images can be enlarged to
GRADIENT_COST = 3  # A gradient takes as long as three images.
MAX_KEYS = 1000  # of a film
MAX_AMOUNT = 20.0  # by which latents are moved in a direction: twice the length of most latents
SHARE_TOLERANCE = 1e-3  # of the sum of an image's class shares
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
    return OnnxPredict(content, guard.seconds_per_image, INPUT_NAMES), config


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
        companions: the files of the generator's encoder and directions. None if it has none.

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
        companions: Companions | None = None,
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
        if companions is not None and not isinstance(companions, Companions):
            raise InputError(f"companions={show(companions)} must be Companions or None")
        self.companions = companions

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
        path = user_path("path", path)
        predict, config = open_onnx(path)
        cores, companions = threads or available_cpus(), Companions.of(path)
        return cls(predict, config.latent_dim, config.class_names, threads=cores, companions=companions)

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
        if size is None and self.size is None:
            return self
        return Generator(
            *(self.predict, self.latent_dim, self.class_names),
            threads=self.threads,
            size=size,
            companions=self.companions,
        )

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
            latents: floats (N, latent_dim), N at least 1, for example from ``latents`` or ``vary``. Or, for an
                ``.onnx`` file, (N, depths, latent_dim), for example from ``mix_depths`` or ``project``.
            labels: as in ``generate``. Or, for an ``.onnx`` file, the share of each class in each image, from 0 to 1:
                floats (N, classes) or (N, depths, classes), whose rows add up to 1.
            as_float: return float32 instead of uint8.

        Returns:
            uint8 (N, H, W, C) in [0, 255], or float32 in [-1, 1].

        Raises:
            InputError: the latents have the wrong shape or are not finite, a label is refused as in ``generate``, or
                depths or classes are mixed and the generator does not come from an ``.onnx`` file.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> latents = generator.latents(4, seed=3)
            >>> bool((generator.decode(latents, "Bag") == generator.generate(4, "Bag", seed=3)).all())
            True
            >>> half_dress_half_coat = 0.5 * np.eye(10)[[3] * 4] + 0.5 * np.eye(10)[[4] * 4]
            >>> generator.decode(latents, half_dress_half_coat).shape
            (4, 28, 28, 1)
        """
        as_float, vectors = check_flag("as_float", as_float), _as_floats("latents", latents)
        shares = self._class_shares(len(vectors) if vectors.ndim else 0, labels)
        if vectors.ndim == 3 or shares is not None:
            return self._decode_mixed(vectors, labels if shares is None else shares, as_float)
        if vectors.ndim != 2 or vectors.shape[1] != self.latent_dim or not len(vectors):
            raise InputError(f"latents must be (N, {self.latent_dim}), got {vectors.shape}")
        numbers = self.labels(len(vectors), labels)

        def predict(part: slice) -> Array:
            return self.predict(vectors[part] if numbers is None else [vectors[part], numbers[part]])

        return self._in_batches(predict, len(vectors), as_float)

    def _decode_mixed(self, vectors: Latents, labels: LabelsLike | Floats | None, as_float: bool) -> Array:
        """Draw latents (N, depths, latent_dim) or (N, latent_dim), of classes or class shares."""
        network = self.depth_network
        if vectors.ndim == 2:
            vectors = np.repeat(vectors[:, np.newaxis], network.depth, axis=1)
        if vectors.shape[1:] != (network.depth, self.latent_dim) or not len(vectors):
            expected = f"(N, {self.latent_dim}) or (N, {network.depth}, {self.latent_dim})"
            raise InputError(f"latents must be {expected}, got {vectors.shape}")
        weights = self._class_weights(len(vectors), labels)

        def predict(part: slice) -> Array:
            return network.draw(vectors[part], None if weights is None else weights[part])

        return self._in_batches(predict, len(vectors), as_float)

    def _class_shares(self, count: int, labels: object) -> Floats | None:
        """The labels, if they are shares of classes: rows of fractions. None if they are anything else."""
        classes = len(self.class_names)
        if classes < 2 or labels is None or isinstance(labels, str) or is_single_label(labels):
            return None
        if not isinstance(labels, np.ndarray) and not (isinstance(labels, list) and labels and _is_row(labels[0])):
            return None
        array = as_array("labels", labels)
        if array.dtype.kind != "f" or array.ndim not in (2, 3) or np.isin(array, (0, 1)).all():
            return None
        if array.shape[-1] != classes or len(array) != count:
            return None
        if not ((array >= 0).all() and (np.abs(array.sum(axis=-1) - 1) <= SHARE_TOLERANCE).all()):
            raise InputError("labels hold shares of classes, which must be at least 0 and add up to 1 in each row")
        return array.astype(np.float64)

    def _class_weights(self, count: int, labels: LabelsLike | Floats | None) -> Floats | None:
        """The share of each class at each depth, (count, depths, classes). None for an unconditional generator."""
        shares, depths, classes = self._class_shares(count, labels), self.depths, len(self.class_names)
        if shares is None:
            numbers = self.labels(count, labels)
            if numbers is None:
                return None
            shares = np.eye(classes)[numbers]
        if shares.ndim == 2:
            shares = shares[:, np.newaxis]
        if shares.shape[1] not in (1, depths):
            raise InputError(f"labels must be ({count}, {classes}) or ({count}, {depths}, {classes}) shares")
        return np.broadcast_to(shares, (count, depths, classes))

    def _in_batches(self, predict: Callable[[slice], Array], count: int, as_float: bool) -> Array:
        """Draw images in batches, on several threads.

        Args:
            predict: draws the images of a slice of all inputs, floats in [-1, 1].
            count: the number of all images.
            as_float: as in ``generate``.
        """
        size = min(SLICE_SIZE, -(-count // self.threads)) if self.threads else BATCH_SIZE

        def draw(part: slice) -> Array:
            images = np.asarray(predict(part), np.float32)
            if not np.isfinite(images).all():
                raise InputError("the model draws pixels that are not finite numbers: its weights are damaged")
            if self.size is not None:
                images = _enlarge(images, self.size)
            return images if as_float else to_uint8(images)

        return np.concatenate(self._in_threads(draw, count, size))

    def _in_threads(self, work: Callable[[slice], Array], count: int, size: int, calls: int = 1) -> list[Array]:
        """Work on slices of ``count`` images at the same time, if there are threads, and return the results in order.

        Args:
            work: the work on a slice.
            count: the number of all images.
            size: the images of a slice.
            calls: how often the work draws each image, for its time limit.
        """
        parts = [slice(start, start + size) for start in range(0, count, size)]
        if not self.threads:  # Keras must run on the thread that set it up.
            return [work(part) for part in parts]
        guard = self.predict.guard if isinstance(self.predict, OnnxPredict) else None
        limit = None if guard is None else guard.limit(size * calls)
        threads: set[int] = set()

        def run(part: slice) -> Array:
            threads.add(threading.get_ident())
            return work(part)

        with ThreadPoolExecutor(self.threads) as pool:
            results = [pool.submit(run, part) for part in parts]
            try:
                return [result.result(limit) for result in results]
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

    # ---- Editing ----

    @default_settings()
    def project(
        self,
        images: npt.ArrayLike,
        labels: LabelsLike | None = None,
        *,
        steps: int = PROJECTION_STEPS,
    ) -> "Projection":
        """Find latents, and classes, from which the generator draws given pictures, as near as it can.

        An encoder names a start, if the generator has one: the shipped model's comes with it, ``train_encoder`` makes
        one for a run. Without an encoder the nearest of 2,000 drawn images is the start. Gradient descent moves the
        latents of each depth from there. ONNX Runtime computes it, so it needs no training framework.

        Args:
            images: uint8 (N, H, W, C) of the generator's own size, N from 1 to 10,000. Gray ones may be (N, H, W).
            labels: as in ``generate``. None: the encoder, or the nearest image, tells the class.
            steps: steps of the descent, from 0 to 10,000.

        Returns:
            The latents, the classes, the pictures drawn from them, and their errors.

        Raises:
            InputError: the images have the wrong type or shape, a number is out of range, a label is refused as in
                ``generate``, or the generator does not come from an ``.onnx`` file, or cannot be differentiated.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> found = generator.project(generator.generate(2, "Bag", seed=3), "Bag")
            >>> found.latents.shape, bool(found.errors.max() < 25)
            ((2, 5, 100), True)

        Source: Abdal et al. 2019, arXiv:1904.03189; Zhu et al. 2016, arXiv:1609.03552.
        """
        from fashion_gan.editing import projection  # Imported here, because most programs only draw.

        steps = check_whole_number("steps", steps, 0, projection.MAX_STEPS)
        plain = self.enlarged(None)
        network, pictures = self.depth_network, projection.check_pictures(images, plain.image_shape)
        numbers = None if labels is None else self.labels(len(pictures), labels)
        targets = pictures.astype(np.float32) / np.float32(127.5) - 1
        start, classes = projection.find_start(
            self.encoder, plain.decode, targets, (self.latent_dim, len(self.class_names)), numbers
        )
        weights = self._class_weights(len(pictures), classes)
        network.check_gradient()

        def descend(part: slice) -> Latents:
            shares = None if weights is None else weights[part]
            return projection.descend(network, targets[part], start[part], shares, steps)

        together = min(projection.PICTURES_TOGETHER, -(-len(pictures) // (self.threads or 1)))
        latents = np.concatenate(self._in_threads(descend, len(pictures), together, GRADIENT_COST * (steps + 1)))
        if network.depth == 1:
            latents = latents[:, 0]
        drawn = plain.decode(latents, classes, as_float=True)
        errors = 127.5 * np.sqrt(projection.mean_squares(drawn, targets))
        return projection.Projection(latents, classes, to_uint8(drawn), errors)

    @functools.cached_property
    def encoder(self) -> "Encoder | None":
        """The encoder that ``project`` starts from. None if the generator has none.

        Raises:
            InputError: its file is damaged, or belongs to another generator.
        """
        from fashion_gan.editing.encoder import open_encoder

        path = None if self.companions is None else self.companions.encoder
        if path is None or not path.is_file():
            return None
        plain = self.enlarged(None)
        return open_encoder(path, plain.image_shape, self.latent_dim, len(self.class_names))

    @functools.cached_property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that ``edit`` knows, those that change pictures most first. () if the generator has none.

        Raises:
            InputError: their file is damaged, or belongs to another generator.

        Example:
            >>> [direction.name for direction in fashion_gan.load_generator("fashion").directions][:2]
            ['...', '...']
        """
        return () if self.companions is None else read_directions(self.companions.directions, self.latent_dim)

    @default_settings()
    def edit(self, latents: npt.ArrayLike, direction: str | int | npt.ArrayLike, amount: float = 2.0) -> Latents:
        """Move latents in a direction: latents + amount · direction.

        Args:
            latents: (N, latent_dim), (latent_dim,) or (N, depths, latent_dim).
            direction: the name of one of ``directions``, its number, which counts from 1, or a vector (latent_dim,).
                The vector is brought to length 1.
            amount: how far, from -20 to 20. Latents have a standard deviation of 1 in every direction, so 2 is much.

        Returns:
            float32, of the shape of the latents.

        Raises:
            InputError: the direction is unknown, a number is out of range, or the latents have the wrong shape.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> latents = generator.latents(8, seed=3)
            >>> generator.decode(generator.edit(latents, 1, amount=3), "Dress").shape
            (8, 28, 28, 1)

        Source: Shen & Zhou 2021, arXiv:2007.06600; Härkönen et al. 2020, arXiv:2004.02546.
        """
        vectors = _as_floats("latents", latents)
        if vectors.ndim not in (1, 2, 3) or vectors.shape[-1] != self.latent_dim:
            raise InputError(f"the last axis of latents must have the length {self.latent_dim}, got {vectors.shape}")
        amount = check_range("amount", amount, -MAX_AMOUNT, MAX_AMOUNT)
        return vectors + np.float32(amount) * self._direction_vector(direction)

    def _direction_vector(self, direction: object) -> Latents:
        """The unit vector of a direction."""
        if is_single_label(direction):
            return choose(self.directions, direction).vector
        vector = _as_floats("direction", direction)
        length = float(np.linalg.norm(vector))
        if vector.shape != (self.latent_dim,) or not 0 < length < np.inf:
            raise InputError(f"a direction must be ({self.latent_dim},) and not zero, got {vector.shape}")
        return vector / np.float32(length)

    @property
    def depths(self) -> int:
        """The number of depths at which layers can read different latents, see ``mix_depths``. 1: they cannot.

        Raises:
            InputError: the generator does not come from an ``.onnx`` file, or its layers are of an unknown kind.

        Example:
            >>> fashion_gan.load_generator("fashion").depths
            5
        """
        return self.depth_network.depth

    @functools.cached_property
    def depth_network(self) -> "DepthNetwork":
        """The network, cut where its layers read the latents.

        Raises:
            InputError: as for ``depths``.
        """
        if not isinstance(self.predict, OnnxPredict):
            raise InputError(
                "layers read different latents only in an .onnx file: write one with fashion-gan export, and load it"
            )
        from fashion_gan.editing.depths import DepthNetwork

        return DepthNetwork(self.predict, len(self.class_names))

    @default_settings()
    def mix_depths(self, shape: npt.ArrayLike, texture: npt.ArrayLike, first: int | None = None) -> Latents:
        """Join two latents by depth: early layers decide the shape, late ones the texture. ``decode`` draws them.

        Args:
            shape, texture: latents (latent_dim,), or (depths, latent_dim) such as those of a projected picture; or
                seeds, which stand for the first latents they draw.
            first: the first depth that reads ``texture``, from 0 to ``depths``. None: half of the depths.

        Returns:
            float32 (depths, latent_dim).

        Raises:
            InputError: a latent or a number cannot be used, or the generator has no depths.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> generator.decode([generator.mix_depths(3, 7)], "Dress").shape
            (1, 28, 28, 1)

        Source: Karras et al. 2019, arXiv:1812.04948, section 3.1 (style mixing).
        """
        depths = self.depths
        first = depths // 2 if first is None else check_whole_number("first", first, 0, depths)
        return np.concatenate([self._by_depth(shape)[:first], self._by_depth(texture)[first:]])

    def _by_depth(self, latent: npt.ArrayLike) -> Latents:
        """A latent for each depth, (depths, latent_dim), from one for each, one for all, or a seed."""
        if not is_single_label(latent):
            vectors = _as_floats("a latent", latent)
            if vectors.shape == (self.depths, self.latent_dim):
                return vectors
        return np.repeat(self._latent(latent)[np.newaxis], self.depths, axis=0)

    @default_settings()
    def film(
        self,
        keys: Sequence[npt.ArrayLike],
        labels: LabelsLike | None = None,
        frames: int = 16,
        *,
        closed: bool = False,
    ) -> Images:
        """Draw the images on a path through several latents along the sphere. The class changes gradually, too.

        Args:
            keys: at least two latents (latent_dim,), or seeds, which stand for the first latents they draw.
            labels: a class for all frames, or one for each key. None means the first class.
            frames: images from each key to the next, from 1 to 1,000.
            closed: return to the first key, so that the film can repeat.

        Returns:
            uint8 (N, H, W, C), N = frames · (keys - 1) + 1, or frames · keys if the path is closed.

        Raises:
            InputError: a number is out of range, a latent has the wrong length, a label is unknown, or the keys have
                different classes and the generator does not come from an ``.onnx`` file.

        Example:
            >>> generator = fashion_gan.load_generator("fashion")
            >>> generator.film([3, 4, 5], labels=["Dress", "Coat", "Dress"], frames=8, closed=True).shape
            (24, 28, 28, 1)

        Source: White 2016, arXiv:1609.04468.
        """
        is_list = isinstance(keys, Sequence) or (isinstance(keys, np.ndarray) and keys.ndim > 0)
        if not is_list or isinstance(keys, (str, bytes)):
            raise InputError(f"keys={show(keys)} must be a list of latents or seeds")
        if len(keys) > MAX_KEYS:
            raise InputError(f"a film has at most {MAX_KEYS} keys, got {len(keys)}")
        vectors = [self._latent(key) for key in keys]
        path, shares = latent_space.path(np.array(vectors, np.float32), frames, closed=check_flag("closed", closed))
        numbers = self.labels(len(vectors), 0 if labels is None and self.class_names else labels)
        if numbers is None or (numbers == numbers[0]).all():
            return self.decode(path, None if numbers is None else int(numbers[0]))
        return self.decode(path, shares @ np.eye(len(self.class_names))[numbers])

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


def _is_row(value: object) -> bool:
    """Whether a value is a list or an array, not one number or name."""
    return isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim > 0)


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
