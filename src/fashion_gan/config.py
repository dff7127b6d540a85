"""Everything that a training run depends on, in one frozen dataclass, and the table of presets."""

import dataclasses
import json
import math
import types
from pathlib import Path
from typing import Any, get_args, get_origin

from fashion_gan.errors import InputError, suggestion

BACKENDS = ("tensorflow", "jax", "torch")
FAMILIES = ("transposed", "upsampling", "dcgan", "residual")
LOSSES = ("bce", "minimax", "leaky-minimax", "hinge", "wasserstein", "relativistic")
DEFAULT_EPOCHS = 50
IMAGE_SIZES = tuple(range(16, 129, 4))
WIDEST = 256

# fmt: off
_NAMES =                  ("transposed", "upsampling", "dcgan-64",   "dcgan-128",  "fashion")
_SETTINGS = {
    "family":             ("transposed", "upsampling", "dcgan",      "dcgan",      "residual"),
    "image_size":         (28,           28,           64,           128,          28),
    "width":              (64,           64,           64,           64,           32),
    "generator_widening": (1,            1,            1,            1,            1),
    "loss":               ("bce",        "bce",        "bce",        "bce",        "leaky-minimax"),
    "conditional":        (False,        False,        False,        False,        True),
    "batch_size":         (64,           128,          64,           64,           32),
    "learning_rate":      (2e-4,         2e-4,         2e-4,         2e-4,         7e-4),
    "cooldown":           (0.0,          0.0,          0.0,          0.0,          0.3),
    "penalty":            (0.0,          0.0,          0.0,          0.0,          0.0025),
    "fake_penalty":       (None,         None,         None,         None,         0.0),
    "penalty_interval":   (1,            1,            1,            1,            4),
    "classification":     (0.0,          0.0,          0.0,          0.0,          0.0),
    "ema_decay":          (0.999,        0.999,        0.999,        0.999,        0.9995),
}
PRESETS = {
    name: {setting: values[column] for setting, values in _SETTINGS.items()} for column, name in enumerate(_NAMES)
}
# fmt: on


def _bounded(lowest: float, highest: float = math.inf, *, open_ends: bool = False) -> dict[str, Any]:
    return {"bounds": {"lowest": lowest, "highest": highest, "open_ends": open_ends}}


def _one_of(*allowed: Any) -> dict[str, Any]:
    return {"allowed": allowed}


