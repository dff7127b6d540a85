"""The user's settings of other libraries: they do not change our results, and our calls do not change them."""

import contextlib
import inspect
import threading
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

import fashion_gan
from fashion_gan.generator import Generator
from fashion_gan.rendering import plots
from fashion_gan.runs import Run
from fashion_gan.system.library_settings import HARMLESS_WARNINGS, MAX_IMAGE_PIXELS, default_settings, import_matplotlib

LOG = {name: np.linspace(0.1, 0.9, 50) for name in ("images", "d_loss", "g_loss", "d_real", "d_fake")}


def is_decorated(function) -> bool:
    return inspect.unwrap(function).__code__ is not function.__code__ and (
        function.__code__.co_filename == contextlib.__file__
    )


def test_every_public_function_uses_the_default_settings():
    functions = [getattr(fashion_gan, name) for name in fashion_gan.__all__]
    functions = [function for function in functions if inspect.isfunction(function)]
    assert len(functions) >= 10
    methods = [Generator.latents, Generator.decode, Generator.vary, Generator.mix, Generator.interpolate]
    methods += [Run.load_generator_model, Run.generator_step]
    assert [function.__qualname__ for function in (*functions, *methods) if not is_decorated(function)] == []


def test_numpy_and_pillow_have_their_default_settings_in_a_block_and_the_user_s_afterwards(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    @default_settings()
    def fail():
        assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (MAX_IMAGE_PIXELS, False)
        assert np.float32(1e-30) * np.float32(1e-30) == 0
        raise ZeroDivisionError

    with np.errstate(all="raise"):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert np.geterr()["under"] == "raise"
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (5, True)


def test_the_user_s_settings_return_when_the_last_of_several_threads_has_left(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with default_settings():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with default_settings():
        thread.start()
        entered.wait()
    assert Image.MAX_IMAGE_PIXELS == MAX_IMAGE_PIXELS  # The other thread still needs it.
    leave.set()
    thread.join()
    assert Image.MAX_IMAGE_PIXELS == 5


@pytest.mark.parametrize("own_filters", [[], HARMLESS_WARNINGS], ids=["", "the user ignores them too"])
def test_harmless_warnings_are_no_errors_in_a_block_and_the_user_s_filters_return(own_filters):
    (message, category) = HARMLESS_WARNINGS[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for own in own_filters:
            warnings.filterwarnings("ignore", *own)
        before = list(warnings.filters)
        with default_settings():
            warnings.warn(message, category, stacklevel=1)
            with pytest.raises(DeprecationWarning, match="another"):
                warnings.warn("another", category, stacklevel=1)
        assert warnings.filters == before


@pytest.mark.parametrize(
    "settings",
    [
        {"text.usetex": True},
        {"font.family": "no such font", "font.size": 30.0, "axes.grid": True, "axes.facecolor": "black"},
        {"savefig.dpi": 20, "savefig.bbox": "tight", "figure.autolayout": True, "lines.linewidth": 9.0},
    ],
    ids=["LaTeX", "style", "layout"],
)
def test_a_plot_does_not_depend_on_the_user_s_style_and_leaves_it(tmp_path, settings):
    matplotlib = import_matplotlib()
    plots.training_curve(LOG, tmp_path / "default.png")
    with matplotlib.rc_context(settings):
        before = dict(matplotlib.rcParams)
        plots.training_curve(LOG, tmp_path / "user.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "user.png").read_bytes() == (tmp_path / "default.png").read_bytes()
