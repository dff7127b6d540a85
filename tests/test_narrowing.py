"""A slim generator that is made from a trained one draws what that one draws, as far as its channels suffice."""

import dataclasses

import keras
import numpy as np
import pytest
from conftest import TOY

from fashion_gan import networks
from fashion_gan.config import Config
from fashion_gan.latents import draw_latents
from fashion_gan.networks.narrowing import narrow

COUNT = 64


@pytest.fixture(
    params=[("left", "right", 1), (1,), ("left", "right", 3)], ids=["conditional", "unconditional", "colour"]
)
def config(request):
    *names, channels = request.param
    settings = {"slim_generator": False, "channels": channels, "conditional": bool(names), "class_names": tuple(names)}
    return Config.from_preset("fashion", **{**TOY, "width": 16, **settings})


def inputs(config, seed):
    latents = draw_latents(COUNT, config.latent_dim, seed)
    return [latents, np.arange(COUNT, dtype=np.int32) % 2] if config.conditional else [latents]


def lively(config, dead=0.0):
    """A full generator whose layers all say something; of the channels within a block a share that nothing follows."""
    full = networks.build_generator(config)
    random = np.random.default_rng(0)
    for variable in full.weights:
        start = 1.0 if "variance" in variable.path or "_gain/bias" in variable.path else 0.0
        noise = random.normal(0, 0.3, variable.shape)
        variable.assign(start + (abs(noise) if "variance" in variable.path else noise))
    for block in ("quarter", "half"):
        layer = full.get_layer(f"generator_{block}_conv_2")
        kernel = np.array(layer.kernel)
        kernel[:, :, random.permutation(kernel.shape[2])[: int(dead * kernel.shape[2])]] = 0
        layer.kernel.assign(kernel)
    return full


def narrowed(full, config):
    slim = networks.build_generator(dataclasses.replace(config, slim_generator=True), "slim")
    narrow(full, slim, inputs(config, seed=0))
    return slim


def before_the_last_layer(model, config):
    """What the layers make of latents that were not fitted by, before it is squashed."""
    probe = keras.Model(model.inputs, model.get_layer(f"{model.name}_pixels").output)
    return keras.ops.convert_to_numpy(probe(inputs(config, seed=1), training=False))


def test_channels_that_nothing_follows_are_the_ones_that_go(config):
    full = lively(config, dead=0.5)
    expected = before_the_last_layer(full, config)
    found = before_the_last_layer(narrowed(full, config), config)
    assert expected.std() > 1
    assert np.abs(found - expected).mean() < 0.005 * expected.std()


def test_the_channels_that_stay_make_up_for_those_that_go(config):
    full = lively(config)
    slim = narrowed(full, config)
    expected = before_the_last_layer(full, config)
    fitted = np.abs(before_the_last_layer(slim, config) - expected).mean()
    for block in ("quarter", "half"):  # Now the same channels, and what the full one made of them.
        all_first, first = (np.array(model.get_layer(f"{model.name}_{block}_conv_1").kernel) for model in (full, slim))
        kept = [
            int(np.abs(all_first - first[..., i : i + 1]).sum(axis=(0, 1, 2)).argmin()) for i in range(first.shape[-1])
        ]
        slim.get_layer(f"slim_{block}_conv_2").kernel.assign(
            np.array(full.get_layer(f"generator_{block}_conv_2").kernel)[:, :, kept]
        )
    assert 0 < fitted < 0.9 * np.abs(before_the_last_layer(slim, config) - expected).mean()
