"""The checks that the exercises call: each prints one line that says what is right, or what is wrong and a hint."""

from fashion_gan.course.checks.chapter_1 import best_answer, covered_clusters, loss_of_d
from fashion_gan.course.checks.chapter_2 import boots, same_start, speed
from fashion_gan.course.checks.chapter_3 import class_counts, frechet_1d, to_pixels
from fashion_gan.course.checks.chapter_4 import accuracy, discriminator, slopes
from fashion_gan.course.checks.chapter_5 import batch_norm, generator, overlaps
from fashion_gan.course.checks.chapter_6 import generator_step, missing_classes, smoothed_loss
from fashion_gan.course.checks.chapter_7 import least_squares, nearest, slerp

__all__ = [
    "accuracy",
    "batch_norm",
    "best_answer",
    "boots",
    "class_counts",
    "covered_clusters",
    "discriminator",
    "frechet_1d",
    "generator",
    "generator_step",
    "least_squares",
    "loss_of_d",
    "missing_classes",
    "nearest",
    "overlaps",
    "same_start",
    "slerp",
    "slopes",
    "smoothed_loss",
    "speed",
    "to_pixels",
]
