"""Images -> films: animated GIF and WebP files, and MP4 files with ffmpeg."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Images, Picture
from fashion_gan.errors import InputError, check_range
from fashion_gan.rendering.images import check_suffix, on_white, save_gif, to_pillow
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.installation import check_installed

FILM_SUFFIXES = (".gif", ".webp", ".mp4")
FRAME_SECONDS = 0.08
MP4_SIDE = 224  # pixels. Players blur smaller films, and video codecs smear them.
MP4_CRF = 16  # ffmpeg's quality, from 0 (lossless) to 51


def save_film(path: str | Path, frames: Sequence[Picture] | Images, frame_seconds: float = FRAME_SECONDS) -> None:
    """Write a film, in the format of the file's suffix. The file is written atomically.

    GIF and WebP repeat forever. WebP is lossless. An MP4 plays once; each pixel is enlarged to a square, so that the
    longer side has about 224 pixels. Images with opacity are laid on white in an MP4.

    Args:
        path: a ``.gif``, ``.webp`` or ``.mp4`` file.
        frames: uint8 (H, W, C), all of one shape, at least one.
        frame_seconds: the time that each frame is shown, from 0.02 to 10. A GIF rounds it to hundredths.

    Raises:
        InputError: the suffix is another one, there are no frames, they have different shapes, or the MP4 writer is not
            installed.
        OSError: the file cannot be written. An older file of that name stays as it was.
    """
    path, frame_seconds = Path(path), check_range("frame_seconds", frame_seconds, 0.02, 10)
    check_suffix(path, FILM_SUFFIXES)
    shapes = {np.shape(frame) for frame in frames}
    if len(shapes) != 1:
        raise InputError(f"a film needs frames of one shape, got {len(frames)} frames of {sorted(shapes)}")
    suffix = path.suffix.lower()
    if suffix == ".gif":
        save_gif(path, list(frames), frame_seconds, hold_last_seconds=frame_seconds)
    elif suffix == ".webp":
        first, *rest = [to_pillow(frame) for frame in frames]
        settings = {"lossless": True, "duration": round(1000 * frame_seconds), "loop": 0}
        with atomic_file(path) as temporary:
            first.save(temporary, "WEBP", save_all=True, append_images=rest, **settings)
    else:
        _save_mp4(path, np.stack(list(frames)), frame_seconds)


def check_film(path: Path) -> None:
    """Raise InputError if a film cannot be written to this path, before it is drawn."""
    check_suffix(path, FILM_SUFFIXES)
    if path.suffix.lower() == ".mp4":
        check_installed("imageio_ffmpeg", "writing an .mp4 film", "film")


def _save_mp4(path: Path, frames: Images, frame_seconds: float) -> None:
    """Write H.264, which every browser plays. Its sides are even, so odd ones lose a row or a column of pixels."""
    check_film(path)
    import imageio_ffmpeg

    colors = on_white(frames)
    scale = max(1, round(MP4_SIDE / max(colors.shape[1:3])))
    large = colors.repeat(scale, 1).repeat(scale, 2)
    height, width = (side - side % 2 for side in large.shape[1:3])
    rgb = np.ascontiguousarray(np.broadcast_to(large, (*large.shape[:3], 3))[:, :height, :width])
    rate = math.ceil(1000 / frame_seconds) / 1000
    with atomic_file(path) as temporary:
        # ffmpeg finds the format by the suffix, which a temporary file does not have.
        writer = imageio_ffmpeg.write_frames(
            str(temporary),
            (width, height),
            fps=rate,
            macro_block_size=1,
            output_params=["-crf", str(MP4_CRF), "-movflags", "+faststart", "-f", "mp4"],
            quality=None,
        )
        writer.send(None)
        for frame in rgb:
            writer.send(frame)
        writer.close()
