"""Every setting of a training run, in one frozen dataclass, and the table of presets."""

import dataclasses
import inspect
import json
import math
import textwrap
import types
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, get_args, get_origin

import numpy as np

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError, as_number, check_choice, check_range, one_line, show, suggestion
from fashion_gan.version import __version__

BACKENDS = ("tensorflow", "jax", "torch")
ARCHITECTURES = ("transposed", "upsampling", "dcgan", "residual")
LOSSES = ("bce", "minimax", "leaky-minimax", "hinge", "wasserstein", "relativistic")
LOSSES_WITHOUT_AUGMENT = ("wasserstein", "relativistic")  # Their logits do not show whether D overfits.
AUGMENTATIONS = ("mirror", "shift", "cutout", "brightness", "saturation", "contrast")
EARLIER_AUGMENTATIONS = ("mirror", "shift", "cutout")  # of runs that versions without the setting have started
OVERFITTING_FROM = ("held-out", "training")
BASE_PRESET = "transposed"  # whose settings are the defaults of ``Config``
DEFAULT_PRESET = "fashion"
PICTURES_PRESET = "pictures"  # the default for own pictures; the rest of its settings are chosen from the data
DEFAULT_EPOCHS = 50
IN_MEMORY = "(in memory)"
"""The setting ``data`` of a run on arrays. It cannot be a path: those are stored as absolute ones."""
FITS = ("crop", "pad", "stretch")
IMAGE_SIZES = tuple(range(16, 257, 4))
MIN_STAGE_SIZE = 4  # pixels
MAX_BASE_CHANNELS = 256
MAX_UNKNOWN, MAX_NAME = 5, 60  # unknown settings that an error names, and characters of each
MAX_REASON = 300  # characters of an error's reason, which may quote a value of the file
MAX_SHOWN_CLASSES = 20
NOT_IN_CLASS_NAMES = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of control characters, surrogates and line breaks

# fmt: off
_PRESET_NAMES =                      ("transposed", "upsampling", "dcgan-64",   "dcgan-128",  "fashion")
_SETTINGS = {
    "architecture":           ("transposed", "upsampling", "dcgan",      "dcgan",      "residual"),
    "image_size":             (28,           28,           64,           128,          28),
    "core_size":              (None,         None,         None,         None,         None),
    "base_channels":          (64,           64,           64,           64,           32),
    "generator_width_factor": (1,            1,            1,            1,            1),
    "loss":                   ("bce",        "bce",        "bce",        "bce",        "leaky-minimax"),
    "conditional":            (False,        False,        False,        False,        True),
    "batch_size":             (64,           128,          64,           64,           32),
    "learning_rate":          (2e-4,         2e-4,         2e-4,         2e-4,         7e-4),
    "decay_fraction":         (0.0,          0.0,          0.0,          0.0,          0.3),
    "r1_weight":              (0.0,          0.0,          0.0,          0.0,          0.0025),
    "r2_weight":              (None,         None,         None,         None,         0.0),
    "penalty_every_steps":    (1,            1,            1,            1,            4),
    "classifier_weight":      (0.0,          0.0,          0.0,          0.0,          0.0),
    "ema_decay":              (0.999,        0.999,        0.999,        0.999,        0.9995),
}
PRESETS = {
    name: {setting: values[column] for setting, values in _SETTINGS.items()} for column, name in
    enumerate(_PRESET_NAMES)
}
# Clothes at larger sizes: the same networks, and a last layer that enlarges their images.
PRESETS |= {f"fashion-{size}": {**PRESETS["fashion"], "image_size": size, "core_size": 28} for size in (64, 128)}
# Own pictures. ``training.choices`` chooses more settings from the data.
PRESETS[PICTURES_PRESET] = {**PRESETS["fashion"], "conditional": False, "image_size": 64, "base_channels": 24,
    "r1_weight": 0.02}

