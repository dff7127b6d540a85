"""Latents (and labels) -> images, with NumPy and ONNX Runtime; what else runs a network is a function handed in."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan import cores, pretrained
from fashion_gan import latents as latent_space
from fashion_gan.config import Config
from fashion_gan.errors import InputError, suggestion
from fashion_gan.latents import Latents
from fashion_gan.pictures import to_uint8

BATCH_SIZE = 256  # bounds the memory of a large request
SLICE_SIZE = 32  # drawn by one core at a time: what its layers make of so many stays in the core's cache
MAX_COUNT = 100_000  # 78 MB of 28 × 28 grey; ask again with another seed for more
MAX_THREADS = 1024
LONGEST_NUMBER, LONGEST_SHOWN = 9, 60  # digits of a class, and letters of a label in a message
CONFIG_KEY = "fashion_gan"  # of an ONNX file's metadata: the configuration that its network was built from
INPUT_NAMES = ("latents", "labels")  # of the network's inputs, in every format; the second of a conditional one only


def open_onnx(path: Path) -> tuple[Callable[[Any], Any], Config]:
    """What draws by an ``.onnx`` file of ours, on one core, and what it was built from. See ``Generator.load``."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A core draws pictures of its own: cores that share a picture's layers wait for one another.
    options.intra_op_num_threads = 1
    if not path.is_file():
        raise InputError(f"{path} is not a model file: there is nothing of that name")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        text = session.get_modelmeta().custom_metadata_map.get(CONFIG_KEY)
    except Exception as error:  # ONNX Runtime's own exceptions have no common type.
        raise InputError(f"{path} cannot be read as ONNX: it is damaged, or of an unknown kind") from error
    if text is None:
        raise InputError(f"{path} is an ONNX file, but not a generator that fashion-gan wrote")
    config = Config.from_json(text, path)  # Of an imported generator, no more than its latents and classes.
    taken = {value.name: value.shape for value in session.get_inputs()}
    names = list(INPUT_NAMES if config.class_names else INPUT_NAMES[:1])
    if list(taken) != names or taken[INPUT_NAMES[0]][1:] != [config.latent_dim]:
        raise InputError(f"{path} takes {', '.join(taken)}: not what a generator of ours takes")

    def predict(inputs: Any) -> Any:
        values = inputs if isinstance(inputs, list) else [inputs]
        return session.run(None, dict(zip(names, values, strict=True)))[0]

    return predict, config


