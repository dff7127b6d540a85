"""Options that several verbs share, and the types of their values."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from fashion_gan import pretrained
from fashion_gan.arrays import JsonObject
from fashion_gan.cli.help import Option, Verb
from fashion_gan.config import (
    DEFAULT_PRESET,
    GROUPS,
    PICTURES_PRESET,
    PRESETS,
    READ_FROM_THE_DATA,
    Config,
    Setting,
    python_type,
)
from fashion_gan.errors import InputError, show, suggestion
from fashion_gan.hub.address import is_address
from fashion_gan.system.atomic_files import check_new_path, unused_path
from fashion_gan.system.paths import user_path
from fashion_gan.system.processes import JOIN_SECONDS, DeviceOptions

Function = TypeVar("Function", bound=Callable[..., Any])

option = functools.partial(click.option, cls=Option)
verb = functools.partial(click.command, cls=Verb)

DEFAULTS_IN_WORDS = {
    "backend": "KERAS_BACKEND, or the first that is installed",
    "preset": f"{DEFAULT_PRESET} for Fashion-MNIST, {PICTURES_PRESET} for other data",
}
"""Settings whose default depends on the machine or on the data."""


class Choice(click.Choice):  # type: ignore[type-arg]  # click.Choice[str] needs click 8.2.
    """One of several texts, which the shell completes. The error for another text suggests the nearest ones."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        return self.fail(f"{show(value)} is not allowed: {suggestion(str(value), list(self.choices))}", param, ctx)


class UserPath(click.Path):
    """A path, whose leading ``~`` becomes the home folder. A shell replaces it only at the start of a word."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(user_path(param.opts[0] if param else "path", value), param, ctx)


class Folder(UserPath):
    """A folder, which the shell completes. The library checks that it exists, and words the error."""

    def __init__(self) -> None:
        super().__init__(readable=False)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="dir")]


class DataPath(UserPath):
    """A folder or a file of training images, which the shell completes. The library words the errors."""

    def __init__(self) -> None:
        super().__init__(readable=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if is_address(value) else super().convert(value, param, ctx)  # A Path would drop a slash.

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class Model(click.Path):
    """A shipped model's name, a run's folder or a model file. The shell completes names and paths."""

    def __init__(self) -> None:
        super().__init__(readable=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(super().convert(value, param, ctx))
        path = user_path(param.opts[0] if param else "model", text)
        return str(path) if text.startswith("~") else text  # A Path drops "./", which tells a folder from a name.

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name) for name in pretrained.names() if name.startswith(incomplete)]
        # Paths come first: in bash, click's script drops the words that it lists before a path.
        return [CompletionItem(incomplete, type="file"), *names]


model = option(
    "--model",
    type=Model(),
    default="fashion",
    show_default=True,
    metavar="NAME|RUN|FILE",
    help="A shipped model's name, a run's folder, a model file, or hf://user/name on the Hugging Face Hub.",
    group="Model",
)
truncation = option(
    "--truncation",
    type=float,
    default=1.0,
    show_default=True,
    metavar="FACTOR",
    help="Scale of the latent vectors. Below 1, images are more typical and less varied.",
    group="Images",
)
size = option(
    "--size",
    type=int,
    metavar="PIXELS",
    help="Height and width that the images are enlarged to, by linear interpolation. By default their own.",
    group="Images",
)
data = option(
    "--data",
    type=Folder(),
    metavar="FOLDER",
    help="Folder of the four Fashion-MNIST files. By default they are searched for and, if missing, downloaded.",
    group="Data",
)
force = option("--force", is_flag=True, help="Overwrite an existing output.", group="Output")


def weights(command: Function) -> Function:
    """Add the options that select among a run's weights."""
    best = option(
        "--best",
        is_flag=True,
        help="Use the checkpoint with the best score of train --evaluate-every-epochs, not the newest. Only for a run.",
        group="Model",
    )
    raw = option(
        "--raw",
        is_flag=True,
        help="Use the weights as trained, not their moving average. Only for a run.",
        group="Model",
    )
    return raw(best(command))


def several_devices(command: Function) -> Callable[..., Any]:
    """Add the options that spread a training over devices and processes. The command gets them as ``where``."""

    @functools.wraps(command)
    def with_devices(*arguments: Any, join_seconds: float, devices: str | None, **others: Any) -> Any:
        count = int(devices) if devices is not None and devices.isdecimal() and len(devices) < 10 else devices
        names = {name: others.pop(name) for name in ("coordinator", "process", "processes")}
        where = DeviceOptions(count, **names, join_seconds=join_seconds)
        return command(*arguments, where=where, **others)

    settings: tuple[tuple[str, Any, str, str], ...] = (
        (
            "--devices",
            str,
            "all|NUMBER",
            "Devices that share the training, such as GPUs. Only on JAX. --batch-size is that of all of them. In "
            "several processes: the devices of each.",
        ),
        (
            "--coordinator",
            str,
            "HOST:PORT|auto",
            "Address of the first of several processes that share the training. auto asks Slurm, Open MPI or "
            "Kubernetes.",
        ),
        ("--process", int, "NUMBER", "This process's number, from 0. Process 0 writes the run's folder."),
        ("--processes", int, "NUMBER", "How many processes share the training."),
    )
    wait = option(
        "--join-seconds",
        type=click.FloatRange(1, 86400),
        default=JOIN_SECONDS,
        show_default=True,
        metavar="SECONDS",
        help="How long the processes wait for each other at the start.",
        group="Several devices",
    )
    decorated = wait(with_devices)
    for flag, value_type, metavar, text in reversed(settings):
        decorated = option(flag, type=value_type, metavar=metavar, help=text, group="Several devices")(decorated)
    return decorated


