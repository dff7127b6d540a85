"""Two ways to train a GAN, for the benchmarks to compare: fashion-gan's ``fit``, and the TensorFlow tutorial's loop."""

import concurrent.futures
import multiprocessing
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # Several processes share a GPU.

from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.system.backends import default_backend, keep_freed_memory, share_two_processors

# The functions below import Keras late: a contestant's process imports this module before it sets its threads.

# The tutorial's settings, including its beta_1, which is Adam's default.
TUTORIAL = {"preset": "transposed", "batch_size": 256, "learning_rate": 1e-4, "beta_1": 0.9}


def require_tensorflow():
    """Raise InputError if Keras runs on another backend."""
    if default_backend() != "tensorflow":
        raise InputError(f"the plain loop is TensorFlow's, but Keras runs on {default_backend()}: unset KERAS_BACKEND")


def tutorial_config(**settings):
    """The tutorial's networks and settings. Raises InputError if Keras does not run on TensorFlow."""
    require_tensorflow()
    return Config.from_preset(**{**TUTORIAL, "backend": "tensorflow", **settings})


class SeparateProcess:
    """A contestant in its own process. TensorFlow sets its number of threads once per process.

    Args:
        contestant: the class, ``FashionGan`` or ``PlainLoop``.
        config: the contestant's settings.
        arguments: the contestant's other arguments.
    """

    def __init__(self, contestant, config, *arguments):
        self.config = config
        context = multiprocessing.get_context("spawn")
        arguments = (contestant, config, *arguments)
        self._process = concurrent.futures.ProcessPoolExecutor(1, context, _start, arguments)

    def train(self, steps):
        self._process.submit(_train, steps).result()

    def generate(self, count, seed):
        return self._process.submit(_generate, count, seed).result()


def _start(contestant, config, *arguments):
    global _contestant
    contestant.prepare_process(config)
    _contestant = contestant(config, *arguments)


def _train(steps):
    _contestant.train(steps)


def _generate(count, seed):
    return _contestant.generator.generate(count, seed=seed)


class FashionGan:
    """``fit`` on a configuration.

    Each ``train`` takes ``chunk_steps`` steps, or a multiple, and continues after the steps of the last one.
    """

    def __init__(self, config, dataset, chunk_steps):
        from fashion_gan.saving.model_files import as_generator
        from fashion_gan.training.batches import choose_steps_per_execution
        from fashion_gan.training.build import build_gan

        self.config, self.dataset, self.step = config, dataset, 0
        self.gan = build_gan(config)
        self.gan.steps_per_execution = choose_steps_per_execution(chunk_steps)
        self.generator = as_generator(self.gan.averaged_generator, config)

    @staticmethod
    def prepare_process(config):
        """Keep freed memory and set the threads, as ``fashion-gan train`` does. Call before TensorFlow is imported."""
        keep_freed_memory()
        if config.backend == "tensorflow" and config.architecture == "residual":
            share_two_processors()

    def train(self, steps):
        from keras import ops

        from fashion_gan.training.batches import stream_batches

        images, labels = self.dataset.images, self.dataset.labels
        settings = {"batch_size": self.config.batch_size, "seed": self.config.seed, "first_step": self.step}
        stream = stream_batches(images, labels, **settings, steps_per_execution=self.gan.steps_per_execution)
        self.gan.fit(stream, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
        ops.convert_to_numpy(self.gan.step.value)  # Wait: an accelerator may still be computing.
        self.step += steps


class PlainLoop:
    """One ``tf.function``, two gradient tapes and a shuffled float32 dataset; unconditional, as in the tutorial."""

    def __init__(self, config, dataset):
        import keras
        import tensorflow as tf

        from fashion_gan.networks import build_discriminator, build_generator
        from fashion_gan.saving.model_files import as_generator

        self.config = config
        keras.utils.set_random_seed(config.seed)
        self.networks = build_generator(config), build_discriminator(config)
        self.generator = as_generator(self.networks[0], config)
        self._step = self._make_step()
        images = (dataset.images.astype("float32") - 127.5) / 127.5
        stream = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=config.seed)
        self._stream = iter(stream.batch(config.batch_size, drop_remainder=True).repeat())

    @staticmethod
    def prepare_process(config):
        """Change nothing: the tutorial runs with TensorFlow's default threads."""

    def train(self, steps):
        for _ in range(steps):
            self._step(next(self._stream))

    def _make_step(self):
        import keras
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
