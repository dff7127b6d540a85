"""The adversarial game as a Keras model with a loss: the whole objective on one screen, for every backend."""

import math
import re
from typing import Any

import keras
import numpy as np
from keras import ops

from fashion_gan.errors import InputError
from fashion_gan.executions import several_steps
from fashion_gan.losses import LOSSES, class_margin_loss, classification_loss, gradient_penalty

Tensor = Any
MEMORY_GROWTH = 10.0  # What the averaged weights remember grows with the steps, to a tenth of them.
PENALTY_SIGMA = 0.05  # of the noise in the finite-difference penalty; pixels range over [-1, 1]


def _with_gradient_turned(x):
    """x, to the bit, whose gradient has the other sign: the gradient reversal of Ganin & Lempitsky, arXiv:1409.7495."""
    return 2.0 * ops.stop_gradient(x) - x


def _resized(images, height, width):
    """Images (N, h, w, C) -> (N, H, W, C), linearly, without aliasing: a product of matrices, which XLA knows too.

    ``ops.image.resize`` gives the same, but not under XLA on TensorFlow.
    """
    rows, columns = _resampling(images.shape[1], height), _resampling(images.shape[2], width)
    return ops.einsum("xw,nywc->nyxc", columns, ops.einsum("yh,nhwc->nywc", rows, images))


def _resampling(size, wanted):
    """How much of each of ``size`` pixels in a line there is in each of ``wanted``: float32 (wanted, size)."""
    step = size / wanted
    centres = step * (np.arange(wanted) + 0.5)
    distances = np.abs(centres[:, None] - np.arange(size) - 0.5)
    shares = np.maximum(0.0, 1.0 - distances / max(1.0, step))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