# Setting names in version 0.1.0 -> names now. A configuration that 0.1.0 stored is read through this table.
RENAMED_SETTINGS = {
    "family":             "architecture",
    "width":              "base_channels",
    "generator_widening": "generator_width_factor",
    "centre":             "center_images",  # codespell:ignore
    "start_from":         "init_from",
    "penalty":            "r1_weight",
    "fake_penalty":       "r2_weight",
    "penalty_interval":   "penalty_every_steps",
    "classification":     "classifier_weight",
    "cooldown":           "decay_fraction",
    "checkpoint_every":   "checkpoint_every_steps",
    "evaluate_every":     "evaluate_every_epochs",
}
# fmt: on

READ_FROM_THE_DATA = ("class_names", "data_classes")
"""Settings that nobody sets: they come with the training images."""

Setting: TypeAlias = "dataclasses.Field[Any]"
"""A setting of ``Config``. Its metadata holds "text", "group", "unit" and, if limited, "allowed", "bounds" or
"is_color"."""

GROUPS = {
    "data": "Data",
    "networks": "Networks",
    "objective": "Objective and optimizer",
    "budget": "Budget",
    "output": "Output",
    "machine": "Machine",
}


def _bounded(lowest: float, highest: float = math.inf, *, open_ends: bool = False) -> JsonObject:
    return {"bounds": {"lowest": lowest, "highest": highest, "open_low": open_ends, "open_high": open_ends}}


def _one_of(*allowed: object) -> JsonObject:
    return {"allowed": allowed}


def _setting(group: str, default: object, text: str, *, unit: str = "", **limits: object) -> Any:
    return dataclasses.field(default=default, metadata={"group": group, "text": text, "unit": unit, **limits})