class Generator:
    """A trained generator that is ready to draw.

    Args:
        predict: latents (N, latent_dim), or a list [latents, int32 labels (N,)] if conditional -> images
            (N, H, W, C), floats in [-1, 1].
        latent_dim: length of a latent vector.
        class_names: the classes of a conditional generator, in the order of their labels; empty if unconditional.
        threads: how many threads call ``predict`` at once, for few pictures each; one calls it for many, where None.

    Example:
        >>> fashion_gan.Generator.from_pretrained("fashion").generate(64, labels="Dress", seed=3).shape
        (64, 28, 28, 1)
    """

    def __init__(
        self,
        predict: Callable[[Any], Any],
        latent_dim: int,
        class_names: Sequence[str] = (),
        *,
        threads: int | None = None,
    ) -> None:
        self.predict = predict
        self.latent_dim = latent_dim
        self.class_names = tuple(class_names)
        self.threads = threads

    @classmethod
    def from_pretrained(cls, name: str = "fashion", *, threads: int | None = None) -> "Generator":
        """The generator that comes with fashion-gan, run by ONNX Runtime. Raises InputError for an unknown name."""
        return cls.load(pretrained.folder(name) / "generator.onnx", threads=threads)

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> "Generator":
        """Read an ``.onnx`` file that fashion-gan wrote, without a training framework.

        Args:
            path: the file.
            threads: how many processor cores draw; all that the process may run on without it.

        Raises:
            InputError: there is no such file, it is damaged, or it is not a generator of ours; or no number of threads.
        """
        if threads is not None and not 1 <= threads <= MAX_THREADS:
            raise InputError(f"threads={threads} is out of range: it must be from 1 to {MAX_THREADS}")
        predict, config = open_onnx(Path(path))
        return cls(predict, config.latent_dim, config.class_names, threads=threads or cores.usable())

    def generate(
        self, count: int, labels: Any = None, seed: int = 0, truncation: float = 1.0, *, as_float: bool = False
    ) -> np.ndarray:
        """Draw images; the same seed gives the same images.

        Args:
            count: how many, from 1 to 100,000.
            labels: a class name or number for all, or one for each image; None takes the classes in turn.
            seed: of the latents, at least 0.
            truncation: of the latents, above 0 and at most 1.5; below 1 the images are more typical and less varied.
            as_float: give float32 in [-1, 1] in place of uint8.

        Returns:
            uint8 (count, H, W, C), or float32 in [-1, 1].

        Raises:
            InputError: a number out of range, an unknown label, or a label for an unconditional generator.
        """
        return self.decode(self.latents(count, seed, truncation), self.labels(count, labels), as_float=as_float)

    def latents(self, count: int, seed: int = 0, truncation: float = 1.0) -> Latents:
        """What ``generate`` draws from: float32 (count, latent_dim). Raises InputError as it does."""
        if not 1 <= count <= MAX_COUNT:
            raise InputError(f"count={count} is out of range: it must be from 1 to {MAX_COUNT:,}")
        return latent_space.draw_latents(count, self.latent_dim, seed, truncation)

    def decode(self, latents: Any, labels: Any = None, *, as_float: bool = False) -> np.ndarray:
        """Draw the images of given latents, in bounded memory.

        Args:
            latents: floats (N, latent_dim), N at least 1; from ``latents``, ``vary`` or ``mix``, say.
            labels: as ``generate`` takes them.
            as_float: give float32 in [-1, 1] in place of uint8.

        Returns:
            uint8 (N, H, W, C), or float32 in [-1, 1].

        Raises:
            InputError: latents of another shape or not finite, or labels as in ``generate``.
        """
        latents = np.asarray(latents, np.float32)
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim or not len(latents):
            raise InputError(f"latents must be (N, {self.latent_dim}), got {latents.shape}")
        if not np.isfinite(latents).all():
            raise InputError("latents must be finite numbers")
        numbers = self.labels(len(latents), labels)
        size = min(SLICE_SIZE, -(-len(latents) // self.threads)) if self.threads else BATCH_SIZE

        def draw(start: int) -> np.ndarray:
            part = slice(start, start + size)
            inputs = latents[part] if numbers is None else [latents[part], numbers[part]]
            images = np.asarray(self.predict(inputs), np.float32)
            return images if as_float else to_uint8(images)

        starts = range(0, len(latents), size)
        if not self.threads:  # Keras calls its layers on the thread that it was set up on.
            return np.concatenate([draw(start) for start in starts])
        with ThreadPoolExecutor(self.threads) as pool:
            return np.concatenate(list(pool.map(draw, starts)))

    def vary(self, latent: Any, strength: float = 0.3, count: int = 16, seed: int = 0) -> Latents:
        """Neighbours of a latent (latent_dim,), float32 (count, latent_dim): at 0 itself, at 1 as far as any."""
        if not 1 <= count <= MAX_COUNT:
            raise InputError(f"count={count} is out of range: it must be from 1 to {MAX_COUNT:,}")
        return latent_space.vary(self._latent(latent), strength, count, seed)

    def mix(self, first: Any, second: Any, share: float = 0.5) -> Latents:
        """One latent between two (latent_dim,) of them along the sphere: float32 (latent_dim,)."""
        return latent_space.mix(self._latent(first), self._latent(second), share)

    def interpolate(self, first: Any, second: Any, frames: int = 16, label: Any = None) -> np.ndarray:
        """Walk from one picture to another along the sphere; uint8 (frames, H, W, C).

        Args:
            first, second: a seed, for its first picture, or a latent (latent_dim,).
            frames: from 2 to 1000, both ends included.
            label: the class of all frames; the first class without it.

        Raises:
            InputError: a number out of range, a latent of another length, or an unknown label.
        """
        path = latent_space.walk(self._latent(first), self._latent(second), frames)
        return self.decode(path, 0 if label is None and self.class_names else label)

    def _latent(self, latent: Any) -> Latents:
        """A seed's first latent, or the latent itself."""
        if isinstance(latent, (int, np.integer)):
            return self.latents(1, int(latent))[0]
        latent = np.asarray(latent, np.float32)
        if latent.shape != (self.latent_dim,):
            raise InputError(f"a latent must be ({self.latent_dim},), got {latent.shape}")
        return latent

    def labels(self, count: int, labels: Any = None) -> np.ndarray | None:
        """What the user calls classes -> int32 (count,), or None for an unconditional generator."""
        if not self.class_names:
            if labels is not None:
                raise InputError(f"label={labels!r} was asked of an unconditional model: it has no classes")
            return None
        if labels is None:
            return np.arange(count, dtype=np.int32) % len(self.class_names)
        if isinstance(labels, (str, int, np.integer)):
            return np.full(count, self.label_number(labels), np.int32)
        if len(labels) != count:
            raise InputError(f"labels has {len(labels)} entries for {count} images")
        values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
        numbers = {value: self.label_number(value) for value in set(values)}  # Few classes, perhaps many images.
        return np.array([numbers[value] for value in values], np.int32)

    def label_number(self, label: Any) -> int:
        """A class's number from its name (in any case) or its number, as a text or not."""
        by_name = {name.lower(): number for number, name in enumerate(self.class_names)}
        text = str(label).strip().lower()
        if isinstance(label, str) and text in by_name:  # A number is a number also where classes are called so.
            return by_name[text]
        if text.isdecimal() and len(text) <= LONGEST_NUMBER and int(text) < len(self.class_names):
            return int(text)
        label = str(label)[:LONGEST_SHOWN]
        allowed = suggestion(label, list(self.class_names))
        raise InputError(f"label={label!r} is unknown: {allowed}, or 0 to {len(self.class_names) - 1}")