def settings(command: Function) -> Function:
    """Add one option for each setting of ``Config``, from the setting's type and metadata."""
    for field in reversed(dataclasses.fields(Config)):
        if field.name not in READ_FROM_THE_DATA:
            command = _setting_option(field)(command)
    return command


def some_settings(*names: str) -> Callable[[Function], Function]:
    """Add the options of some settings of ``Config``."""

    def decorate(command: Function) -> Function:
        for field in reversed(dataclasses.fields(Config)):
            if field.name in names:
                command = _setting_option(field)(command)
        return command

    return decorate


def _setting_option(field: Setting) -> Callable[[Function], Function]:
    """The option of a setting. Its value is None if the command line does not have it: then the preset decides."""
    value_type = python_type(field)
    flag = "--" + field.name.replace("_", "-")
    type_and_metavar: JsonObject = {"type": value_type, "metavar": "NUMBER"}
    if field.name == "data":
        type_and_metavar = {"type": DataPath(), "metavar": "FOLDER|FILE"}
    elif field.name == "init_from":
        type_and_metavar = {"type": Model(), "metavar": "NAME|RUN"}
    elif value_type is bool:
        flag, type_and_metavar = f"{flag}/--no-{flag.removeprefix('--')}", {}
    elif "is_color" in field.metadata:
        type_and_metavar["metavar"] = "COLOR"
    elif value_type is tuple:
        type_and_metavar = {"type": str, "metavar": "NAME,NAME,…"}
    elif value_type is str:
        type_and_metavar = {"type": Choice(field.metadata["allowed"])}
        if field.name == "preset":  # All names in one word would not fit in a line.
            type_and_metavar["metavar"] = "NAME"
    elif field.metadata["unit"]:
        type_and_metavar["metavar"] = field.metadata["unit"].upper()
    group = GROUPS[field.metadata["group"]]
    return option(flag, default=None, help=_help_text(field), group=group, **type_and_metavar)


def _help_text(field: Setting) -> str:
    """The setting's sentence, its default, and the defaults of the presets that have another one."""
    values = {preset: settings.get(field.name, field.default) for preset, settings in PRESETS.items()}
    default = values[DEFAULT_PRESET]
    text, _, meaning_of_none = field.metadata["text"].partition(" None: ")
    if default is None and meaning_of_none:
        text = f"{text} Default: {meaning_of_none}"

    def show(value: object) -> str:
        return meaning_of_none.rstrip(".") if value is None else _show(value)

    others = {show(value): [name for name in values if values[name] == value] for value in values.values()}
    notes = [f"{', '.join(presets)}: {value}" for value, presets in others.items() if value != show(default)]
    if field.name in DEFAULTS_IN_WORDS:
        notes.insert(0, f"default: {DEFAULTS_IN_WORDS[field.name]}")
    elif default is not None:  # The sentence itself says what None means.
        notes.insert(0, f"default: {show(default)}")
    if field.name == "preset":
        text += f" One of {', '.join(PRESETS)}."
    return f"{text} [{'; '.join(notes)}]" if notes else text


def _show(value: object) -> str:
    """A default as the help shows it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def numbers(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Parse whole numbers with commas between them; None stays. Raises InputError if the text is anything else."""
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"{parameter.name}={show(text)} must be whole numbers with commas between them, such as 10,50,200"
        ) from None


def output_path(out: Path | None, default: str, *, force: bool) -> Path:
    """The path that a command writes to.

    Args:
        out: the path in the command line. None if there is none.
        default: the path in that case. If it exists, the file gets a number, so that a command can be repeated.
        force: an existing file may be replaced.

    Raises:
        InputError: ``out`` cannot be written, or it exists and may not be replaced.
    """
    if out is None:
        return Path(default) if force else unused_path(Path(default))
    check_new_path(out, force=force)
    return out


def refuse_given(flag: str, *names: str) -> None:
    """Refuse options that have no effect together with another one.

    Args:
        flag: the option that makes the others useless.
        names: the parameters' names.

    Raises:
        InputError: the command line has one of them.
    """
    for given in _given(names):
        raise InputError(f"{flag} does not go with {given}")


def refuse_without(flag: str, *names: str) -> None:
    """Refuse options that have an effect only together with another one.

    Args:
        flag: the option that they need.
        names: the parameters' names.

    Raises:
        InputError: the command line has one of them.
    """
    for given in _given(names):
        raise InputError(f"{given} needs {flag}")


def is_given(name: str) -> bool:
    """Whether the command line has a parameter."""
    return bool(_given((name,)))


def _given(names: tuple[str, ...]) -> list[str]:
    """The flags of those parameters that the command line has."""
    context = click.get_current_context()
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
