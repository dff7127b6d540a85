"""Options that several verbs have, and what is read from them."""

import dataclasses
import types
from typing import Any, get_args

import click
from click.core import ParameterSource

from fashion_gan.config import Config
from fashion_gan.errors import InputError

model = click.option(
    "--model", default="fashion", show_default=True, metavar="NAME|RUN|FILE", help="a shipped model, a run or a file"
)
truncation = click.option(
    "--truncation", type=float, default=1.0, show_default=True, help="below 1: more typical, less varied"
)
data = click.option("--data", type=click.Path(), help="folder of the four Fashion-MNIST files")
force = click.option("--force", is_flag=True, help="overwrite what is there")


def weights(command: Any) -> Any:
    """Which weights of a run."""
    best = click.option("--best", is_flag=True, help="the best checkpoint by --evaluate-every (of a run only)")
    raw = click.option("--raw", is_flag=True, help="the weights as trained, not their moving average (of a run only)")
    return raw(best(command))


def settings(command: Any) -> Any:
    """One option for each setting of ``Config``, from its type and its text."""
    for field in reversed(dataclasses.fields(Config)):
        if field.name == "class_names":  # They come with the data.
            continue
        kind = get_args(field.type)[0] if isinstance(field.type, types.UnionType) else field.type
        flag = "--" + field.name.replace("_", "-")
        text = field.metadata["text"]
        if "allowed" in field.metadata and kind is str:
            text += f": {', '.join(field.metadata['allowed'])}"
        if kind is bool:
            option = click.option(f"{flag}/--no-{flag[2:]}", default=None, help=text)
        else:
            option = click.option(flag, type=kind, default=None, help=text)
        command = option(command)
    return command


def numbers(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them."""
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"{option.name}={text!r} must be whole numbers with commas between them, such as {option.default}"
        ) from None


def refuse_given(option: str, *names: str) -> None:
    """Raise InputError where an option was given that says nothing beside another."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{option} does not go with {parameter.opts[0]}")
