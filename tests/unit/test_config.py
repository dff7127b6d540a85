"""The settings of a run: presets, ranges, error messages and stored configurations."""

import dataclasses
import json
import math
import typing
from pathlib import Path

import numpy as np
import pytest

from fashion_gan.config import (
    AUGMENTATIONS,
    BACKENDS,
    GROUPS,
    PRESETS,
    READ_FROM_THE_DATA,
    RENAMED_SETTINGS,
    Config,
    TrainSettings,
    describe_range,
)
from fashion_gan.errors import InputError
from fashion_gan.version import __version__

FIELDS = {field.name: field for field in dataclasses.fields(Config)}
OLD_RUN = Path(__file__).parents[1] / "fixtures" / "0.1.0" / "run"


def test_presets_have_the_usual_defaults():
    for name in ("transposed", "upsampling", "dcgan-64", "dcgan-128"):
        config = Config.from_preset(name)
        assert (config.loss, config.learning_rate, config.beta_1, config.latent_dim) == ("bce", 2e-4, 0.5, 100)
        assert config.batch_size == (128 if name == "upsampling" else 64)
    assert [Config.from_preset(name).image_size for name in PRESETS] == [28, 28, 64, 128, 28, 64, 128, 64]


@pytest.mark.parametrize(
    ("size", "sizes"), [(28, (14, 7)), (64, (32, 16, 8, 4)), (40, (20, 10, 5)), (36, (18, 9)), (16, (8, 4))]
)
def test_residual_networks_work_at_sizes_from_half_of_the_images_down(size, sizes):
    config = Config.from_preset("fashion", image_size=size)
    assert config.stage_sizes == sizes
    assert Config.from_preset("fashion", image_size=size, stages=2).stage_sizes == sizes[:2]


def test_stages_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="stages=3 is too many for 28 pixels: at most 2"):
        Config.from_preset("fashion", stages=3)
    with pytest.raises(InputError, match="stages=2 is for architecture='residual', not 'dcgan'"):
        Config.from_preset("dcgan-64", stages=2)


def test_residual_networks_of_earlier_versions_keep_their_two_stages():
    settings = json.loads(Config.from_preset("fashion", image_size=64).to_json())
    del settings["stages"]
    assert Config.from_json(json.dumps(settings), "a file").stage_sizes == (32, 16)


def test_json_round_trip_keeps_the_configuration():
    config = Config.from_preset("fashion", class_names=("a", "b"), steps=7, data="somewhere")
    assert Config.from_json(config.to_json(), "a file") == config


def test_the_budget_is_50_epochs_unless_another_one_is_given():
    assert Config.from_preset("transposed").epochs == 50
    assert Config.from_preset("transposed", minutes=1).epochs is None
    assert Config.from_preset("transposed", minutes=1, epochs=3).epochs == 3


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("image_size", 30, "multiple of 4 from 16 to 256"),
        ("image_size", 260, "multiple of 4 from 16 to 256"),
        ("image_size", 12, "multiple of 4 from 16 to 256"),
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
        ("r1_weight", -1, "at least 0"),
        ("r1_weight", math.nan, "at least 0"),
        ("penalty_every_steps", 0, "from 1"),
        ("classifier_weight", -0.1, "at least 0"),
        ("classifier_weight", 0.1, "needs conditional=True"),
        ("discriminator_depth", 1, "is for architecture='residual'"),
        ("discriminator_depth", 3, "from 0 to 2"),
        ("latent_dim", 0, "from 1"),
        ("seed", -1, "from 0"),
        ("loss", "bse", "did you mean 'bce'"),
        ("backend", "tensorfow", "did you mean 'tensorflow'"),
        ("conditional", "yes", "True or False"),
        ("generator_width_factor", 0, "from 1 to 8"),
        ("generator_width_factor", 5, "the product must be from 2 to 256"),  # The default of base_channels is 64.
    ],
)
def test_a_bad_setting_is_an_error_with_its_name_its_value_and_the_allowed_values(setting, value, allowed):
    with pytest.raises(InputError) as raised:
        Config.from_preset("transposed", **{setting: value})
    message = str(raised.value)
    assert message.startswith(f"{setting}=")
    assert repr(value) in message
    assert allowed in message
    assert "\n" not in message


def test_a_number_that_no_float_can_hold_is_out_of_range():
    for name, value, allowed in (
        ("learning_rate", 10**400, "between 0 and 1"),
        ("r1_weight", -(10**400), "at least 0"),
    ):
        with pytest.raises(InputError, match=f"^{name}=-?inf is out of range: it must be {allowed}"):
            Config(**{name: value})


def test_the_integers_of_numpy_are_whole_numbers():
    config = Config(batch_size=np.int64(32), r1_weight=np.int32(2))
    assert type(config.batch_size) is int
    assert type(config.r1_weight) is float
    assert config == Config(batch_size=32, r1_weight=2.0)
    with pytest.raises(InputError, match="a whole number"):
        Config(batch_size=np.bool_(True))


def test_an_unknown_preset_or_setting_is_an_error_with_the_nearest_names():
    with pytest.raises(InputError, match="did you mean 'dcgan-64'"):
        Config.from_preset("dcgan64")
    with pytest.raises(InputError, match="did you mean 'batch_size'"):
        Config.from_preset("transposed", batchsize=3)


def test_determinism_and_xla_exclude_each_other():
    with pytest.raises(InputError, match="deterministic"):
        Config.from_preset("transposed", deterministic=True, jit_compile=True)


