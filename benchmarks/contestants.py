"""The two ways to train that the benchmarks hold against each other: ours, and the TensorFlow tutorial's loop."""

import concurrent.futures
import multiprocessing
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # A GPU is shared by several processes.

import keras

from fashion_gan import networks
from fashion_gan.backends import default_backend
from fashion_gan.batches import batches, steps_per_execution
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.model_files import as_generator
from fashion_gan.training import build_gan

# As the tutorial has it, down to Adam's own first moment decay.
TUTORIAL = {"preset": "transposed", "batch_size": 256, "learning_rate": 1e-4, "beta_1": 0.9}


def need_tensorflow():
    """Raises InputError where Keras was asked to run on another backend."""
    if default_backend() != "tensorflow":
        raise InputError(f"the plain loop is TensorFlow's, and Keras runs on {default_backend()}: unset KERAS_BACKEND")


def tutorial_config(**settings):
    """The tutorial's networks and settings. Raises InputError where Keras runs on another backend than its own."""
    need_tensorflow()
    return Config.from_preset(**{**TUTORIAL, "backend": "tensorflow", **settings})


class Apart:
    """A contestant in a process of its own, for how many threads TensorFlow takes is settled once in a process.

    Args:
        kind: ``Ours`` or ``PlainLoop``.
        config, rest: what that is made from.
    """

    def __init__(self, kind, config, *rest):
        self.config = config
        context = multiprocessing.get_context("spawn")
        self._process = concurrent.futures.ProcessPoolExecutor(1, context, _begin, (kind, config, *rest))

    def train(self, steps):
        self._process.submit(_train, steps).result()

    def generate(self, count, seed):
        return self._process.submit(_generate, count, seed).result()


def _begin(kind, *arguments):
    global _contestant
    _contestant = kind(*arguments)


def _train(steps):
    _contestant.train(steps)


def _generate(count, seed):
    return _contestant.generator.generate(count, seed=seed)


class Ours:
    """``fit`` on a configuration; ``train`` goes on where the last call ended."""

    def __init__(self, config, dataset, chunk_steps):
        self.config, self.dataset, self.step = config, dataset, 0
        self.gan = build_gan(config)
        self.gan.steps_per_execution = steps_per_execution(chunk_steps)
        self.generator = as_generator(self.gan.averaged_generator, config)

    def train(self, steps):
        images, labels = self.dataset.images, self.dataset.labels
        settings = {"batch_size": self.config.batch_size, "seed": self.config.seed, "first_step": self.step}
        stream = batches(images, labels, **settings, at_once=self.gan.steps_per_execution)
        self.gan.fit(stream, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
        keras.ops.convert_to_numpy(self.gan.step.value)  # An accelerator may be at work still.
        self.step += steps


class PlainLoop:
    """One ``tf.function``, two gradient tapes, a shuffled float32 dataset; unconditional, as the tutorial is."""

    def __init__(self, config, dataset):
        import tensorflow as tf

        self.config = config
        keras.utils.set_random_seed(config.seed)
        self.networks = networks.build_generator(config), networks.build_discriminator(config)
        self.generator = as_generator(self.networks[0], config)
        self._step = self._make_step()
        images = (dataset.images.astype("float32") - 127.5) / 127.5
        stream = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=config.seed)
        self._stream = iter(stream.batch(config.batch_size, drop_remainder=True).repeat())

    def train(self, steps):
        for _ in range(steps):
            self._step(next(self._stream))

    def _make_step(self):
        import tensorflow as tf

        config, (generator, discriminator) = self.config, self.networks
        adam_g, adam_d = (keras.optimizers.Adam(config.learning_rate, beta_1=config.beta_1) for _ in range(2))
        cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

        @tf.function
        def step(real):
            latents = tf.random.normal([config.batch_size, config.latent_dim])
            with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
                fake = generator(latents, training=True)
                real_logits = discriminator(real, training=True)
                fake_logits = discriminator(fake, training=True)
                g_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
                d_loss = cross_entropy(tf.ones_like(real_logits), real_logits)
                d_loss += cross_entropy(tf.zeros_like(fake_logits), fake_logits)
            sides = ((adam_g, g_tape, g_loss, generator), (adam_d, d_tape, d_loss, discriminator))
            for adam, tape, loss, network in sides:
                weights = network.trainable_variables
                adam.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

        return step
