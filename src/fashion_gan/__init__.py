"""Train, measure, explore and ship convolutional GANs on Fashion-MNIST or on your own pictures.

Importing this package imports no framework. Keras is imported by the first call that needs it.
"""

from fashion_gan.api.augment_test import augment_test
from fashion_gan.api.directions import find_directions
from fashion_gan.api.evaluate import evaluate
from fashion_gan.api.export import export_generator, import_generator
from fashion_gan.api.load import load_gan, load_generator
from fashion_gan.api.make_dataset import make_dataset
from fashion_gan.api.project import project
from fashion_gan.api.push import push
from fashion_gan.api.shards import merge_dataset
from fashion_gan.api.train import resume, train
from fashion_gan.api.train_encoder import train_encoder
from fashion_gan.config import PRESETS, Config
from fashion_gan.datasets import CLASS_NAMES, Dataset, load_fashion_mnist, load_training_images
from fashion_gan.errors import InputError, TrainingDiverged
from fashion_gan.generator import Generator
from fashion_gan.metrics.evaluate import Evaluation
from fashion_gan.runs import Run
from fashion_gan.version import __version__

__all__ = [
    "CLASS_NAMES",
    "PRESETS",
    "Config",
    "Dataset",
    "Evaluation",
    "Generator",
    "InputError",
    "Run",
    "TrainingDiverged",
    "__version__",
    "augment_test",
    "evaluate",
    "export_generator",
    "find_directions",
    "import_generator",
    "load_fashion_mnist",
    "load_gan",
    "load_generator",
    "load_training_images",
    "make_dataset",
    "merge_dataset",
    "project",
    "push",
    "resume",
    "train",
    "train_encoder",
]
