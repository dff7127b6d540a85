"""What a run is made from: presets, limits and the words of a refusal."""

import math

import pytest

from fashion_gan.config import PRESETS, Config
from fashion_gan.errors import InputError


def test_presets_have_the_defaults_of_the_field():
    for name in ("transposed", "upsampling", "dcgan-64", "dcgan-128"):
        config = Config.from_preset(name)
        assert (config.loss, config.learning_rate, config.beta_1, config.latent_dim) == ("bce", 2e-4, 0.5, 100)
        assert config.batch_size == (128 if name == "upsampling" else 64)
    assert [Config.from_preset(name).image_size for name in PRESETS] == [28, 28, 64, 128, 28]


def test_json_gives_the_same_configuration_back():
    config = Config.from_preset("fashion", class_names=("a", "b"), steps=7, data="somewhere")
    assert Config.from_json(config.to_json(), "a file") == config


def test_fifty_epochs_unless_another_budget_is_given():
    assert Config.from_preset("transposed").epochs == 50
    assert Config.from_preset("transposed", minutes=1).epochs is None
    assert Config.from_preset("transposed", minutes=1, epochs=3).epochs == 3


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("image_size", 30, "multiple of 4 from 16 to 128"),
        ("image_size", 132, "multiple of 4 from 16 to 128"),
        ("image_size", 12, "multiple of 4 from 16 to 128"),
        ("channels", 2, "1, 3"),
        ("batch_size", 1, "from 2"),
        ("batch_size", -64, "from 2"),
        ("batch_size", 6.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("epochs", 0, "from 1"),
        ("steps", 0, "from 1"),
        ("minutes", 0, "between 0"),
        ("minutes", math.nan, "between 0"),
        ("learning_rate", 0, "between 0 and 1"),
        ("learning_rate", -1e-3, "between 0 and 1"),
        ("learning_rate", math.inf, "between 0 and 1"),
        ("learning_rate", "fast", "a number"),
        ("beta_1", 1.0, "from 0"),
        ("ema_decay", 1.0, "from 0"),
        ("penalty", -1, "at least 0"),
        ("penalty", math.nan, "at least 0"),
        ("penalty_interval", 0, "from 1"),
        ("classification", -0.1, "at least 0"),
        ("classification", 0.1, "needs conditional=True"),
        ("discriminator_depth", 1, "is for family='residual'"),
        ("discriminator_depth", 3, "from 0 to 2"),
        ("latent_dim", 0, "from 1"),
        ("seed", -1, "from 0"),
        ("loss", "bse", "did you mean 'bce'"),
        ("backend", "tensorfow", "did you mean 'tensorflow'"),
        ("conditional", "yes", "True or False"),
        ("generator_widening", 0, "from 1 to 8"),
        ("generator_widening", 5, "their product must be from 2 to 256"),  # of the 64 that is the default
    ],
)
def test_a_bad_setting_is_refused_with_its_name_its_value_and_what_is_allowed(setting, value, allowed):
    with pytest.raises(InputError) as raised:
        Config.from_preset("transposed", **{setting: value})
    message = str(raised.value)
    assert message.startswith(f"{setting}=")
    assert repr(value) in message
    assert allowed in message
    assert "\n" not in message


def test_an_unknown_preset_or_setting_brings_the_near_ones():
    with pytest.raises(InputError, match="did you mean 'dcgan-64'"):
        Config.from_preset("dcgan64")
    with pytest.raises(InputError, match="did you mean 'batch_size'"):
        Config.from_preset("transposed", batchsize=3)


def test_determinism_and_xla_exclude_each_other():
    with pytest.raises(InputError, match="deterministic"):
        Config.from_preset("transposed", deterministic=True, jit_compile=True)


@pytest.mark.parametrize("text", ["", "[]", "{}x", '{"width": 10000000}', '{"wide": 3}', '{"image_size": "28"}', "3"])
def test_what_is_not_a_configuration_is_refused(text):
    with pytest.raises(InputError, match=r"^a file holds no fashion-gan configuration: "):
        Config.from_json(text, "a file")
