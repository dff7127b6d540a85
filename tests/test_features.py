"""The feature network is the published one, sees what it should, and needs no training framework."""

import json
import subprocess
import sys

import numpy as np
import pytest

from fashion_gan import InputError, load_fashion_mnist
from fashion_gan.metrics import features


@pytest.fixture(scope="module")
def test_split():
    return load_fashion_mnist("test")


def test_the_network_is_right_about_as_many_test_images_as_its_card_says(test_split):
    card = json.loads(features.NETWORK.with_suffix(".json").read_text())
    found = features.extract(test_split.images)
    accuracy = (found.classes == test_split.labels).mean()
    assert accuracy >= 0.935
    assert accuracy == pytest.approx(card["accuracy"]["test"], abs=5e-4)
    assert card["sha256"] == features.NETWORK_SHA256
    assert found.vectors.shape == (10_000, features.FEATURE_COUNT)
    # A third of the training set's 100 at each depth; of the test set's, about as much.
    for depth in (slice(0, 128), slice(128, 192), slice(192, 320)):
        assert found.vectors[:, depth].var(axis=0).sum() == pytest.approx(100 / 3, rel=0.03)


def test_images_are_seen_alone_whatever_their_batch(test_split):
    together = features.extract(test_split.images[:700])
    alone = features.extract(test_split.images[650:651])
    np.testing.assert_allclose(together.vectors[650], alone.vectors[0], rtol=1e-4, atol=1e-4)


def test_a_network_that_is_not_the_published_one_is_refused(tmp_path, monkeypatch):
    other = tmp_path / "network.onnx"
    other.write_bytes(features.NETWORK.read_bytes() + b" ")
    monkeypatch.setattr(features, "NETWORK", other)
    features._session.cache_clear()
    with pytest.raises(InputError, match="not the network"):
        features.extract(np.zeros((1, 28, 28, 1), np.uint8))
    monkeypatch.undo()
    features._session.cache_clear()


def test_measuring_imports_no_training_framework():
    script = (
        "import sys, numpy as np; from fashion_gan import evaluation;"
        "from fashion_gan.metrics.features import extract; extract(np.zeros((2, 28, 28, 1), np.uint8));"
        "sys.exit(bool({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
