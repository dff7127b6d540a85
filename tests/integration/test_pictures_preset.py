"""Training on own pictures without settings, networks by stages, and pictures with opacity."""

import re
import types

import numpy as np
import pytest
from PIL import Image
from run_states import assert_equal_states, state_of
from toys import TOY

import fashion_gan
from fashion_gan.api.train import plan
from fashion_gan.cli import main
from fashion_gan.networks import build_discriminator, build_generator
from fashion_gan.training.callbacks.time_estimate import TimeEstimate

SMALL = {"base_channels": 4, "latent_dim": 8, "batch_size": 8}


@pytest.fixture(scope="module")
def icons(tmp_path_factory):
    """A folder of 60 pictures of 32×32 pixels, each an ellipse on a transparent ground of any color."""
    folder = tmp_path_factory.mktemp("icons")
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[-1:1:32j, -1:1:32j]
    for number in range(60):
        width, height = random.uniform(0.4, 0.9, 2)
        pixels = random.integers(0, 256, (32, 32, 4), np.uint8)
        pixels[..., 3] = np.where((columns / width) ** 2 + (rows / height) ** 2 < 1, 255, 0)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def run(icons, tmp_path_factory):
    return fashion_gan.train(data=icons, out=tmp_path_factory.mktemp("runs"), steps=4, **SMALL)


# ---- Without settings ----


def test_own_pictures_get_the_preset_pictures_and_a_table(icons, capsys):
    config, dataset = plan(data=icons)
    assert (config.preset, config.image_size, config.channels, config.conditional) == ("pictures", 32, 4, False)
    assert config.augment
    assert config.steps == 25_000
    assert dataset.images.shape == (60, 32, 32, 4)
    table = capsys.readouterr().out
    assert "60 pictures without classes, in color with opacity, the median 32×32" in table
    assert "image_size              32" in table


def test_what_is_named_is_not_chosen(icons):
    config, _ = plan(data=icons, image_size=16, channels=1, augment=False, minutes=2)
    assert (config.image_size, config.channels, config.augment, config.steps) == (16, 1, False, None)


def test_fashion_mnist_gets_the_preset_fashion():
    config, _ = plan()
    assert (config.preset, config.image_size, config.conditional) == ("fashion", 28, True)


def test_a_named_preset_stays(toy_folder):
    config, _ = plan("transposed", data=toy_folder, image_size=16, batch_size=8)
    assert (config.preset, config.augment) == ("transposed", False)


def test_a_complete_config_is_not_changed(toy_folder):
    config = fashion_gan.Config.from_preset("pictures", image_size=16, steps=3)
    planned, _ = plan(config, data=toy_folder)
    assert (planned.conditional, planned.evaluate_every_epochs, planned.augment) == (False, None, False)


def test_a_model_alone_brings_its_preset_size_and_channels(run, icons):
    config, _ = plan(data=icons, init_from=run.path)
    names = ("preset", "image_size", "channels", "base_channels", "latent_dim", "stage_sizes")
    assert [getattr(config, name) for name in names] == [getattr(run.config, name) for name in names]


def test_a_toy_run_starts_from_another_without_settings(toy_run, toy_folder, tmp_path):
    tuned = fashion_gan.train(data=toy_folder, init_from=toy_run.path, out=tmp_path, batch_size=8, steps=2)
    assert tuned.config.preset == "fashion"
    assert tuned.config.image_size == TOY["image_size"]


def test_the_command_needs_only_the_folder(icons, tmp_path, capsys):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    arguments = ["train", "--data", str(icons), "--out", str(tmp_path), "--steps=101", "--no-augment", *flags]
    assert main(arguments) == 0
    lines = capsys.readouterr().out
    assert re.search(r"images/s: the end in about .*; something recognizable would take about", lines)
    assert (tmp_path / "0001-pictures" / "generator.keras").exists()


@pytest.mark.parametrize(
    ("steps", "seconds_left", "line"),
    [
        (0, 36_000, "320 images/s: something recognizable in about 13 minutes, the end in about 10.0 hours"),
        (0, 600, "320 images/s: the end in about 10 minutes; something recognizable would take about 13 minutes"),
        (10_000, 600, "320 images/s: the end in about 10 minutes"),
    ],
)
def test_the_estimate_names_what_the_budget_allows(steps, seconds_left, line, capsys):
    start = types.SimpleNamespace(step=steps, seconds=0.0)
    estimate = TimeEstimate(fashion_gan.Config.from_preset("pictures"), start)
    for step, seconds in ((20, 2.0), (100, 10.0)):  # Ten steps a second, of 32 images.
        estimate.state = types.SimpleNamespace(
            step=steps + step, seconds=seconds, seconds_left=lambda speed: seconds_left
        )
        estimate.on_train_batch_end(step)
    assert capsys.readouterr().out.strip() == line


# ---- Stages and opacity ----


def test_channels_fall_as_pixels_rise():
    config = fashion_gan.Config.from_preset("pictures", image_size=64, base_channels=8)

    def shape_of(network, stage):
        return network.get_layer(f"{network.name}_{stage}_add").output.shape[1:]

    generator, discriminator = build_generator(config), build_discriminator(config)
    shapes = [shape_of(generator, stage) for stage in ("16th", "8th", "quarter", "half")]
    assert shapes == [(4, 4, 32), (8, 8, 32), (16, 16, 16), (32, 32, 8)]
    assert [shape_of(discriminator, stage) for stage in ("quarter", "8th", "16th")] == shapes[2::-1]


def test_transparent_pictures_stay_transparent_in_every_file(run, tmp_path):
    generator = fashion_gan.load_generator(run)
    images = generator.generate(6, seed=1)
    assert images.shape == (6, 32, 32, 4)
    fashion_gan.export_generator(run.path, "onnx", tmp_path / "icons.onnx")
    exported = fashion_gan.Generator.load(tmp_path / "icons.onnx").generate(6, seed=1)
    assert np.abs(exported.astype(int) - images).max() <= 1
    assert main(["generate", "--model", str(run.path), "--count=2", "--format=png", f"--out={tmp_path / 'drawn'}"]) == 0
    modes = []
    for path in (*sorted((tmp_path / "drawn").rglob("*.png")), run.last_sample):
        with Image.open(path) as picture:
            modes.append(picture.mode)
    assert modes == ["RGBA", "RGBA", "RGB"]  # Grids are on white, so that they are seen everywhere.


def test_a_run_with_opacity_resumes_as_if_uninterrupted(run, icons, tmp_path):
    short = fashion_gan.train(data=icons, out=tmp_path, steps=2, deterministic=True, **SMALL)
    whole = fashion_gan.train(data=icons, out=tmp_path, steps=4, deterministic=True, **SMALL)
    assert_equal_states(state_of(fashion_gan.resume(short.path, steps=4).path), state_of(whole.path))


def test_invisible_colors_train_nothing(icons):
    from fashion_gan.training.build import build_gan

    config, dataset = plan(data=icons, **SMALL)
    pixels = np.asarray(build_gan(config).preprocess(dataset.images[:8]))
    invisible = dataset.images[:8, ..., 3] == 0
    assert invisible.any()
    assert (pixels[invisible] == -1).all()
    assert (pixels[~invisible][:, 3] > -1).all()