# fmt: off
@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of a training run. They are printed when the run starts and stored in its folder.

    Together with the data, they suffice to repeat the run.

    ``Config.from_preset(name, ...)`` starts from a preset. ``Config(...)`` starts from the defaults below: those of the
    preset "transposed".

    Raises:
        InputError: a setting has the wrong type, is out of range, or contradicts another one.

    Example:
        >>> config = fashion_gan.Config.from_preset("fashion", minutes=5)
        >>> config.architecture, config.batch_size
        ('residual', 32)
        >>> fashion_gan.Config.from_json(config.to_json(), "my settings") == config
        True

    Attributes:
    """

    preset: str = _setting("data", BASE_PRESET, "Preset that provides the settings you leave out.",
        **_one_of(*PRESETS))
    data: str | None = _setting("data", None,
        "Folder or file of training images: the four Fashion-MNIST files, or your own pictures; or a data set on the "
        "Hugging Face Hub, hf://datasets/user/name. "
        "None: the folder in FASHION_GAN_DATA, or else Fashion-MNIST.")
    fit: str = _setting("data", "crop",
        "How a picture that is not square becomes a square: crop takes its central square, pad adds a border, stretch "
        "changes its proportions.", **_one_of(*FITS))
    background: str = _setting("data", "white",
        "Color of the parts of a picture that are transparent, and of the border of fit pad: a name, or #rrggbb.",
        is_color=True)
    skip_damaged: bool = _setting("data", False,
        "Leave out pictures that cannot be read. Otherwise such pictures are an error, which names them.")
    init_from: str | None = _setting("data", None,
        "Shipped model, run or hf://user/name whose weights training starts from. None: random weights.")

    architecture: str = _setting("networks", "transposed", "Architecture of both networks.",
        **_one_of(*ARCHITECTURES))
    image_size: int = _setting("networks", 28, "Height and width of the images, a multiple of 4.",
        unit="pixels", **_one_of(*IMAGE_SIZES))
    core_size: int | None = _setting("networks", None,
        "Height and width that both networks work at. The generator's last layer, which has no weights, enlarges the "
        "images to image_size by linear interpolation. None: image_size.", unit="pixels", **_one_of(*IMAGE_SIZES))
    channels: int = _setting("networks", 1, "Channels of the images: 1 for gray, 3 for color, 4 for color and opacity.",
        **_one_of(1, 3, 4))
    base_channels: int = _setting("networks", 64, "Base number of channels. It scales the width of every layer.",
        unit="channels", **_bounded(2, MAX_BASE_CHANNELS))
    generator_width_factor: int = _setting("networks", 1, "Factor that multiplies base_channels in the generator.",
        **_bounded(1, 8))
    stages: int | None = _setting("networks", None,
        "Number of sizes that the residual networks work at. The largest is half of the image's size, and each other "
        "one is half of the one before. None: all of at least 4 pixels.", **_bounded(2, 6))
    discriminator_depth: int = _setting("networks", 0,
        "Extra depth of the discriminator. A deeper one sees finer detail and trains more slowly. Residual only.",
        **_bounded(0, 2))
    center_images: bool = _setting("networks", False,
        "Shift the content of each generated image by whole pixels until it is centered, as in Fashion-MNIST.")
    latent_dim: int = _setting("networks", 100, "Length of a latent vector.", **_bounded(1, 1024))
    conditional: bool = _setting("networks", False, "Condition both networks on the class.")
    class_names: tuple[str, ...] = _setting("networks", (),
        "Classes of a conditional run, in the order of their labels. They are read from the data.")
    data_classes: tuple[str, ...] | None = _setting("data", None,
        "Classes of the training images of any run. They are read from the data. None: not recorded.")

    loss: str = _setting("objective", "bce", "Adversarial loss.", **_one_of(*LOSSES))
    r1_weight: float = _setting("objective", 0.0,
        "Weight of the R1 gradient penalty on real images. 0 turns it off.", **_bounded(0))
    r2_weight: float | None = _setting("objective", None,
        "Weight of the R2 gradient penalty on generated images. None: the R1 weight.", **_bounded(0))
    penalty_every_steps: int = _setting("objective", 1,
        "Steps between gradient penalties (lazy regularization). The weight is multiplied by this number.",
        unit="steps", **_bounded(1, 1000))
    classifier_weight: float = _setting("objective", 0.0,
        "Weight of the auxiliary classification losses: the discriminator learns to predict the class, and the "
        "generator to be classified correctly. 0 turns them off.", **_bounded(0))
    learning_rate: float = _setting("objective", 2e-4, "Learning rate of Adam, for both networks.",
        **_bounded(0, 1, open_ends=True))
    discriminator_learning_rate: float | None = _setting("objective", None,
        "Learning rate of the discriminator. None: the same as learning_rate.", **_bounded(0, 1, open_ends=True))
    beta_1: float = _setting("objective", 0.5, "Decay of Adam's first moment.", **_bounded(0, 0.9999))
    decay_fraction: float = _setting("objective", 0.0,
        "Last fraction of the budget, over which the learning rates fall linearly to zero.", **_bounded(0, 1))
    augment: bool = _setting("objective", False,
        "Adaptive augmentation of the images that the discriminator sees. They are changed more often the more it "
        "overfits. For small data sets.")
    augmentations: tuple[str, ...] | None = _setting("objective", None,
        f"Changes that augment uses, with commas between them: {', '.join(AUGMENTATIONS)}. None: those that "
        "fit the data. Pictures are mirrored only if they are found to be symmetric, and only color gets saturation.",
        **_one_of(*AUGMENTATIONS))
    overfitting_from: str | None = _setting("objective", None,
        "Pictures that show augment how much the discriminator overfits. None: those that evaluate_every_epochs holds "
        "out, or else the training images.", **_one_of(*OVERFITTING_FROM))
    ema_decay: float = _setting("objective", 0.999,
        "Decay per step of the moving average (EMA) of the generator's weights.", **_bounded(0, 0.999999))
    batch_size: int = _setting("objective", 64, "Images in a batch.", unit="images", **_bounded(2, 65536))

    epochs: int | None = _setting("budget", None,
        f"Passes over the training images. None: {DEFAULT_EPOCHS}, unless steps or minutes are given.",
        unit="epochs", **_bounded(1, 10**6))
    steps: int | None = _setting("budget", None, "Stop after this many batches. None: no limit.",
        unit="steps", **_bounded(1, 10**9))
    minutes: float | None = _setting("budget", None, "Stop after this many minutes of training. None: no limit.",
        unit="minutes", **_bounded(0, 10**6, open_ends=True))
    patience: int | None = _setting("budget", None,
        "Stop after this many scores of evaluate_every_epochs without a better one. None: never.",
        unit="scores", **_bounded(1, 10**6))

    save_interval: int = _setting("output", 5, "Epochs between two saved sample grids.",
        unit="epochs", **_bounded(1, 10**6))
    checkpoint_every_steps: int | None = _setting("output", None,
        "Steps between two checkpoints. None: one per epoch.", unit="steps", **_bounded(1, 10**9))
    evaluate_every_epochs: int | None = _setting("output", None,
        "Epochs between comparisons of generated images with held-out ones. The best checkpoint is kept. "
        "None: never.", unit="epochs", **_bounded(1, 10**6))

    seed: int = _setting("machine", 0, "Seed of the weights, the latents and the order of the data.",
        **_bounded(0, 2**31 - 1))
    backend: str = _setting("machine", "tensorflow", "Backend that Keras runs on.", **_one_of(*BACKENDS))
    jit_compile: bool = _setting("machine", False, "Compile the training step with XLA.")
    mixed_precision: bool = _setting("machine", False,
        "Compute in bfloat16. For accelerators, and for processors with AMX.")
    deterministic: bool = _setting("machine", False,
        "Use deterministic TensorFlow operators, so that runs repeat bit for bit.")
    # fmt: on

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field, getattr(self, field.name)))
        self._check_combinations()
        if self.epochs is self.steps is self.minutes is None:
            object.__setattr__(self, "epochs", DEFAULT_EPOCHS)

    def _check_combinations(self) -> None:
        """Raise InputError if two settings contradict each other."""
        preset = PRESETS[self.preset]
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        if preset != _settings_in(defaults, preset) == _settings_in(vars(self), preset):
            raise InputError(
                f"preset={self.preset!r} is only a name in Config(...), which starts from the defaults: write "
                f"Config.from_preset({self.preset!r}, ...)"
            )
        if self.deterministic and self.jit_compile:
            raise InputError("deterministic=True and jit_compile=True exclude each other: leave one out")
        if self.jit_compile and self.backend == "torch":
            raise InputError(
                "jit_compile=True is not supported with backend='torch', where compiling takes longer than it saves"
            )
        if self.base_channels * self.generator_width_factor > MAX_BASE_CHANNELS:
            raise InputError(
                f"generator_width_factor={self.generator_width_factor} times base_channels={self.base_channels} is out "
                f"of range: the product must be from 2 to {MAX_BASE_CHANNELS}"
            )
        if self.discriminator_depth and self.architecture != "residual":
            raise InputError(
                f"discriminator_depth={self.discriminator_depth} is for architecture='residual', not "
                f"{self.architecture!r}"
            )
        self._check_stages()
        if self.core_size is not None and self.core_size > self.image_size:
            raise InputError(f"core_size={self.core_size} must be at most image_size={self.image_size}")
        if self.classifier_weight and not self.conditional:
            raise InputError(
                f"classifier_weight={self.classifier_weight} needs conditional=True: there is no class to predict"
            )
        if self.augment and self.loss in LOSSES_WITHOUT_AUGMENT:
            raise InputError(
                f"augment=True cannot measure overfitting from the logits of loss={self.loss!r}; with every other loss "
                "it can"
            )
        if self.patience and not self.evaluate_every_epochs:
            raise InputError(f"patience={self.patience} counts scores: it needs evaluate_every_epochs")
        self._check_augmentation()

    def _check_stages(self) -> None:
        """Raise InputError if the networks do not have stages, or if the size cannot be halved so often."""
        if self.stages is None:
            return
        if self.architecture != "residual":
            raise InputError(f"stages={self.stages} is for architecture='residual', not {self.architecture!r}")
        size = self.core_size or self.image_size
        most = len(_halved_sizes(size))
        if self.stages > most:
            raise InputError(
                f"stages={self.stages} is too many for {size} pixels: at most {most}, so that the "
                f"smallest is a whole number of at least {MIN_STAGE_SIZE}"
            )

    def _check_augmentation(self) -> None:
        """Raise InputError if a setting of the augmentation contradicts another one."""
        for name in ("augmentations", "overfitting_from"):
            if getattr(self, name) is not None and not self.augment:
                raise InputError(f"{name}={show(getattr(self, name))} needs augment=True")
        if self.augmentations == ():
            raise InputError("augmentations=() names no change: leave it out, or set augment=False")
        if self.augmentations and "saturation" in self.augmentations and self.channels == 1:
            raise InputError("augmentations with 'saturation' need color: channels=3")
        if self.overfitting_from == "held-out" and not self.evaluate_every_epochs:
            raise InputError("overfitting_from='held-out' needs evaluate_every_epochs, which holds out pictures")

    @classmethod
    def from_preset(cls, preset: str = DEFAULT_PRESET, **settings: Any) -> "Config":
        """The settings of a preset, overridden by those given here.

        Args:
            preset: a name in ``PRESETS``.
            **settings: any settings of this class. None means the preset's value.

        Returns:
            The configuration.

        Raises:
            InputError: the preset or a setting is unknown, or a setting is refused as in ``Config``.
        """
        check_choice("preset", preset, PRESETS)
        check_setting_names(settings)
        changes = {name: value for name, value in settings.items() if value is not None}
        return cls(**{"preset": preset, **PRESETS[preset], **changes})

    @classmethod
    def from_json(cls, text: str, source: object) -> "Config":
        """Read a configuration that ``to_json`` wrote, in this version or an earlier one.

        Args:
            text: the JSON.
            source: where the text comes from, such as a path, for error messages.

        Returns:
            The configuration. Old names of settings are replaced by the present ones. ``skip_damaged`` is True if the
            text does not have it, because earlier versions left out damaged pictures.

        Raises:
            InputError: the text is not a configuration, or has settings that this version does not know.
        """
        try:
            values = json.loads(text)
            if not isinstance(values, dict):
                raise TypeError("it is not a JSON object")
            version = values.pop("version", "0.1.0")  # Version 0.1.0 did not write its number.
            values = {RENAMED_SETTINGS.get(name, name): value for name, value in values.items()}
            values.setdefault("skip_damaged", True)  # Versions without this setting left out damaged pictures.
            if values.get("augment") and "augmentations" not in values:
                values |= {"augmentations": EARLIER_AUGMENTATIONS, "overfitting_from": "training"}
            if values.get("architecture") == "residual":
                values.setdefault("stages", 2)  # as versions without this setting
            unknown = sorted(values.keys() - {field.name for field in dataclasses.fields(cls)})
            if not unknown:
                return cls(**values)
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{source} holds no fashion-gan configuration: {one_line(error)[:MAX_REASON]}") from error
        raise InputError(
            f"{source} was written by version {one_line(version)[:MAX_NAME]}; this version, {__version__}, has no "
            f"setting {' or '.join(one_line(name)[:MAX_NAME] for name in unknown[:MAX_UNKNOWN])}"
        )

    @property
    def core(self) -> "Config":
        """The configuration of the networks themselves, without the layer that enlarges the images."""
        if self.core_size is None:
            return self
        return dataclasses.replace(self, image_size=self.core_size, core_size=None)

    @property
    def stage_sizes(self) -> tuple[int, ...]:
        """The sizes that residual and DCGAN networks work at, the largest first: (32, 16, 8, 4) for 64 pixels."""
        return _halved_sizes(self.core_size or self.image_size)[: self.stages]

    def to_json(self) -> str:
        """The settings and the version that writes them, as JSON."""
        return json.dumps({"version": __version__, **dataclasses.asdict(self)}, indent=2)

    def __str__(self) -> str:
        """One setting per line. Settings that are None or empty are left out, and so are the data's classes."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, ())}
        values.pop("data_classes", None)  # A conditional run shows them as class_names; other runs do not use them.
        if len(self.class_names) > MAX_SHOWN_CLASSES:
            shown = ", ".join(map(repr, self.class_names[:MAX_SHOWN_CLASSES]))
            values["class_names"] = f"({shown}, … {len(self.class_names):,} in all)"
        width = max(map(len, values))
        return "\n".join(f"  {name:<{width}}  {value}" for name, value in values.items())


