"""Train the evaluator's feature network on Fashion-MNIST's training set, and write it as ONNX with its card.

    python tools/train_feature_network.py

The network is a small residual classifier. For pixels in [0, 255], it gives ten logits and a feature vector from three
depths: texture and its place (28×28), parts (14×14) and class (7×7). Each depth is centered and scaled, so that its
total variance on the training set is a third of 100. A distance between feature vectors then weighs the three depths
equally, and a Fréchet distance reads as hundredths of the training set's variance.

The test set is used once, at the end, for the accuracy on the card. No choice depends on it.
"""

import argparse
import hashlib
import json
import os
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from keras import layers, ops
from tqdm import trange

from fashion_gan.datasets import Dataset, load_fashion_mnist

WIDTHS = (32, 64, 128)
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 0.05
WEIGHT_DECAY = 5e-3  # Decoupled: each step multiplies it by the learning rate.
TOTAL_VARIANCE = 100.0
FOLDER = Path(__file__).parent.parent / "src" / "fashion_gan" / "metrics"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20, help="Passes over the training set.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of the weights, the batches and the augmentation.")
    parser.add_argument("--out", type=Path, default=FOLDER / "feature_network.onnx", help="File of the network.")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(arguments.seed)
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")

    network = build_network()
    network.summary()
    started = time.perf_counter()
    fit(network, train, arguments.epochs, arguments.seed)
    minutes = (time.perf_counter() - started) / 60
    scaled = scale_features(network, train.images)
    accuracy = {name: score(network, split) for name, split in (("train", train), ("test", test))}
    scaled(train.images[:1].astype(np.float32))  # Keras exports a model only after a call.
    scaled.export(arguments.out, format="onnx", verbose=False)

    card = {
        "file": arguments.out.name,
        "sha256": hashlib.sha256(arguments.out.read_bytes()).hexdigest(),
        "command": f"python tools/train_feature_network.py --epochs {arguments.epochs} --seed {arguments.seed}",
        "data_sha256": train.fingerprint,
        "parameters": network.count_params(),
        "features": scaled.output[0].shape[-1],
        "accuracy": accuracy,
        "minutes": round(minutes, 1),
        "processors": os.cpu_count(),
        "keras": keras.__version__,
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card, indent=2))


def build_network() -> keras.Model:
    """Pixels (N, 28, 28, 1) in [0, 255] -> logits (N, 10) and the pooled activations of three depths."""
    pixels = keras.Input((28, 28, 1), name="pixels")
    x = layers.Rescaling(1 / 90, -73 / 90)(pixels)  # by the mean and deviation of the training pixels
    x = _activate(_convolution(x, WIDTHS[0]))  # (N, 28, 28, 32)
    # Pooled in each quarter of the image: a shifted picture has the same texture in another place.
    texture = layers.Flatten()(layers.AveragePooling2D(14)(x))  # (N, 128)
    x = _residual(_convolution(x, WIDTHS[1], strides=2))  # (N, 14, 14, 64)
    x = _activate(x)
    parts = layers.GlobalAveragePooling2D()(x)  # (N, 64)
    x = _residual(_convolution(x, WIDTHS[2], strides=2))  # (N, 7, 7, 128)
    content = layers.GlobalAveragePooling2D()(_activate(x))  # (N, 128)
    logits = layers.Dense(10, name="logits")(content)
    return keras.Model(pixels, [logits, texture, parts, content])


def _convolution(x, filters, strides=1):
    return layers.Conv2D(filters, 3, strides, "same", use_bias=False, kernel_initializer="he_normal")(x)


def _activate(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _residual(x):
    filters = x.shape[-1]
    inner = _convolution(_activate(_convolution(_activate(x), filters)), filters)
    return layers.Add()([x, inner])


def fit(network: keras.Model, train: Dataset, epochs: int, seed: int) -> None:
    """Train with cross-entropy on augmented pictures."""
    classifier = keras.Model(network.input, network.output[0])
    steps_per_epoch = len(train.images) // BATCH_SIZE
    steps = epochs * steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 5, warmup_target=PEAK_LEARNING_RATE, warmup_steps=steps // 5
    )
    sgd = keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY)
    sgd.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    classifier.compile(sgd, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    random = np.random.default_rng(seed)
    for epoch in trange(epochs, desc="training", unit=" epochs"):
        order = random.permutation(len(train.images))[: steps_per_epoch * BATCH_SIZE]
        classifier.reset_metrics()
        for indices in order.reshape(-1, BATCH_SIZE):
            logs = classifier.train_on_batch(
                augment(train.images[indices], random), train.labels[indices], return_dict=True
            )
        print(f"epoch {epoch + 1}/{epochs} loss {logs['loss']:.4f} accuracy {logs['accuracy']:.4f}", flush=True)


def augment(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirror half of the images, shift each by up to two pixels, and blacken an 8×8 square in half of them."""
    count = len(images)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    padded = np.where(random.random((count, 1, 1, 1)) < 0.5, padded[:, :, ::-1], padded)
    rows, columns = (random.integers(0, 5, (count, 1)) + np.arange(28) for _ in range(2))
    moved = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    top, left = (random.integers(-4, 25, (count, 1)) for _ in range(2))
    places = np.arange(28)
    covered_rows, covered_columns = ((places >= start) & (places < start + 8) for start in (top, left))
    covered = covered_rows[:, :, None] & covered_columns[:, None, :] & (random.random((count, 1, 1)) < 0.5)
    return np.where(covered[..., None], 0, moved).astype(np.float32)


def scale_features(network: keras.Model, images: np.ndarray) -> keras.Model:
    """Center, scale and join the three depths. The new network maps pixels -> features (N, 320), logits (N, 10)."""
    depths = network.predict(images.astype(np.float32), batch_size=500, verbose=0)[1:]
    share = TOTAL_VARIANCE / len(depths)
    scaled = []
    for values, tensor in zip(depths, network.output[1:], strict=True):
        scale = float(np.sqrt(share / values.astype(np.float64).var(axis=0).sum()))
        scaled.append(
            ops.multiply(ops.subtract(tensor, values.mean(axis=0, dtype=np.float64).astype("float32")), scale)
        )
    features = layers.Concatenate(name="features")(scaled)
    return keras.Model(network.input, [features, network.output[0]])


def score(network: keras.Model, split: Dataset) -> float:
    """The accuracy: the share of images whose largest logit is that of their label."""
    logits = network.predict(split.images.astype(np.float32), batch_size=500, verbose=0)[0]
    return float((logits.argmax(axis=1) == split.labels).mean())


if __name__ == "__main__":
    main()