class GAN(keras.Model):
    """A generator and a discriminator that train each other under plain ``fit``.

    A batch is ``{"images": uint8 (N, h, w, c), "labels": int32 (N,)}``; labels are read by conditional networks only.
    The images become float in [-1, 1], at the size that the discriminator takes, inside the compiled step.

    Args:
        generator: latents (N, latent_dim) -> images (N, H, W, C) in [-1, 1]; conditional: [latents, labels].
        discriminator: images -> logits (N, 1); conditional: [images, labels]; with ``classification`` also the logits
            of the classes, (N, classes).
        averaged_generator: the generator's twin, which follows the moving average of its weights.
        loss: a name in ``losses.LOSSES``.
        penalty: γ of the finite-difference gradient penalty on real images, R1; 0 leaves it out.
        fake_penalty: the same on generated images, R2; None for as much as on real ones.
        penalty_interval: k, where the penalty comes at every k-th step alone, with k times its weight: D is held as
            tightly, for fewer operations (Karras et al. 2020, arXiv:1912.04958, who call it lazy).
        classification: λ of what the discriminator learns of the classes, ``losses.classification_loss``, and of what
            the generator does, ``losses.class_margin_loss``; 0 leaves both out.
        ema_decay: how much of the average is kept at each step, in [0, 1); it grows to this over the first steps.
        augmentation: what is done to the images that the discriminator trains on, or None; see ``augment``.
        seed: of the latents that training draws.
    """

    def __init__(
        self,
        generator,
        discriminator,
        averaged_generator,
        *,
        loss="bce",
        penalty=0.0,
        fake_penalty=None,
        penalty_interval=1,
        classification=0.0,
        ema_decay=0.999,
        augmentation=None,
        seed=0,
    ):
        super().__init__(name="gan")
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = averaged_generator
        self.averaged_generator.trainable = False
        self.averaged_generator.set_weights(generator.get_weights())
        self.objective = LOSSES[loss]
        self.penalty, self.penalty_interval = penalty, penalty_interval
        self.fake_penalty = penalty if fake_penalty is None else fake_penalty
        self.classification = classification
        self.ema_decay = ema_decay
        self.augmentation = augmentation
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.seeds = keras.random.SeedGenerator(seed)
        self.step = self.add_weight(name="step", shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss", "d_real", "d_fake")}

    @classmethod
    def from_pretrained(cls, name="fashion"):
        """The shipped model of a name, compiled, to be trained further. Raises InputError where there is none."""
        from fashion_gan.launch import load_gan  # which builds GANs, and so imports this room

        return load_gan(name)

    def compile(self, generator_optimizer, discriminator_optimizer, **kwargs):
        """Configure training: one optimizer for each network, and what ``keras.Model.compile`` takes besides."""
        by_network = {"discriminator.*": discriminator_optimizer}
        optimizer_map = keras.optimizers.OptimizerMap(generator_optimizer, by_network)
        super().compile(optimizer=keras.optimizers.MultiOptimizer(optimizer_map, name="optimizers"), **kwargs)
        # TensorFlow's fit cannot make the optimizers' variables inside its graph.
        self.optimizer.build(self.trainable_variables)
        optimizers = (generator_optimizer, discriminator_optimizer)
        self._learning_rates = [(each, float(ops.convert_to_numpy(each.learning_rate))) for each in optimizers]

    def make_train_function(self, force=False):
        """What ``fit`` calls for each execution; on JAX it takes what ``batches`` streams for several steps too."""
        made = self.train_function is not None and not force
        super().make_train_function(force)
        if keras.backend.backend() == "jax" and not made:
            self.train_function: Any = several_steps(self.train_step, self.train_function)

    def scale_learning_rates(self, factor):
        """Set both learning rates to so much of what they were compiled with, also between the steps of ``fit``."""
        self._sync()
        for optimizer, learning_rate in self._learning_rates:
            optimizer.learning_rate = factor * learning_rate

    @property
    def one_pass(self):
        """Whether one pass of the discriminator over generated images teaches both networks."""
        return self.objective.zero_sum and not self.classification

    def call(self, batch, training=False):
        """Draw latents and return generated images (N, H, W, C) in [-1, 1], with the labels of the batch."""
        latents = keras.random.normal((ops.shape(batch["images"])[0], self.latent_dim), seed=self.seeds)
        return self.generator(self._with_labels(latents, batch), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The discriminator's loss plus the generator's, each with its gradient kept out of the other network."""
        if training:
            self._average_weights()
        real, fake = self.preprocess(x["images"]), y_pred
        if self.augmentation is not None:
            real, fake = self.augmentation(real), self.augmentation(fake)
        # Read each variable once: what is read twice, a compiler must take for two values.
        weights = [ops.copy(v) for v in self.discriminator.trainable_variables]
        state = [ops.copy(v) for v in self.discriminator.non_trainable_variables]

        def judge(images, state, weights=weights):
            """The discriminator as a pure function: logits, those of classes or None, and its next state."""
            found, state = self.discriminator.stateless_call(
                weights, state, self._with_labels(images, x), training=training
            )
            return (*found, state) if self.classification else (found, None, state)

        if self.one_pass:
            # What one wins the other loses: one pass back serves both, if it turns around on its way to the generator.
            fake_logits, _, state_after_fake = judge(_with_gradient_turned(fake), state)
            frozen_logits = ops.stop_gradient(fake_logits)
        else:
            # Judge the generator by a frozen discriminator, and the discriminator on fakes cut off from the generator.
            # Both passes start from one state, so they are one computation, which compilers find and run once.
            frozen_logits, shown_by_fake, _ = judge(fake, state, [ops.stop_gradient(w) for w in weights])
            fake_logits, _, state_after_fake = judge(ops.stop_gradient(fake), state)
        real_logits, shown_by_real, state_after_real = judge(real, state_after_fake)

        d_loss = self.objective.discriminator(real_logits, fake_logits)
        g_loss = self.objective.generator(ops.stop_gradient(real_logits), frozen_logits)

        def penalty(images, state, logits):
            """From the state of the images' own pass, so that only the images differ and not the dropout."""
            nearby = self._nearby(images)
            interval = self.penalty_interval if training else 1
            return self._every(interval, lambda: gradient_penalty(logits(), judge(nearby, state)[0], PENALTY_SIGMA))

        if self.fake_penalty:
            # It is the discriminator's alone, and must not turn around with the rest.
            fake = ops.stop_gradient(fake)
            d_loss += self.fake_penalty * penalty(
                fake, state, lambda: judge(fake, state)[0] if self.one_pass else fake_logits
            )
        if self.penalty:
            d_loss += self.penalty * penalty(real, state_after_fake, lambda: real_logits)
        if self.classification:
            d_loss += self.classification * classification_loss(x["labels"], shown_by_real)
            g_loss += self.classification * class_margin_loss(x["labels"], shown_by_fake)

        for variable, value in zip(self.discriminator.non_trainable_variables, state_after_real, strict=True):
            variable.assign(value)
        if self.augmentation is not None:
            self.augmentation.follow(real_logits)
        self._track(d_loss=d_loss, g_loss=g_loss, d_real=ops.sigmoid(real_logits), d_fake=ops.sigmoid(fake_logits))
        return d_loss + g_loss

    def realism(self, images, labels=None):
        """The probability, in [0, 1], that each image is real; calibrated where the loss is ``bce`` or ``minimax``.

        Args:
            images: uint8 (N, h, w, c) in [0, 255].
            labels: int (N,), which a conditional discriminator needs.

        Returns:
            NumPy float32 (N,).

        Raises:
            InputError: the discriminator is conditional and no labels were given.
        """
        if self.conditional and labels is None:
            raise InputError("labels=None, but this discriminator is conditional: give the class of each image")
        batch = {"labels": ops.convert_to_tensor(labels, "int32")} if self.conditional else {}
        found = self.discriminator(self._with_labels(self.preprocess(images), batch), training=False)
        logits = found[0] if self.classification else found
        return ops.convert_to_numpy(ops.sigmoid(logits))[:, 0]

    def state(self):
        """Everything that training goes on from: weights, optimizers, averages, random state, running metrics.

        Returns:
            NumPy arrays by unique names that end in the variables' paths.
        """
        self._sync()
        return {name: ops.convert_to_numpy(variable.value) for name, variable in self._state_variables().items()}

    def load_state(self, state):
        """Take over what ``state`` returned.

        Raises:
            InputError: it is another architecture's.
        """
        variables = self._state_variables()
        shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
        if shapes != {name: value.shape for name, value in state.items()}:
            raise InputError("the checkpoint is of another architecture than the run's configuration")
        for name, variable in variables.items():
            variable.assign(state[name])

    def _sync(self):
        if hasattr(self, "jax_state_sync"):  # Within an epoch JAX holds the state outside of the variables.
            self.jax_state_sync()

    def _state_variables(self):
        variables = [*self.variables, *self.optimizer.variables, *self.metrics_variables]
        # Keras numbers the seed generators that it names itself by how many the process has made before.
        paths = [re.sub(r"seed_generator_\d+", "seed_generator", variable.path) for variable in variables]
        return {f"{number:04d}|{path}": v for number, (path, v) in enumerate(zip(paths, variables, strict=True))}

    def preprocess(self, images):
        """uint8 (N, h, w, c) -> float32 (N, H, W, C) in [-1, 1], at the discriminator's size and channels."""
        height, width, channels = self.discriminator.inputs[0].shape[1:]
        images = ops.cast(images, "float32") / 127.5 - 1.0
        if tuple(images.shape[1:3]) != (height, width):
            images = _resized(images, height, width)
        return images if images.shape[-1] == channels else ops.repeat(images, channels, axis=-1)

    def _with_labels(self, inputs, batch):
        return [inputs, batch["labels"]] if self.conditional else inputs

    def _nearby(self, images):
        return images + PENALTY_SIGMA * keras.random.normal(ops.shape(images), seed=self.seeds)

    def _every(self, interval, term):
        """``interval`` times the term at every so many steps, and else 0, for which nothing is worked out."""
        if interval == 1:
            return term()
        return interval * ops.cond(self.step % interval == 0, term, lambda: ops.zeros(()))

    def _average_weights(self):
        self.step.assign_add(1)
        step = ops.cast(self.step, "float32")
        # A short memory at first, or the average would hold on to the random initial weights.
        decay = ops.minimum(self.ema_decay, step / (step + MEMORY_GROWTH))
        for average, weight in zip(self.averaged_generator.weights, self.generator.weights, strict=True):
            average.assign(weight + decay * (average - weight))

    def trust_average(self):
        """Average with the whole memory from the next step on: what is averaged so far is trained weights."""
        self.step.assign(math.ceil(MEMORY_GROWTH * self.ema_decay / (1.0 - self.ema_decay)))

    def _track(self, **values):
        for name, value in values.items():
            self.trackers[name].update_state(value)
