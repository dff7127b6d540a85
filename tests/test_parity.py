"""The same weights, latents and images give the same losses and the same updated weights on every backend.

The backends are named in FASHION_GAN_TEST_BACKENDS; the first is the one that the others are held against.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import as_users_run

from fashion_gan import pretrained
from fashion_gan.generator import Generator
from fashion_gan.networks import FAMILIES

BACKENDS = os.environ.get("FASHION_GAN_TEST_BACKENDS", "tensorflow jax").split()
assert len(BACKENDS) > 1, "FASHION_GAN_TEST_BACKENDS must name two backends to hold against each other"
# Whichever test comes first waits for a backend's training of all of these, minutes on a slow machine.
pytestmark = pytest.mark.timeout(900)
# A family of networks, and what it does besides: naming classes, or deep and centred.
NETWORKS = [f"{family} naming" for family in FAMILIES] + ["residual deep"]
FULLY_COMPILED = "residual naming"
# Run in a process of its own, since Keras has one backend a process. Arguments: the folder of the weights to start
# from, where another backend has left them, or "-"; the folder for what comes of it; and the networks.
SCRIPT = """
import sys
import keras, numpy as np
from keras import ops
from fashion_gan.config import Config
from fashion_gan.training import build_gan

start, output, *networks = sys.argv[1:]
# Numbers that look drawn, and are the same on every backend.
def pseudo_normal(shape, **unused):
    shape = tuple(int(n) for n in shape)
    return ops.convert_to_tensor(2.0 * np.sin(np.arange(np.prod(shape)) ** 1.5).reshape(shape).astype("float32"))
keras.random.normal = pseudo_normal

images = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1), np.uint8)
batch = {"images": images, "labels": np.arange(8, dtype=np.int32) % 2}
for name in networks:
    family, kind = name.split()
    config = Config.from_preset("fashion", family=family, discriminator_depth=2 * (kind == "deep"),
                                centre=kind == "deep", image_size=16, width=4, latent_dim=8, batch_size=8,
                                class_names=("a", "b"), penalty=0.2, fake_penalty=0.2, penalty_interval=2,
                                # Without it, a zero-sum loss, as the preset has it, needs one pass for both networks.
                                classification=0.5 if kind == "naming" else 0.0, backend=keras.backend.backend())
    gan = build_gan(config)
    for layer in gan.discriminator.layers:
        if hasattr(layer, "rate"):
            layer.rate = 0.0  # each backend drops out other units
    weights = {f"{i:03d}": w for i, w in enumerate(gan.weights)}
    if start == "-":
        np.savez(f"{output}/{name} start.npz", **{k: ops.convert_to_numpy(w) for k, w in weights.items()})
    else:
        for number, value in np.load(f"{start}/{name} start.npz").items():
            weights[number].assign(value)
    result = {}
    for step in range(3):
        gan.reset_metrics()
        logs = gan.train_on_batch(batch, return_dict=True)
        result.update({f"{logged} of step {step}": float(value) for logged, value in logs.items()})
    for variable in gan.weights:
        result["updated " + variable.path] = ops.convert_to_numpy(variable)
    np.savez(f"{output}/{name}.npz", **result)
"""


def train(backend: str, start: Path | str, output: Path) -> Path:
    """Three steps of each of the networks."""
    shortened = [name for name in NETWORKS if name != FULLY_COMPILED]
    for environment, networks in ((os.environ, shortened), (as_users_run(), [FULLY_COMPILED])):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(start), str(output), *networks],
            env={**environment, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return train(BACKENDS[0], "-", tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module", params=BACKENDS[1:])
def other(request, reference, tmp_path_factory):
    return train(request.param, reference, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("networks", NETWORKS)
def test_backends_agree_on_losses_and_updated_weights(reference, other, networks):
    with np.load(reference / f"{networks}.npz") as expected, np.load(other / f"{networks}.npz") as result:
        assert result.keys() == expected.keys()
        for name, value in expected.items():
            tolerance = 1e-5 if "step 0" in name else 1e-3
            assert result[name] == pytest.approx(value, abs=tolerance, rel=tolerance), name


DRAW = """
import sys
import fashion_gan, numpy as np
np.save(sys.argv[2], fashion_gan.load_generator(sys.argv[1]).generate(30, seed=11))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_light_generator_draws_what_keras_draws_on_every_backend(backend, tmp_path):
    model, drawn = pretrained.folder("fashion") / "generator.keras", tmp_path / "drawn.npy"
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", DRAW, model, drawn], env=environment, check=True, capture_output=True)
    light = Generator.from_pretrained("fashion").generate(30, seed=11)
    assert np.abs(np.load(drawn).astype(int) - light).max() <= 1
