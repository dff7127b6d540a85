"""Ways to damage real images on purpose, with which the metrics are checked."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from fashion_gan.arrays import Images, Labels

Random = np.random.Generator
ApplyDamage = Callable[[Images, Labels, float, Random], tuple[Images, Labels]]
"""(images, labels, strength, random source) -> damaged images and labels."""


def missing_classes(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Replace the images of the last ``strength`` classes by images of the others."""
    is_present = labels <= labels.max() - strength
    replacements = random.choice(np.flatnonzero(is_present), len(images))
    indices = np.where(is_present, np.arange(len(images)), replacements)
    return images[indices], labels[indices]


def repeated_mode(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Replace a share of the images by the first one."""
    indices = np.where(random.random(len(images)) < strength, 0, np.arange(len(images)))
    return images[indices], labels[indices]


def blurred(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Blur every image with a Gaussian that has a radius of ``strength`` pixels."""
    blur = ImageFilter.GaussianBlur(strength)
    return _change_each(images, lambda picture: picture.filter(blur)), labels


def inverted(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Swap black and white in a share of the images."""
    mask = random.random(len(images)) < strength
    return np.where(mask[:, None, None, None], 255 - images, images).astype(np.uint8), labels


def jpeg(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Compress every image as JPEG with quality ``100 - strength``. The opacity stays as it is."""

    def compressed(picture: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(100 - strength))
        return Image.open(buffer)

    if images.shape[-1] != 4:
        return _change_each(images, compressed), labels
    return np.concatenate([_change_each(images[..., :3], compressed), images[..., 3:]], axis=-1), labels


def shifted(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Move every image ``strength`` pixels down and to the right. Black, or nothing, comes in from the border."""
    pixels = int(strength)
    moved = np.zeros_like(images)
    moved[:, pixels:, pixels:] = images[:, :-pixels, :-pixels]
    return moved, labels


def noise_instead(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Replace a share of the images by noise."""
    mask = random.random(len(images)) < strength
    damaged = images.copy()
    damaged[mask] = random.integers(0, 256, damaged[mask].shape, np.uint8)
    return damaged, labels


def noisy(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Add Gaussian noise with a deviation of ``strength`` gray levels. The opacity stays as it is."""
    colors = images[..., :3]
    changed = colors + strength * random.standard_normal(colors.shape, np.float32)
    return np.concatenate([np.clip(np.rint(changed), 0, 255).astype(np.uint8), images[..., 3:]], axis=-1), labels


def colors_turned(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Turn red to green, green to blue and blue to red in a share of the images."""
    mask = random.random(len(images)) < strength
    turned = np.concatenate([np.roll(images[..., :3], 1, axis=-1), images[..., 3:]], axis=-1)
    return np.where(mask[:, None, None, None], turned, images), labels


def mirrored(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Swap left and right in a share of the images."""
    mask = random.random(len(images)) < strength
    return np.where(mask[:, None, None, None], images[:, :, ::-1], images), labels


def mislabeled(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """Give a share of the images the label of another class."""
    mask = random.random(len(images)) < strength
    classes = int(labels.max()) + 1
    other_labels = (labels + random.integers(1, classes, len(labels))) % classes
    return images, np.where(mask, other_labels, labels).astype(np.int32)


def _change_each(images: Images, change: Callable[[Image.Image], Image.Image]) -> Images:
    """Apply a function of Pillow's pictures to each image."""
    squeezed = images[..., 0] if images.shape[-1] == 1 else images
    changed = [np.asarray(change(Image.fromarray(image))) for image in squeezed]
    return np.stack(changed).reshape(images.shape)
