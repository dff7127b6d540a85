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


@contextlib.contextmanager
def quick_augmentation() -> Iterator[None]:
    """Let the probability of the augmentation rise to 1 over 400 images, so that few steps show what it does."""
    from fashion_gan.training import augment, gan

    with (
        mock.patch.object(gan, "MEASURE_EVERY_STEPS", 2),
        mock.patch.object(augment, "IMAGES_TO_FULL_PROBABILITY", 400),
        mock.patch.object(augment, "TARGET_HELD_OUT", -10.0),
    ):
        yield


def train_with_quick_augmentation(step: int) -> int:
    """Run the command of ``sys.argv`` with ``quick_augmentation``. Pause at this step, unless it is 0."""
    from fashion_gan.cli import main

    with quick_augmentation():
        return pause_at_step(step) if step else main()


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
    run = train_with_quick_augmentation if sys.argv[1] == "quick" else pause_at_step
    if run is train_with_quick_augmentation:
        del sys.argv[1]
    sys.exit(run(int(sys.argv.pop(1))))
