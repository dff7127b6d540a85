"""The checks that the exercises call: each prints one line that says what is right, or what is wrong and a hint."""

from fashion_gan.course.checks.chapter_2 import boots, same_start, speed
from fashion_gan.course.checks.chapter_3 import class_counts, frechet_1d, to_pixels
from fashion_gan.course.checks.chapter_4 import accuracy, discriminator, slopes
from fashion_gan.course.checks.chapter_5 import batch_norm, generator, overlaps

__all__ = [
    "accuracy",
    "batch_norm",
    "boots",
    "class_counts",
    "discriminator",
    "frechet_1d",
    "generator",
    "overlaps",
    "same_start",
    "slopes",
    "speed",
    "to_pixels",
]