def _settings_in(values: Mapping[str, object], preset: Mapping[str, object]) -> JsonObject:
    """The values of the settings that a preset has."""
    return {name: values[name] for name in preset}


def _halved_sizes(size: int) -> tuple[int, ...]:
    """The halves of a size, the halves of these, and so on, while they are whole and at least 4 pixels."""
    sizes = [size // 2]
    while sizes[-1] % 2 == 0 and sizes[-1] // 2 >= MIN_STAGE_SIZE:
        sizes.append(sizes[-1] // 2)
    return tuple(sizes)


def default_augmentations(channels: int, *, is_symmetric: bool) -> tuple[str, ...]:
    """The changes that ``augment`` uses for pictures with these channels, if ``augmentations`` names none."""
    unused = {"mirror": not is_symmetric, "saturation": channels == 1}
    return tuple(name for name in AUGMENTATIONS if not unused.get(name))


def check_setting_names(names: Iterable[str]) -> None:
    """Raise InputError if one of the names is not a setting, or is a setting's name in an earlier version."""
    known = [field.name for field in dataclasses.fields(Config)]
    for name in names:
        if name in RENAMED_SETTINGS:
            raise InputError(f"{name} is now called {RENAMED_SETTINGS[name]}")
        if name not in known:
            raise InputError(f"{name} is not a setting: {suggestion(name, known)}")


def is_class_name(text: str) -> bool:
    """Whether a text can be the name of a class: any text that fits on a line and that UTF-8 can encode.

    Spaces of every script and the invisible joiners of emoji and of Indic and Arabic letters are allowed.
    """
    return not any(unicodedata.category(character) in NOT_IN_CLASS_NAMES for character in text)


def check_color(name: str, value: str) -> str:
    """Check that a text is a color that Pillow knows, without opacity: ``white``, ``#ffffff``, ``rgb(255, 255, 255)``.

    Raises:
        InputError: it is not.
    """
    from PIL import ImageColor  # Imported here, because a run's settings are also read where no picture is.

    try:
        is_opaque = len(ImageColor.getrgb(value)) == 3
    except ValueError:
        is_opaque = False
    if not is_opaque:
        raise InputError(f"{name}={show(value)} is not a color: a name such as 'white' and '#rrggbb' are taken")
    return value


def python_type(field: Setting) -> Any:
    """The type of a setting's values, except None: ``int``, ``float``, ``bool``, ``str`` or ``tuple``."""
    value_type = get_args(field.type)[0] if isinstance(field.type, types.UnionType) else field.type
    return get_origin(value_type) or value_type


def describe_range(field: Setting) -> str:
    """The values that a setting may have, for its documentation: ``"from 1 to 8"``; "" if there is no limit."""
    if field.name in ("image_size", "core_size"):
        return f"from {IMAGE_SIZES[0]} to {IMAGE_SIZES[-1]}"
    if "allowed" in field.metadata:
        quantifier = "any of" if python_type(field) is tuple else "one of"
        return f"{quantifier} {', '.join(map(str, field.metadata['allowed']))}"
    if "is_color" in field.metadata:
        return "a color"
    if "bounds" not in field.metadata:
        return ""
    lowest, highest, is_open = (field.metadata["bounds"][name] for name in ("lowest", "highest", "open_low"))
    if math.isinf(highest):
        return f"at least {lowest:g}"
    return f"{'between' if is_open else 'from'} {lowest:,} {'and' if is_open else 'to'} {highest:,}"


def _documentation() -> str:
    """A line for each setting: type, text, unit, range and default."""
    lines = []
    for field in dataclasses.fields(Config):
        kind = str(field.type).removeprefix("<class '").removesuffix("'>")
        details = [detail for detail in (field.metadata["unit"], describe_range(field)) if detail]
        details.append(f"default {field.default!r}")
        text = f"{field.name} ({kind}): {field.metadata['text']} [{'; '.join(details)}]"
        lines.append(textwrap.fill(text, 110, initial_indent=" " * 4, subsequent_indent=" " * 8))
    return "\n".join(lines) + "\n"


if Config.__doc__:  # Python started with -OO has no docstrings.
    Config.__doc__ = inspect.cleandoc(Config.__doc__) + "\n" + _documentation()


class TrainSettings(TypedDict, total=False):
    """The settings that ``fashion_gan.train`` takes by keyword, for editors and type checkers. See ``Config``."""

    fit: str | None
    background: str | None
    skip_damaged: bool | None
    init_from: str | Path | None
    architecture: str | None
    image_size: int | None
    core_size: int | None
    channels: int | None
    base_channels: int | None
    generator_width_factor: int | None
    stages: int | None
    discriminator_depth: int | None
    center_images: bool | None
    latent_dim: int | None
    conditional: bool | None
    loss: str | None
    r1_weight: float | None
    r2_weight: float | None
    penalty_every_steps: int | None
    classifier_weight: float | None
    learning_rate: float | None
    discriminator_learning_rate: float | None
    beta_1: float | None
    decay_fraction: float | None
    augment: bool | None
    augmentations: tuple[str, ...] | list[str] | str | None
    overfitting_from: str | None
    ema_decay: float | None
    batch_size: int | None
    epochs: int | None
    steps: int | None
    minutes: float | None
    patience: int | None
    save_interval: int | None
    checkpoint_every_steps: int | None
    evaluate_every_epochs: int | None
    seed: int | None
    backend: str | None
    jit_compile: bool | None
    mixed_precision: bool | None
    deterministic: bool | None


_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a string",
    tuple: "a list of names",
}


def _checked(field: Setting, value: Any) -> Any:
    """The value, converted to the field's type. Raises InputError if it has the wrong type or is out of range."""
    if isinstance(field.type, types.UnionType) and value is None:
        return None
    expected = python_type(field)
    is_choices = expected is tuple and "allowed" in field.metadata
    converted = _convert(value.split(",") if is_choices and isinstance(value, str) else value, expected)
    if converted is None:
        raise InputError(f"{field.name}={show(value)} must be {_TYPE_NAMES[expected]}")
    value = converted
    if is_choices:
        return _checked_names(field, [name.strip() for name in value])
    allowed = field.metadata.get("allowed", (value,))
    if value not in allowed:
        if field.name in ("image_size", "core_size"):
            raise InputError(f"{field.name}={show(value)} must be a multiple of 4 from {allowed[0]} to {allowed[-1]}")
        names = [str(name) for name in allowed]
        text = value if isinstance(value, str) else show(value)
        raise InputError(f"{field.name}={show(value)} is not allowed: {suggestion(text, names)}")
    if "bounds" in field.metadata:
        check_range(field.name, value, **field.metadata["bounds"])
    if "is_color" in field.metadata:
        check_color(field.name, value)
    return value


def _checked_names(field: Setting, names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order of the setting's allowed ones. Raises InputError for another name."""
    allowed = field.metadata["allowed"]
    for name in names:
        if name not in allowed:
            raise InputError(f"{field.name}={show(name)} is not allowed: {suggestion(name, list(allowed))}")
    return tuple(name for name in allowed if name in names)


def _convert(value: Any, expected: type) -> Any:
    """The value as ``expected``. None if it has another type."""
    if expected in (int, float):
        number = as_number(value)
        if number is None or (expected is int and isinstance(number, float) and not number.is_integer()):
            return None
        try:
            return expected(number)
        except OverflowError:  # A whole number that no float can hold.
            return math.inf if number > 0 else -math.inf
    if expected is bool:
        return bool(value) if isinstance(value, (bool, np.bool_)) else None
    if expected is tuple:
        is_list = isinstance(value, (tuple, list))
        are_names = is_list and all(isinstance(name, str) and is_class_name(name) for name in value)
        return tuple(value) if are_names else None
    return str(value) if isinstance(value, (str, Path)) else None
