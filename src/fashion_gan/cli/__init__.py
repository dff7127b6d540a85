"""The command ``fashion-gan``: verbs that parse, call and print."""

import signal
import sys

import click

from fashion_gan.cli import drawing, measuring, shipping, statuses, training
from fashion_gan.errors import InputError, TrainingDiverged
from fashion_gan.version import __version__

VERBS = (
    training.train,
    training.data,
    drawing.generate,
    drawing.dataset,
    measuring.evaluate,
    measuring.compare,
    measuring.augment_test,
    shipping.export,
    shipping.import_,
    shipping.explore,
)


def main(arguments: list[str] | None = None) -> int:
    """Run ``fashion-gan``; returns its exit status, see ``run``."""
    return run(app, "fashion-gan", arguments)


def run(command: click.Command, name: str, arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit status. What the user can mend is one line on standard error, status 2."""
    if arguments is None:  # The process is this command's own. Schedulers end it with SIGTERM: the same as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # Outside its standalone mode, click returns what a command's Exit says.
        return int(command.main(args=arguments, prog_name=name, standalone_mode=False) or 0)
    except click.ClickException as error:
        return _fail(name, error.format_message(), statuses.BAD_INPUT)
    except InputError as error:
        return _fail(name, str(error), statuses.BAD_INPUT)
    except TrainingDiverged as error:
        return _fail(name, str(error), statuses.FAILED)
    except OSError as error:
        if error.errno is None:
            raise
        return _fail(name, f"{error.filename or 'writing'}: {error.strerror}", statuses.BAD_INPUT)
    except click.Abort as abort:  # What click makes of a KeyboardInterrupt, which says how to go on.
        return _fail(name, str(abort.__cause__ or "") or "stopped", statuses.INTERRUPTED)


def _fail(name: str, message: str, status: int) -> int:
    print(f"{name}: {' '.join(message.split())}", file=sys.stderr)
    return status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="fashion-gan %(version)s")
def app() -> None:
    """Train, measure, explore and ship GANs on Fashion-MNIST or on your own pictures."""


for verb in VERBS:
    app.add_command(verb)