def _setting(default: Any, text: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"text": text, **limits})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What a run is made from: printed at its start, saved in its folder, and enough to repeat it.

    Raises:
        InputError: a setting is of the wrong type or out of its range.
    """

    preset: str = _setting("transposed", "the preset that the other settings start from", **_one_of(*PRESETS))
    data: str | None = _setting(None, "folder of the four Fashion-MNIST files, or of your own pictures")
    start_from: str | None = _setting(None, "a shipped model's name, or a run, whose weights to start from")

    family: str = _setting("transposed", "family of networks", **_one_of(*FAMILIES))
    image_size: int = _setting(28, "height and width of the images, in pixels", **_one_of(*IMAGE_SIZES))
    channels: int = _setting(1, "1 for grey, 3 for colour", **_one_of(1, 3))
    width: int = _setting(64, "channels that the networks' layers are multiples of", **_bounded(2, WIDEST))
    generator_widening: int = _setting(1, "times the width that the generator has", **_bounded(1, 8))
    discriminator_depth: int = _setting(
        0, "how much finer a discriminator sees, at more time a step; of the residual family alone", **_bounded(0, 2)
    )
    centre: bool = _setting(
        False, "move each picture that is drawn to the middle by whole pixels, where Fashion-MNIST's are"
    )
    latent_dim: int = _setting(100, "length of a latent vector", **_bounded(1, 1024))
    conditional: bool = _setting(False, "condition both networks on the class")
    class_names: tuple[str, ...] = _setting((), "the classes of a conditional run, in the order of their labels")

    loss: str = _setting("bce", "adversarial objective", **_one_of(*LOSSES))
    penalty: float = _setting(0.0, "weight of the gradient penalty on real images; 0 for none", **_bounded(0))
    fake_penalty: float | None = _setting(None, "of the same on generated images (as on real ones)", **_bounded(0))
    penalty_interval: int = _setting(
        1, "batches from one gradient penalty to the next, which weighs as many times as much", **_bounded(1, 1000)
    )
    classification: float = _setting(
        0.0,
        "weight of the classes, which the discriminator learns to name and the generator to show; 0 for none",
        **_bounded(0),
    )
    learning_rate: float = _setting(2e-4, "Adam's", **_bounded(0, 1, open_ends=True))
    discriminator_learning_rate: float | None = _setting(
        None, "the discriminator's own (the same)", **_bounded(0, 1, open_ends=True)
    )
    beta_1: float = _setting(0.5, "Adam's first moment decay", **_bounded(0, 0.9999))
    cooldown: float = _setting(
        0.0, "the last share of the budget, over which the learning rate falls to zero", **_bounded(0, 1)
    )
    augment: bool = _setting(
        False, "flip, shift and cut what the discriminator sees, as far as it overfits: for few pictures"
    )
    ema_decay: float = _setting(0.999, "of the generator's averaged weights, a step", **_bounded(0, 0.999999))
    batch_size: int = _setting(64, "images in a batch", **_bounded(2, 65536))

    epochs: int | None = _setting(
        None, "passes over the training images (50, unless steps or minutes are given)", **_bounded(1, 10**6)
    )
    steps: int | None = _setting(None, "stop after so many batches", **_bounded(1, 10**9))
    minutes: float | None = _setting(
        None, "stop after so many minutes of training", **_bounded(0, 10**6, open_ends=True)
    )
    save_interval: int = _setting(5, "epochs between two sample grids", **_bounded(1, 10**6))
    checkpoint_every: int | None = _setting(None, "batches between two checkpoints (an epoch)", **_bounded(1, 10**9))
    evaluate_every: int | None = _setting(
        None,
        "epochs between two quick scores by held-out images; the best checkpoint is kept (no scores)",
        **_bounded(1, 10**6),
    )

    seed: int = _setting(0, "of weights, latents and the order of the data", **_bounded(0, 2**31 - 1))
    backend: str = _setting("tensorflow", "what runs Keras", **_one_of(*BACKENDS))
    jit_compile: bool = _setting(False, "compile the training step with XLA")
    mixed_precision: bool = _setting(False, "compute in bfloat16, for accelerators and for processors with AMX")
    deterministic: bool = _setting(False, "ask TensorFlow for operators that repeat bit for bit")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field, getattr(self, field.name)))
        if self.deterministic and self.jit_compile:
            raise InputError("deterministic=True cannot be kept with jit_compile=True: leave one out")
        if self.jit_compile and self.backend == "torch":
            raise InputError("jit_compile=True is not for backend='torch', where compiling takes longer than it saves")
        if self.width * self.generator_widening > WIDEST:
            raise InputError(
                f"generator_widening={self.generator_widening} of width={self.width} is out of range: their product "
                f"must be from 2 to {WIDEST}"
            )
        if self.discriminator_depth and self.family != "residual":
            raise InputError(
                f"discriminator_depth={self.discriminator_depth} is for family='residual', and this is {self.family!r}"
            )
        if self.classification and not self.conditional:
            raise InputError(f"classification={self.classification} needs conditional=True: there is no class to name")
        if self.augment and self.loss in ("wasserstein", "relativistic"):
            raise InputError(
                f"augment=True cannot tell overfitting from the logits of loss={self.loss!r}: all others can"
            )
        if self.epochs is self.steps is self.minutes is None:
            object.__setattr__(self, "epochs", DEFAULT_EPOCHS)

    @classmethod
    def from_preset(cls, preset: str = "transposed", **settings: Any) -> "Config":
        """The preset's settings, with the given ones in their place; None means the preset's own.

        Raises:
            InputError: an unknown preset or setting, or a value out of range.
        """
        if preset not in PRESETS:
            raise InputError(f"preset={preset!r} is unknown: {suggestion(str(preset), list(PRESETS))}")
        names = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in names:
                raise InputError(f"{name} is not a setting: {suggestion(name, names)}")
        given = {name: value for name, value in settings.items() if value is not None}
        return cls(**{"preset": preset, **PRESETS[preset], **given})

    @classmethod
    def from_json(cls, text: str, source: object) -> "Config":
        """Read what ``to_json`` wrote. Raises InputError, which names the source, where it is not a configuration."""
        try:
            values = json.loads(text)
            if unknown := sorted(values.keys() - {field.name for field in dataclasses.fields(cls)}):
                raise InputError(f"this version knows no {' or '.join(unknown)}; it is another version's")
            return cls(**values)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{source} holds no fashion-gan configuration: {error}") from error

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)

    def __str__(self) -> str:
        values = dataclasses.asdict(self)
        return "\n".join(f"  {name:<16} {value}" for name, value in values.items() if value not in (None, ()))


_KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a text", tuple: "a list of names"}


def _checked(field: dataclasses.Field[Any], value: Any) -> Any:
    """The value, of the field's own type; InputError where it is out of the field's limits."""
    optional = isinstance(field.type, types.UnionType)
    if optional and value is None:
        return None
    kind: Any = get_args(field.type)[0] if optional else get_origin(field.type) or field.type
    if not _is_a(kind, value):
        raise InputError(f"{field.name}={value!r} must be {_KINDS[kind]}")
    value = kind(value)
    allowed = field.metadata.get("allowed", (value,))
    if value not in allowed:
        if field.name == "image_size":
            raise InputError(f"image_size={value} must be a multiple of 4 from {allowed[0]} to {allowed[-1]}")
        names = [str(name) for name in allowed]
        raise InputError(f"{field.name}={value!r} is not allowed: {suggestion(str(value), names)}")
    if "bounds" in field.metadata:
        _check_bounds(field.name, value, **field.metadata["bounds"])
    return value


def _is_a(kind: type, value: Any) -> bool:
    if kind in (int, float):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and (kind is float or isinstance(value, int) or value.is_integer())
    if kind is tuple:
        return isinstance(value, (tuple, list)) and all(isinstance(name, str) and name.isprintable() for name in value)
    return isinstance(value, (str, Path) if kind is str else kind)


def _check_bounds(name: str, value: float, lowest: float, highest: float, open_ends: bool) -> None:
    inside = lowest < value < highest if open_ends else lowest <= value <= highest
    if not (inside and math.isfinite(value)):
        relation = "between" if open_ends else "from"
        joint = "and" if open_ends else "to"
        allowed = f"{relation} {lowest:g} {joint} {highest:g}" if highest < math.inf else f"at least {lowest:g}"
        raise InputError(f"{name}={value!r} is out of range: it must be {allowed}")
