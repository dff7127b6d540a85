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
# The first test waits until its backend has trained all networks, which takes minutes on a slow machine.
pytestmark = pytest.mark.timeout(900)
# An architecture, and a discriminator that either names classes or is deep, with centered images.
NETWORKS = (*(f"{architecture} naming" for architecture in ARCHITECTURES), "residual deep")
# This one is compiled with all optimizations.
OPTIMIZED = "residual naming"


@pytest.fixture(scope="module")
def trained(made_once, worker):
    """Return a function from a backend to the folder with the results of its three steps of each network."""

    def train(backend, start=None):
        def make(folder):
            networks = tuple(name for name in NETWORKS if name != OPTIMIZED)
            worker(backend).run(jobs.train_each_network, networks, start, folder)
            worker(backend).run(jobs.train_each_network, (OPTIMIZED,), start, folder, optimize=True)

        return made_once(f"parity-{backend}", make)

    return lambda backend: train(backend, None if backend == BACKENDS[0] else train(BACKENDS[0]))


@pytest.mark.parametrize("networks", NETWORKS)
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_backends_agree_on_losses_and_updated_weights(trained, backend, networks):
    reference, other = (trained(name) / f"{networks}.npz" for name in (BACKENDS[0], backend))
    with np.load(reference) as expected, np.load(other) as result:
        assert result.keys() == expected.keys()
        for name, value in expected.items():
            tolerance = 1e-5 if "step 0" in name else 1e-3
            assert result[name] == pytest.approx(value, abs=tolerance, rel=tolerance), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_light_generator_draws_what_keras_draws_on_every_backend(backend, worker):
    drawn = worker(backend).run(jobs.draw, pretrained.folder("fashion") / "generator.keras")
    light = Generator.from_pretrained("fashion").generate(30, seed=11)
    assert np.abs(drawn.astype(int) - light).max() <= 1
