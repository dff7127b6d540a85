"""Latents (and labels) -> images, with NumPy and ONNX Runtime; what else runs a network is a function handed in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan import pretrained
from fashion_gan.config import Config
from fashion_gan.errors import InputError, suggestion
from fashion_gan.pictures import to_uint8

BATCH_SIZE = 256  # bounds the memory of a large request
MAX_COUNT = 100_000  # 78 MB of 28 × 28 grey; ask again with another seed for more
CONFIG_KEY = "fashion_gan"  # of an ONNX file's metadata: the configuration that its network was built from


def draw_latents(count: int, latent_dim: int, seed: int) -> np.ndarray:
    """Gaussian latents, float32 (count, latent_dim): the same for a seed on every machine and backend."""
    return np.random.default_rng(seed).standard_normal((count, latent_dim), dtype=np.float32)


class Generator:
    """A trained generator that is ready to draw.

    Args:
        predict: latents (N, latent_dim), or a list [latents, int32 labels (N,)] if conditional -> images
            (N, H, W, C), floats in [-1, 1].
        latent_dim: length of a latent vector.
        class_names: the classes of a conditional generator, in the order of their labels; empty if unconditional.

    Example:
        >>> fashion_gan.Generator.from_pretrained("fashion").generate(64, labels="Dress", seed=3).shape
        (64, 28, 28, 1)
    """

    def __init__(self, predict: Callable[[Any], Any], latent_dim: int, class_names: Sequence[str] = ()) -> None:
        self.predict = predict
        self.latent_dim = latent_dim
        self.class_names = tuple(class_names)

    @classmethod
    def from_pretrained(cls, name: str = "fashion") -> "Generator":
        """The generator that comes with fashion-gan, run by ONNX Runtime. Raises InputError for an unknown name."""
        return cls.load(pretrained.folder(name) / "generator.onnx")

    @classmethod
    def load(cls, path: str | Path) -> "Generator":
        """Read an ``.onnx`` file that fashion-gan wrote, without a training framework.

        Raises:
            InputError: there is no such file, it is damaged, or it is not a generator of ours.
        """
        import onnxruntime

        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path} is not a model file: there is nothing of that name")
        try:
            session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions have no common type.
            raise InputError(f"{path} cannot be read as ONNX: it is damaged, or of an unknown kind") from error
        text = session.get_modelmeta().custom_metadata_map.get(CONFIG_KEY)
        if text is None:
            raise InputError(f"{path} is an ONNX file, but not a generator that fashion-gan wrote")
        config = Config.from_json(text)
        names = [value.name for value in session.get_inputs()]
        if names != (["latents", "labels"] if config.class_names else ["latents"]):
            raise InputError(f"{path} takes {', '.join(names)}: not what a generator of ours takes")

        def predict(inputs: Any) -> Any:
            values = inputs if isinstance(inputs, list) else [inputs]
            return session.run(None, dict(zip(names, values, strict=True)))[0]

        return cls(predict, config.latent_dim, config.class_names)

    def generate(self, count: int, labels: Any = None, seed: int = 0) -> np.ndarray:
        """Draw images; the same seed gives the same images.

        Args:
            count: how many, from 1 to 100,000.
            labels: a class name or number for all, or one for each image; None takes the classes in turn.
            seed: of the latents, at least 0.

        Returns:
            uint8 (count, H, W, C).

        Raises:
            InputError: a count or seed out of range, an unknown label, or a label for an unconditional generator.
        """
        if not 1 <= count <= MAX_COUNT:
            raise InputError(f"count={count} is out of range: it must be from 1 to {MAX_COUNT:,}")
        if seed < 0:
            raise InputError(f"seed={seed} is out of range: it must be at least 0")
        return self.decode(draw_latents(count, self.latent_dim, seed), self.labels(count, labels))

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Latents (N, latent_dim), and int32 labels (N,) if conditional -> uint8 images (N, H, W, C)."""
        chunks = []
        for start in range(0, len(latents), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = latents[part] if labels is None else [latents[part], labels[part]]
            chunks.append(to_uint8(np.asarray(self.predict(inputs))))
        return np.concatenate(chunks)

    def interpolate(self, first_seed: int, second_seed: int, frames: int = 16, label: Any = None) -> np.ndarray:
        """Walk from one seed's first picture to another's along the sphere; uint8 (frames, H, W, C).

        Spherical, because Gaussian latents lie near a sphere and a straight line leaves it (White 2016,
        arXiv:1609.04468).
        """
        if not 2 <= frames <= 1000:
            raise InputError(f"frames={frames} is out of range: it must be from 2 to 1000")
        if min(first_seed, second_seed) < 0:
            raise InputError(f"seed={min(first_seed, second_seed)} is out of range: it must be at least 0")
        start, end = (draw_latents(1, self.latent_dim, seed)[0] for seed in (first_seed, second_seed))
        cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end))
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        shares = np.linspace(0.0, 1.0, frames, dtype=np.float32)[:, None]
        if angle < 1e-4:  # The same seed twice, say: any line will do.
            path = (1 - shares) * start + shares * end
        else:
            path = (np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)
        labels = self.labels(frames, 0 if label is None and self.class_names else label)
        return self.decode(path.astype(np.float32), labels)

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
        return np.array([self.label_number(label) for label in labels], np.int32)

    def label_number(self, label: Any) -> int:
        """A class's number from its name (in any case) or its number, as a text or not."""
        by_name = {name.lower(): number for number, name in enumerate(self.class_names)}
        text = str(label).strip().lower()
        if isinstance(label, str) and text in by_name:  # A number is a number also where classes are called so.
            return by_name[text]
        if text.isdecimal() and int(text) < len(self.class_names):
            return int(text)
        allowed = suggestion(str(label), list(self.class_names))
        raise InputError(f"label={label!r} is unknown: {allowed}, or 0 to {len(self.class_names) - 1}")
