"""Hooks into a training that only the tests use."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from unittest import mock


@contextlib.contextmanager
def after_each_execution(action: Callable) -> Iterator[None]:
    """Call ``action(gan)`` in every training of the block, after each execution of one step or of several."""
    import keras

    from fashion_gan.training.gan import GAN

    class Hook(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            action(self.model)

    fit = GAN.fit

    def fit_with_hook(self, *arguments, callbacks, **options):
        return fit(self, *arguments, callbacks=[*callbacks, Hook()], **options)

    with mock.patch.object(GAN, "fit", fit_with_hook):
        yield


def pause_at_step(step: int) -> int:
    """Run the command of ``sys.argv``, print "paused" when its training reaches a step, and wait there for a signal."""
    from fashion_gan.cli import main

    def pause(gan):
        gan.sync_variables()
        if int(gan.step.value) >= step:
            print("paused", file=sys.__stdout__, flush=True)  # Of several processes, only the first has a sys.stdout.
            time.sleep(300)

    with after_each_execution(pause):
        return main()


if __name__ == "__main__":
    sys.exit(pause_at_step(int(sys.argv.pop(1))))
