"""Feature networks for pictures of any kind: the random network of the package, or a file of the user's."""

import functools
import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Array, FloatImages, Images, Vectors
from fashion_gan.errors import InputError, one_line
from fashion_gan.system import onnx_guard, progress
from fashion_gan.system.parallel import parallel_map

RANDOM_NETWORK = Path(__file__).with_name("random_network.onnx")
RANDOM_NETWORK_SHA256 = "f0c450a41bb5e8a26c088552909066557e42ff7bab0207d8cc23c4897184aba1"
MAX_RANDOM_SIDE = 128  # pixels. Larger pictures are halved until they fit. The patches see the finest details.
BATCH_PIXELS = 1 << 17  # pixels of a batch: 32 pictures of 64×64. A larger batch is no faster and takes more memory.
PROBED_PICTURES = 2
PROBED_SIDE = 64  # pixels, if the network takes any size
MAX_FEATURES = 4096  # of a picture. A covariance of more takes too much memory and time.
CHANNEL_COUNTS = (1, 3, 4)


class FeatureNetwork:
    """A network that turns pictures into vectors, run by ONNX Runtime on all cores.

    Attributes:
        name: "random", or the path of the user's file.
        sha256: the checksum of the file.
        is_random: whether it is the random network, whose raw features are whitened before they are compared.
    """

    def __init__(self, name: str, content: bytes, is_random: bool = False) -> None:
        self.name, self.is_random = name, is_random
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._content = content
        self._guard = onnx_guard.Guard()

    @classmethod
    def random(cls) -> "FeatureNetwork":
        """The random network. ``tools/make_random_network.py`` says how it was made.

        Raises:
            InputError: the installed file is not the published one.
        """
        network = cls("random", RANDOM_NETWORK.read_bytes(), is_random=True)
        if network.sha256 != RANDOM_NETWORK_SHA256:
            raise InputError(f"{RANDOM_NETWORK} is not the published feature network: its SHA-256 is {network.sha256}")
        return network

    @classmethod
    def load(cls, path: Path) -> "FeatureNetwork":
        """Open a feature network of the user's, an ONNX file.

        Its first input is a batch of pictures, float32 or uint8 with pixels in [0, 255]: (N, H, W, C), or (N, C, H, W).
        C is 1, 3 or 4; H and W may be fixed or free, N is free. Its first output has N rows of at most 4,096 features.

        Raises:
            InputError: there is no such file, or it is no such network.
        """
        if not path.is_file():
            raise InputError(f"features={path} is no file: name an ONNX feature network")
        if path.stat().st_size > onnx_guard.MAX_FILE_BYTES:
            raise InputError(f"features={path} is larger than {onnx_guard.MAX_FILE_BYTES >> 30} GiB")
        network = cls(str(path), path.read_bytes())
        if network.sha256 == RANDOM_NETWORK_SHA256:  # Its features are whitened, wherever its file lies.
            return cls.random()
        try:
            network._check(onnx_guard.open_plain(network._content))
        except onnx_guard.errors() as error:
            reason = one_line(error) if isinstance(error, InputError) else "it is damaged, or of an unknown kind"
            raise InputError(f"features={path} cannot be used as a feature network: {reason}") from error
        return network

    def _check(self, session: Any) -> None:
        """Run two pictures through a plain session. Raises InputError if that does not give two rows of features."""
        inputs = session.get_inputs()
        shapes = [taken.shape for taken in inputs]
        if len(inputs) != 1 or len(shapes[0]) != 4 or not {shapes[0][1], shapes[0][3]} & set(CHANNEL_COUNTS):
            raise InputError("its input must be one batch of pictures, (N, H, W, C) or (N, C, H, W), C = 1, 3 or 4")
        if isinstance(shapes[0][0], int):
            raise InputError(f"it takes exactly {shapes[0][0]} pictures: export it with a free number of pictures")
        size = [length if isinstance(length, int) else PROBED_SIDE for length in shapes[0][1:]]
        probe = np.zeros((PROBED_PICTURES, *size), _dtype(inputs[0]))
        _check_features(self._guard.probe(session, {inputs[0].name: probe})[0], PROBED_PICTURES)

    @functools.cached_property
    def _session(self) -> Any:
        options = onnx_guard.session_options()
        options.enable_cpu_mem_arena = False
        return onnx_guard.open_session(self._content, options)

    def check_pictures(self, shape: tuple[int, ...]) -> None:
        """Raise InputError if the network does not take pictures of this shape (H, W, C)."""
        if self.is_random:
            return
        height, width, channels = shape
        taken = self._session.get_inputs()[0].shape
        first = taken[1] in CHANNEL_COUNTS and taken[3] not in CHANNEL_COUNTS
        sides, wanted = (taken[2:], taken[1]) if first else (taken[1:3], taken[3])
        fits = all(
            not isinstance(side, int) or side == given for side, given in zip(sides, (height, width), strict=True)
        )
        if not fits:
            raise InputError(
                f"features={self.name} takes pictures of {sides[1]}×{sides[0]} pixels, these are {width}×{height}: put "
                "the resizing into the network"
            )
        if channels > wanted:
            raise InputError(f"features={self.name} takes {wanted} channels, these pictures have {channels}")

    def extract(self, images: Images, description: str = "features") -> Vectors:
        """Compute the features of pictures.

        Args:
            images: uint8 (N, H, W, C), C = 1, 3 or 4.
            description: the text of the progress bar. An empty text shows no bar.

        Returns:
            float32 (N, D).

        Raises:
            InputError: the network does not take pictures of this shape, takes too long or too much memory, or gives no
                features, or some that are not finite.

        Example:
            >>> FeatureNetwork.random().extract(np.zeros((2, 32, 32, 3), np.uint8)).shape
            (2, 896)
        """
        self.check_pictures(images.shape[1:])
        (taken,) = self._session.get_inputs()
        prepare = _for_random_network if self.is_random else functools.partial(_for_users_network, taken)
        size = max(1, BATCH_PIXELS // (images.shape[1] * images.shape[2]))
        batches = [slice(start, start + size) for start in range(0, len(images), size)]

        def run(batch: slice) -> Array:
            return self._run({taken.name: prepare(images[batch])})

        settings = {"unit_scale": size, "total": len(batches), "disable": not description}
        parts = list(progress.bar(parallel_map(run, batches), description, "pictures", **settings))
        vectors = np.concatenate(parts)
        if not np.isfinite(vectors).all():
            raise InputError(f"features={self.name} gives features that are not finite")
        return vectors

    def _run(self, inputs: dict[str, Array]) -> Vectors:
        """Compute the features of a batch. A network of the user's is ended if it takes much longer than the probe."""
        (pixels,) = inputs.values()
        seconds = self._guard.limit(max(len(pixels), pixels.size // PROBED_SIDE**2))
        start = time.monotonic()
        timer = threading.Timer(seconds, self._guard.stop, [[threading.get_ident()]])
        if not self.is_random:
            timer.start()
        try:
            output = self._guard.run(self._session, inputs)[0]
            _check_features(output, len(pixels))
        except InputError as error:
            reason = f"it takes over {seconds:.0f} seconds" if time.monotonic() - start > seconds else one_line(error)
            size = "×".join(map(str, pixels.shape))
            raise InputError(f"features={self.name} does not work for pictures {size}: {reason}") from error
        finally:
            timer.cancel()
        return output.reshape(len(output), -1).astype(np.float32)


def _check_features(features: Any, count: int) -> None:
    """Raise InputError if a network's output is not one row of features for each of ``count`` pictures."""
    is_array = isinstance(features, np.ndarray) and features.dtype.kind == "f" and features.ndim >= 2
    if not is_array or len(features) != count:
        raise InputError("its first output must be one row of features for each picture")
    found = features.size // count
    if not 1 <= found <= MAX_FEATURES:
        raise InputError(f"it gives {found:,} features for each picture: it must be 1 to {MAX_FEATURES:,}")


def _for_random_network(images: Images) -> FloatImages:
    """Pictures with four channels, at most 128 pixels wide and high."""
    pixels = with_opacity(images)
    while max(pixels.shape[1:3]) > MAX_RANDOM_SIDE:
        pixels = halved(pixels)
    return pixels


def with_opacity(images: Images) -> FloatImages:
    """Pictures of any kind as float32 (N, H, W, 4): red, green and blue, each multiplied by the opacity, and opacity.

    Gray becomes three equal colors. The multiplication gives all pixels that cannot be seen the same color.
    """
    count, height, width, channels = images.shape
    pixels = np.full((count, height, width, 4), 255, np.float32)
    pixels[..., :3] = images[..., : min(channels, 3)]
    if channels == 4:
        pixels[..., 3] = images[..., 3]
        pixels[..., :3] *= pixels[..., 3:] / 255
    return pixels


def halved(pixels: FloatImages) -> FloatImages:
    """The mean of each 2×2 pixels. An odd last row or column is left out."""
    height, width = pixels.shape[1] // 2 * 2, pixels.shape[2] // 2 * 2
    even = pixels[:, :height, :width]
    sums = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    return (sums / 4).astype(np.float32)


def _dtype(taken: Any) -> type[np.generic]:
    """The type of a network's input."""
    types: dict[str, type[np.generic]] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}
    if taken.type not in types:
        raise InputError(f"its input must be float32 or uint8, not {taken.type}")
    return types[taken.type]


def _for_users_network(taken: Any, images: Images) -> Array:
    """Pictures in the type, with the channels and in the order of axes that the user's network takes."""
    first = taken.shape[1] in CHANNEL_COUNTS and taken.shape[3] not in CHANNEL_COUNTS
    wanted = taken.shape[1] if first else taken.shape[3]
    if images.shape[3] < wanted:
        opaque = np.full((*images.shape[:3], 4), 255, np.uint8)
        opaque[..., :3] = images[..., :3]
        images = opaque[..., :wanted]
    pixels = images.astype(_dtype(taken))
    return pixels.transpose(0, 3, 1, 2) if first else pixels