@pytest.mark.parametrize("names", ["contrast, mirror", "mirror,contrast", ["contrast", "mirror", "mirror"]])
def test_augmentations_are_a_list_or_a_text_in_any_order(names):
    assert Config.from_preset("fashion", augment=True, augmentations=names).augmentations == ("mirror", "contrast")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"augment": True, "augmentations": "mirrors"},
            "augmentations='mirrors' is not allowed: did you mean 'mirror'?",
        ),
        ({"augment": True, "augmentations": []}, "augmentations=() names no change"),
        ({"augment": True, "augmentations": 3}, "augmentations=3 must be a list of names"),
        ({"augment": True, "augmentations": "saturation"}, "augmentations with 'saturation' need color: channels=3"),
        ({"augmentations": "mirror"}, "augmentations=('mirror',) needs augment=True"),
        ({"overfitting_from": "training"}, "overfitting_from='training' needs augment=True"),
        ({"augment": True, "overfitting_from": "held-out"}, "overfitting_from='held-out' needs evaluate_every_epochs"),
        ({"patience": 3}, "patience=3 counts scores: it needs evaluate_every_epochs"),
    ],
)
def test_settings_of_augmentation_and_patience_that_contradict_others_are_errors(settings, message):
    with pytest.raises(InputError) as error:
        Config.from_preset("fashion", **settings)
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{}x", '{"base_channels": 10000000}', '{"image_size": "28"}', "3"])
def test_text_that_is_not_a_configuration_is_an_error(text):
    with pytest.raises(InputError, match=r"^a file holds no fashion-gan configuration: "):
        Config.from_json(text, "a file")


# ---- Versions ----


def test_every_setting_renamed_since_0_1_0_is_read_and_its_old_name_is_an_error():
    assert set(RENAMED_SETTINGS.values()) <= FIELDS.keys()
    assert not RENAMED_SETTINGS.keys() & FIELDS.keys()
    for old_name, name in RENAMED_SETTINGS.items():
        with pytest.raises(InputError, match=f"^{old_name} is now called {name}$"):
            Config.from_preset("transposed", **{old_name: 1})


def test_a_configuration_of_0_1_0_is_read():
    path = OLD_RUN / "config.json"
    config = Config.from_json(path.read_text(), path)
    stored = json.loads(path.read_text())
    assert "version" not in stored
    for name, value in stored.items():
        value = tuple(value) if isinstance(value, list) else value
        assert getattr(config, RENAMED_SETTINGS.get(name, name)) == value


def test_an_augmented_run_of_an_earlier_version_keeps_its_changes_and_their_measure():
    config = Config.from_json((OLD_RUN / "config.json").read_text(), "a file")
    assert config.augmentations == ("mirror", "shift", "cutout")
    assert config.overfitting_from == "training"
    plain = {"version": "0.2.0", "augment": False}
    assert Config.from_json(json.dumps(plain), "a file").augmentations is None
    assert Config.from_json(json.dumps({**plain, "augment": True}), "a file").augmentations == config.augmentations
    new = Config.from_preset("fashion", augment=True)
    assert Config.from_json(new.to_json(), "a file") == new


def test_a_setting_of_a_later_version_is_an_error_that_names_both_versions():
    text = json.dumps({"version": "9.9", "wings": 2})
    with pytest.raises(InputError) as raised:
        Config.from_json(text, "a file")
    message = f"a file was written by version 9.9; this version, {__version__}, has no setting wings"
    assert str(raised.value) == message
    assert json.loads(Config().to_json())["version"] == __version__


# ---- Documentation ----


def test_every_setting_has_a_group_and_a_sentence_of_its_own():
    assert {field.metadata["group"] for field in FIELDS.values()} == GROUPS.keys()
    sentences = [field.metadata["text"] for field in FIELDS.values()]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


def test_the_docstring_documents_every_setting():
    words = " ".join(Config.__doc__.split())
    for field in FIELDS.values():
        assert f"{field.name} (" in words
        assert field.metadata["text"] in words


def test_ranges_are_described_in_words():
    ranges = {name: describe_range(field) for name, field in FIELDS.items()}
    assert ranges["generator_width_factor"] == "from 1 to 8"
    assert ranges["r1_weight"] == "at least 0"
    assert ranges["learning_rate"] == "between 0 and 1"
    assert ranges["backend"] == "one of " + ", ".join(BACKENDS)
    assert ranges["image_size"] == "from 16 to 256"
    assert ranges["augment"] == ""
    assert ranges["augmentations"] == "any of " + ", ".join(AUGMENTATIONS)


def test_train_settings_has_the_names_and_types_of_the_settings():
    types = typing.get_type_hints(TrainSettings)
    assert types.keys() == FIELDS.keys() - {"preset", "data", *READ_FROM_THE_DATA}
    for name, type_ in types.items():
        accepted = set(typing.get_args(FIELDS[name].type)) or {FIELDS[name].type}
        assert accepted | {type(None)} <= set(typing.get_args(type_))


def test_a_thousand_classes_are_shown_in_one_short_line():
    names = tuple(f"class {number}" for number in range(1000))
    [line] = [
        line for line in str(Config.from_preset("fashion", class_names=names)).splitlines() if "class_names" in line
    ]
    assert line.endswith("'class 18', 'class 19', … 1,000 in all)")
    assert len(line) < 400
