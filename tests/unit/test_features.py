"""The feature network is the published one, as accurate as its card states, and needs no training framework."""

import json

import numpy as np
import pytest

from fashion_gan import InputError, load_fashion_mnist
from fashion_gan.metrics import features


@pytest.fixture(scope="module")
def split():
    return load_fashion_mnist("test")


@pytest.mark.full
def test_the_accuracy_on_test_images_is_that_of_the_card(split):
    card = json.loads(features.NETWORK.with_suffix(".json").read_text())
    outputs = features.extract(split.images)
    accuracy = (outputs.classes == split.labels).mean()
    assert accuracy >= 0.935
    assert accuracy == pytest.approx(card["accuracy"]["test"], abs=5e-4)
    assert card["sha256"] == features.NETWORK_SHA256
    assert outputs.vectors.shape == (10_000, features.FEATURE_COUNT)
    # On the training set, each depth has a third of the total variance of 100. The test set is similar.
    for depth in (slice(0, 128), slice(128, 192), slice(192, 320)):
        assert outputs.vectors[:, depth].var(axis=0).sum() == pytest.approx(100 / 3, rel=0.03)


def test_features_do_not_depend_on_the_batch(split):
    together = features.extract(split.images[:700])
    alone = features.extract(split.images[650:651])
    np.testing.assert_allclose(together.vectors[650], alone.vectors[0], rtol=1e-4, atol=1e-4)


def test_another_network_is_refused(tmp_path, monkeypatch):
    other = tmp_path / "network.onnx"
    other.write_bytes(features.NETWORK.read_bytes() + b" ")
    monkeypatch.setattr(features, "NETWORK", other)
    features._session.cache_clear()
    with pytest.raises(InputError, match="not the published feature network"):
        features.extract(np.zeros((1, 28, 28, 1), np.uint8))
    monkeypatch.undo()
    features._session.cache_clear()
