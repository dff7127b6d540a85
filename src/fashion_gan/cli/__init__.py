"""The command ``fashion-gan``. Each verb (subcommand) parses its options, calls the library and prints the result."""

import contextlib
import signal

import click

from fashion_gan.cli import augment_test, course, edit, evaluate, generate, models, train
from fashion_gan.cli.exit_codes import BAD_INPUT, FAILED, INTERRUPTED
from fashion_gan.cli.help import WIDEST_PAGE, VerbGroup
from fashion_gan.errors import InputError, TrainingDiverged, describe_os_error, one_line, readable
from fashion_gan.system import console
from fashion_gan.system.backends import keep_freed_memory, read_without_locks, silence_tensorflow
from fashion_gan.system.library_settings import default_settings
from fashion_gan.version import __version__

# Schedulers send SIGTERM. A terminal that is closed sends SIGHUP, which Windows does not have.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
VERBS = {
    "Draw": (generate.generate, generate.dataset, models.explore),
    "Edit": (edit.project, edit.directions, edit.train_encoder),
    "Train": (train.train, train.data),
    "Measure": (evaluate.evaluate, evaluate.compare, augment_test.augment_test_verb),
    "Ship": (models.export, models.import_, models.push),
    "Learn": (course.course,),
}
NOTES = {
    "Examples": (
        "fashion-gan generate --label Dress",
        "fashion-gan train --preset fashion --minutes 5",
    ),
    "Shell completion, in ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish": (
        'bash  eval "$(_FASHION_GAN_COMPLETE=bash_source fashion-gan)"',
        'zsh   eval "$(_FASHION_GAN_COMPLETE=zsh_source fashion-gan)"',
        "fish  _FASHION_GAN_COMPLETE=fish_source fashion-gan | source",
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run ``fashion-gan`` and return its exit code, see ``run``."""
    return run(app, "fashion-gan", arguments)


def run(command: click.Command, name: str, arguments: list[str] | None = None) -> int:
    """Run a command. An error that the user can fix is one line on standard error.

    Args:
        command: the command.
        name: its name, which each error line starts with.
        arguments: the words after the name. None: those that the process was started with. In that case the
            process belongs to the command, which may change the process's settings.

    Returns:
        The exit code: 0, or one of ``exit_codes``.
    """
    owns_process = arguments is None
    if owns_process:
        _set_up_process()
    code = _run(command, name, arguments, owns_process)
    if owns_process and (error := console.finish_streams()) is not None:
        return _fail(name, f"standard output: {error.strerror}", code or FAILED)
    return code


def _run(command: click.Command, name: str, arguments: list[str] | None, owns_process: bool) -> int:
    try:
        # If standalone_mode is off, click returns the code of its Exit exception.
        with (
            contextlib.redirect_stdout(console.output()),
            contextlib.redirect_stderr(console.error_output()),
            default_settings(),
        ):
            code = command.main(args=arguments, prog_name=name, standalone_mode=False, obj=owns_process)
        return int(code or 0)
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _fail(name, error.format_message() + hint, BAD_INPUT)
    except click.ClickException as error:
        return _fail(name, error.format_message(), BAD_INPUT)
    except InputError as error:
        return _fail(name, str(error), BAD_INPUT)
    except TrainingDiverged as error:
        return _fail(name, str(error), FAILED)
    except MemoryError as error:
        return _fail(name, f"there is not enough memory: {one_line(error)}", FAILED)
    except OSError as error:
        if error.errno is None:
            raise
        return _fail(name, describe_os_error(error), BAD_INPUT)
    except click.Abort as abort:  # Click raises it for a KeyboardInterrupt, whose message says how to continue.
        return _fail(name, str(abort.__cause__ or "") or "stopped", INTERRUPTED)


def _set_up_process() -> None:
    """Change settings of the whole process. A library must not do this to its host."""
    console.set_up_streams()
    for number in STOP_SIGNALS:  # They stop a run as Ctrl-C does.
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup and a shell's background jobs ignore some of them.
            signal.signal(number, signal.default_int_handler)
    silence_tensorflow()
    read_without_locks()
    keep_freed_memory()


def _fail(name: str, message: str, code: int) -> int:
    print(f"{name}: {readable(' '.join(message.split()))}", file=console.error_output())
    return code


@click.group(
    cls=VerbGroup,
    verbs=VERBS,
    notes=NOTES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST_PAGE},
)
@click.version_option(__version__, message="fashion-gan %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Train, measure, explore and ship GANs on Fashion-MNIST or on your own pictures.

    Each command has its own help, for example: fashion-gan train --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
