"""The same weights, latents and images give the same losses and the same updated weights on every backend.

FASHION_GAN_TEST_BACKENDS names the backends. The first one is the reference for the others.
"""

import jobs
import numpy as np
import pytest
from processes import BACKENDS

from fashion_gan import pretrained
from fashion_gan.generator import Generator
from fashion_gan.networks import ARCHITECTURES

assert len(BACKENDS) > 1, "FASHION_GAN_TEST_BACKENDS must name at least two backends"
# An architecture, and a discriminator that names classes, or is deep, with centered images; or three stages for images
# with opacity.
NETWORKS = (*(f"{architecture} naming" for architecture in ARCHITECTURES), "residual deep", "residual opaque")
QUICK = ("transposed naming", "residual deep")
# JAX's compiler uses all its optimizations for this one.
OPTIMIZED = "residual naming"


@pytest.fixture(scope="module")
def train(made_once, worker):
    """Return a function that trains networks on a backend, and returns their losses and weights after three steps."""

    def results(backend, networks):
        start = None if backend == BACKENDS[0] else folder_of(BACKENDS[0], networks)
        with np.load(folder_of(backend, networks, start) / "result.npz") as arrays:
            return dict(arrays)

    def folder_of(backend, networks, start=None):
        def make(folder):
            optimize = networks == OPTIMIZED
            worker(backend).run(jobs.train_for_three_steps, networks, start, folder, optimize=optimize)

        return made_once(f"parity {backend} {networks}", make)

    return results


@pytest.mark.parametrize(
    "networks", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.full) for name in NETWORKS]
)
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_backends_agree_on_losses_and_updated_weights(train, backend, networks):
    expected, result = train(BACKENDS[0], networks), train(backend, networks)
    assert result.keys() == expected.keys()
    for name, value in expected.items():
        tolerance = 1e-5 if "step 0" in name else 1e-3
        assert result[name] == pytest.approx(value, abs=tolerance, rel=tolerance), name


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_backends_agree_on_augmented_pictures(backend, made_once, worker):
    results = []
    for name in (BACKENDS[0], backend):
        folder = made_once(f"augmented {name}", lambda folder, name=name: worker(name).run(jobs.augment, folder))
        with np.load(folder / "result.npz") as arrays:
            results.append(dict(arrays))
    expected, result = results
    assert result.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(result[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_light_generator_draws_what_keras_draws_on_every_backend(backend, worker):
    drawn = worker(backend).run(jobs.draw, pretrained.folder("fashion") / "generator.keras")
    light = Generator.from_pretrained("fashion").generate(30, seed=11)
    assert np.abs(drawn.astype(int) - light).max() <= 1
