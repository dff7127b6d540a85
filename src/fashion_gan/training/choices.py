"""The settings of the preset "pictures" that are chosen from the data, each with its reason."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fashion_gan.arrays import JsonObject
from fashion_gan.config import LOSSES_WITHOUT_AUGMENT, PICTURES_PRESET, PRESETS
from fashion_gan.datasets.survey import Survey
from fashion_gan.metrics.pictures.held_out import SMALLEST
from fashion_gan.metrics.pictures.reference import SMALLEST_SIDE
from fashion_gan.rendering.tables import format_table

USUAL_SIZE = 64  # pixels, the most on a CPU
ACCELERATOR_SIZE = 128  # pixels, the most on an accelerator
FEW = 20_000  # Of fewer pictures, the discriminator memorizes some (Karras et al. 2020, arXiv:2006.06676).
MIN_PER_CLASS = 10  # A class of fewer pictures is too small to learn.
IMAGES = 800_000  # that a run sees
RECOGNIZABLE_IMAGES = 250_000  # A trial on icons of 64 pixels drew faces and hearts after 225,000.
# Images between two grids, two checkpoints and two scores. Epochs of few pictures are too short for them.
IMAGES_PER_GRID, IMAGES_PER_CHECKPOINT, IMAGES_PER_SCORE = 20_000, 16_000, 60_000
BUDGETS = ("epochs", "steps", "minutes")


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting, the value that fits the data, and why."""

    setting: str
    value: object
    reason: str


def choose_settings(survey: Survey, given: Mapping[str, Any], *, on_accelerator: bool) -> list[Choice]:
    """Choose settings for a run on own pictures.

    Args:
        survey: what the pictures are.
        given: the settings that the user has chosen. They are left out, and the others follow them.
        on_accelerator: whether the run computes on an accelerator. Then pictures may be larger.
    """
    choices = [
        _image_size(survey, ACCELERATOR_SIZE if on_accelerator else USUAL_SIZE),
        _channels(survey),
        _conditional(survey),
        _augment(survey, given.get("loss")),
    ]
    batch_size = given.get("batch_size", PRESETS[PICTURES_PRESET]["batch_size"])
    if "batch_size" not in given and survey.count < batch_size:
        batch_size = max(2, survey.count // 2)
        choices.append(Choice("batch_size", batch_size, "half of the pictures"))
    choices += _intervals(survey, batch_size)
    if not any(budget in given for budget in BUDGETS):
        steps = IMAGES // batch_size
        choices.append(Choice("steps", steps, f"{IMAGES:,} images; --minutes sets another budget"))
    return [choice for choice in choices if choice.setting not in given]


def as_settings(choices: list[Choice]) -> JsonObject:
    """The values by the names of their settings."""
    return {choice.setting: choice.value for choice in choices}


def describe(survey: Survey, choices: list[Choice]) -> str:
    """A sentence about the pictures, and a table of the choices."""
    kind = {1: "gray", 3: "in color", 4: "in color with opacity"}[survey.channels]
    classes = f"in {len(survey.class_counts):,} classes" if survey.class_counts else "without classes"
    rows = [["setting", "value", "because"], *([c.setting, _show(c.value), c.reason] for c in choices)]
    size = f"{survey.size[0]}×{survey.size[1]}"
    return f"{survey.count:,} pictures {classes}, {kind}, the median {size}\n\n{format_table(rows, 'lll')}"


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _image_size(survey: Survey, most: int) -> Choice:
    """The shorter side of the median picture, at most the usual size, as a multiple of 4; above 32, of 8."""
    side = min(survey.size)
    if side > most:
        return Choice("image_size", most, f"the median picture is larger; {2 * most} would take four times as long")
    step = 4 if side <= 32 else 8
    size = max(side // step * step, SMALLEST_SIDE)
    return Choice("image_size", size, "the shorter side of the median picture")


def _channels(survey: Survey) -> Choice:
    reasons = {1: "all are gray", 3: "some are in color", 4: "most are transparent somewhere"}
    return Choice("channels", survey.channels, reasons[survey.channels])


def _conditional(survey: Survey) -> Choice:
    if len(survey.class_counts) < 2:
        return Choice("conditional", False, "there are no classes")
    smallest = min(survey.class_counts)
    if smallest < MIN_PER_CLASS:
        return Choice("conditional", False, f"a class has only {smallest:,}; {MIN_PER_CLASS} are needed")
    return Choice("conditional", True, f"each class has at least {smallest:,}")


def _augment(survey: Survey, loss: str | None) -> Choice:
    if loss in LOSSES_WITHOUT_AUGMENT:
        return Choice("augment", False, f"the loss {loss} does not show overfitting")
    few = survey.count < FEW
    return Choice("augment", few, f"{'fewer' if few else 'not fewer'} than {FEW:,} pictures")


def _intervals(survey: Survey, batch_size: int) -> list[Choice]:
    """How often grids, checkpoints and scores are made."""
    steps = max(1, IMAGES_PER_CHECKPOINT // batch_size)
    choices = [
        Choice("save_interval", _epochs(IMAGES_PER_GRID, survey), f"a grid every {_images(IMAGES_PER_GRID, survey)}"),
        Choice("checkpoint_every_steps", steps, f"a checkpoint every {IMAGES_PER_CHECKPOINT:,} images"),
    ]
    if survey.count >= SMALLEST:
        epochs, images = _epochs(IMAGES_PER_SCORE, survey), _images(IMAGES_PER_SCORE, survey)
        choices.append(Choice("evaluate_every_epochs", epochs, f"a score every {images}"))
    return choices


def _epochs(images: int, survey: Survey) -> int:
    return max(1, round(images / survey.count))


def _images(images: int, survey: Survey) -> str:
    return f"{_epochs(images, survey) * survey.count:,} images"
