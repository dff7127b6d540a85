"""The GAN as one Keras model. Its loss is the whole objective, with the same code on every backend."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
from keras import ops

from fashion_gan.arrays import Array, Floats, Images, KerasModel, Labels, Tensor
from fashion_gan.errors import InputError
from fashion_gan.networks.residual import MinibatchStdDev
from fashion_gan.system.library_settings import default_settings
from fashion_gan.training.augment import MEASURE_EVERY_STEPS, Augmentation
from fashion_gan.training.losses import LOSSES, Loss, class_margin_loss, classification_loss, gradient_penalty
from fashion_gan.training.multi_step import TrainFunction, scan_steps
from fashion_gan.training.resize import resize_images

if TYPE_CHECKING:  # It imports JAX.
    from fashion_gan.training.device_layout import DeviceLayout

EMA_WARMUP = 10.0  # EMA warm-up: decay = min(ema_decay, t / (t + EMA_WARMUP)) at step t
PENALTY_SIGMA = 0.05  # standard deviation of the noise in the finite-difference penalty, for pixels in [-1, 1]

Batch = dict[str, Any]
"""``{"images": uint8 (N, h, w, c), "labels": int32 (N,)}``. Only conditional networks read the labels.

"held_out" can hold a second batch, which trains nothing: pictures by which the augmentation measures overfitting.
"""


@dataclasses.dataclass(frozen=True)
class Objective:
    """What the two networks minimize.

    Attributes:
        loss: the adversarial loss, a name in ``losses.LOSSES``.
        r1_weight: weight γ of the gradient penalty on real images, R1. 0 turns it off.
        r2_weight: weight of the gradient penalty on generated images, R2. None: the R1 weight.
        penalty_every_steps: k. The penalties are computed only at every k-th step, with k times the weight. This
            regularizes the discriminator as strongly, with less work (lazy regularization: Karras et al. 2020,
            arXiv:1912.04958).
        classifier_weight: weight λ of ``losses.classification_loss`` for the discriminator, and of
            ``losses.class_margin_loss`` for the generator. 0 turns both off.
    """

    loss: str = "bce"
    r1_weight: float = 0.0
    r2_weight: float | None = None
    penalty_every_steps: int = 1
    classifier_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.r2_weight is None:
            object.__setattr__(self, "r2_weight", self.r1_weight)

    @property
    def adversarial(self) -> Loss:
        """The adversarial loss of both networks."""
        return LOSSES[self.loss]

    @property
    def shares_one_pass(self) -> bool:
        """Whether one pass of the discriminator over the generated images trains both networks."""
        return self.adversarial.zero_sum and not self.classifier_weight


class Pass(NamedTuple):
    """The result of one pass of the discriminator: logits (N, 1), class logits or None, and the next state."""

    logits: Tensor
    class_logits: Tensor | None
    state: list[Tensor]


Discriminate = Callable[..., Pass]
"""The discriminator as a pure function: images and its state -> a pass. ``frozen=True`` stops its weights' gradient.

``batch`` holds the labels of the images, if they are not those of the training batch.
"""


def reverse_gradient(x: Tensor) -> Tensor:
    """Identity in the forward pass; negates the gradient in the backward pass (Ganin & Lempitsky, arXiv:1409.7495)."""
    return 2.0 * ops.stop_gradient(x) - x


class GAN(keras.Model):
    """A generator and a discriminator that Keras's own ``fit`` trains together.

    A batch is ``{"images": uint8 (N, h, w, c), "labels": int32 (N,)}``; only conditional networks read the labels.
    The compiled step turns the images into floats in [-1, 1], at the size that the discriminator takes.

    Args:
        generator: latents (N, latent_dim) -> images (N, H, W, C) in [-1, 1]; conditional: [latents, labels] -> images.
        discriminator: images -> logits (N, 1); conditional: [images, labels] -> logits. With a classifier weight it has
            a second output, the logits of the classes (N, classes).
        averaged_generator: a second generator, which holds the moving average of the first one's weights.
        objective: the losses and their weights.
        ema_decay: decay of the moving average per step, in [0, 1). It rises to this value over the first steps.
        augmentation: changes the images that the discriminator sees, or None; see ``augment``.
        seed: seed of the latents in training.
        layout: the devices that share the training on JAX. None: Keras's own device.

    Example:
        >>> gan = fashion_gan.load_gan("fashion")
        >>> gan.latent_dim, gan.conditional
        (100, True)
    """

    def __init__(
        self,
        generator: KerasModel,
        discriminator: KerasModel,
        averaged_generator: KerasModel,
        *,
        objective: Objective = Objective(),
        ema_decay: float = 0.999,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        layout: "DeviceLayout | None" = None,
    ) -> None:
        super().__init__(name="gan")
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = averaged_generator
        self.averaged_generator.trainable = False
        self.averaged_generator.set_weights(generator.get_weights())
        self.objective = objective
        self.ema_decay = ema_decay
        self.augmentation = augmentation
        self.layout = layout
        if layout is not None:
            self._split_layers(layout)
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.step = self.add_weight(name="step", shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss", "d_real", "d_fake")}

    def _split_layers(self, layout: "DeviceLayout") -> None:
        """Let the layers that mix images exchange no more of them than they need."""
        if self.augmentation is not None:
            self.augmentation.is_split = True
        for layer in self.discriminator.layers:
            if isinstance(layer, MinibatchStdDev):
                layer.place_groups = layout.split_groups

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        **options: object,
    ) -> None:
        """Configure training: an optimizer for each network, and the options of ``keras.Model.compile``."""
        by_network = {"discriminator.*": discriminator_optimizer}
        optimizer_map = keras.optimizers.OptimizerMap(generator_optimizer, by_network)
        super().compile(optimizer=keras.optimizers.MultiOptimizer(optimizer_map, name="optimizers"), **options)
        # TensorFlow's fit cannot create the optimizers' variables inside its graph.
        self.optimizer.build(self.trainable_variables)
        optimizers = (generator_optimizer, discriminator_optimizer)
        self._learning_rates = [
            (optimizer, float(ops.convert_to_numpy(optimizer.learning_rate))) for optimizer in optimizers
        ]

    def make_train_function(self, force: bool = False) -> None:
        """Make the function that ``fit`` calls. On JAX one call can run several steps; see ``multi_step``."""
        is_made = self.train_function is not None and not force
        super().make_train_function(force)
        if self.layout is not None and not is_made:
            self.train_function: TrainFunction = self.layout.train_function(self.train_step)
        elif keras.backend.backend() == "jax" and not is_made:
            self.train_function = scan_steps(self.train_step, self.train_function)

    def scale_learning_rates(self, factor: float) -> None:
        """Set both learning rates to a factor times their compiled values. Works between the steps of ``fit`` too."""
        self.sync_variables()
        for optimizer, learning_rate in self._learning_rates:
            optimizer.learning_rate = factor * learning_rate

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        """Draw latents and return generated images (N, H, W, C) in [-1, 1], of the classes in the batch's labels."""
        latents = keras.random.normal((ops.shape(batch["images"])[0], self.latent_dim), seed=self.seed_generator)
        if self.layout is not None:
            latents = self.layout.split(latents)
        return self.generator(self._with_labels(latents, batch), training=training)

    # ---- The objective ----

    def compute_loss(
        self, x: Tensor = None, y: None = None, y_pred: Tensor = None, sample_weight: None = None, training: bool = True
    ) -> Tensor:
        """The sum of both networks' losses. Each loss sends its gradient to its own network only.

        In training it also updates the moving average, the discriminator's state and the augmentation. It always
        updates the metrics.
        """
        if training:
            self._average_weights()
        objective = self.objective
        real, fake = self._prepare(x, y_pred)
        discriminate, state = self._discriminator_function(x, training)

        fake_for_g, fake_for_d = self._discriminate_fake(discriminate, fake, state)
        real_for_d = discriminate(real, fake_for_d.state)
        d_loss = objective.adversarial.discriminator(real_for_d.logits, fake_for_d.logits)
        g_loss = objective.adversarial.generator(ops.stop_gradient(real_for_d.logits), fake_for_g.logits)

        if objective.r2_weight:
            d_loss += objective.r2_weight * self._r2_penalty(discriminate, fake, state, fake_for_d, training)
        if objective.r1_weight:
            d_loss += objective.r1_weight * self._penalty(
                discriminate, real, fake_for_d.state, lambda: real_for_d.logits, training
            )
        if objective.classifier_weight:
            d_loss += objective.classifier_weight * classification_loss(x["labels"], real_for_d.class_logits)
            g_loss += objective.classifier_weight * class_margin_loss(x["labels"], fake_for_g.class_logits)

        self._update_discriminator_state(real_for_d)
        self._adapt_augmentation(x, discriminate, real_for_d, fake_for_d)
        self._track(
            d_loss=d_loss,
            g_loss=g_loss,
            d_real=ops.sigmoid(real_for_d.logits),
            d_fake=ops.sigmoid(fake_for_d.logits),
        )
        return d_loss + g_loss

    def _prepare(self, batch: Batch, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The real and the generated images as the discriminator sees them: in [-1, 1], and augmented."""
        real = self.preprocess(batch["images"])
        if self.augmentation is None:
            return real, fake
        return self.augmentation(real), self.augmentation(fake)

    def _discriminator_function(self, batch: Batch, training: bool) -> tuple[Discriminate, list[Tensor]]:
        """The discriminator as a pure function of images and state, and the state that the step starts from."""
        # Read each variable only once: a compiler must assume that two reads can return different values.
        weights = [ops.copy(variable) for variable in self.discriminator.trainable_variables]
        state = [ops.copy(variable) for variable in self.discriminator.non_trainable_variables]

        def discriminate(images: Tensor, state: list[Tensor], *, frozen: bool = False, batch: Batch = batch) -> Pass:
            used = [ops.stop_gradient(weight) for weight in weights] if frozen else weights
            outputs, next_state = self.discriminator.stateless_call(
                used, state, self._with_labels(images, batch), training=training
            )
            logits, class_logits = outputs if self.objective.classifier_weight else (outputs, None)
            return Pass(logits, class_logits, next_state)

        return discriminate, state

    def _discriminate_fake(self, discriminate: Discriminate, fake: Tensor, state: list[Tensor]) -> tuple[Pass, Pass]:
        """The passes over the generated images for the generator's loss and for the discriminator's."""
        if self.objective.shares_one_pass:
            # The loss is zero-sum. One pass serves both, if its gradient is reversed on the way to the generator.
            fake_for_d = discriminate(reverse_gradient(fake), state)
            return fake_for_d._replace(logits=ops.stop_gradient(fake_for_d.logits)), fake_for_d
        # The generator's pass has a frozen discriminator; the discriminator's pass has images cut off from the
        # generator. Both start from one state, so they compute the same values, and compilers run them once.
        return discriminate(fake, state, frozen=True), discriminate(ops.stop_gradient(fake), state)

    def _r2_penalty(
        self, discriminate: Discriminate, fake: Tensor, state: list[Tensor], fake_for_d: Pass, training: bool
    ) -> Tensor:
        """The gradient penalty on generated images. It trains only the discriminator."""
        fake = ops.stop_gradient(fake)

        def logits() -> Tensor:  # The shared pass has a reversed gradient, which the penalty must not use.
            return discriminate(fake, state).logits if self.objective.shares_one_pass else fake_for_d.logits

        return self._penalty(discriminate, fake, state, logits, training)

    def _penalty(
        self,
        discriminate: Discriminate,
        images: Tensor,
        state: list[Tensor],
        logits: Callable[[], Tensor],
        training: bool,
    ) -> Tensor:
        """The finite-difference gradient penalty on images.

        ``state`` is the discriminator's state before it computed the logits. The nearby images start from the same
        state, so that only the images differ and not the dropout.
        """
        nearby = images + PENALTY_SIGMA * keras.random.normal(ops.shape(images), seed=self.seed_generator)
        every = self.objective.penalty_every_steps if training else 1
        return self._every_k_steps(
            every, lambda: gradient_penalty(logits(), discriminate(nearby, state).logits, PENALTY_SIGMA)
        )

    def _every_k_steps(self, k: int, term: Callable[[], Tensor]) -> Tensor:
        """k times the term at every k-th step; 0 at the other steps, where the term is not computed."""
        if k == 1:
            return term()
        return k * ops.cond(self.step % k == 0, term, lambda: ops.zeros(()))

    def _update_discriminator_state(self, last_pass: Pass) -> None:
        """Store the state after the step's last pass."""
        for variable, value in zip(self.discriminator.non_trainable_variables, last_pass.state, strict=True):
            variable.assign(value)

    def _adapt_augmentation(self, batch: Batch, discriminate: Discriminate, real: Pass, fake: Pass) -> None:
        """Adapt the augmentation's probability to how far the discriminator overfits.

        Held-out pictures are only rated: no gradient and no state of this pass is kept.
        """
        if self.augmentation is None:
            return
        if not self.augmentation.uses_held_out or "held_out" not in batch:
            self.augmentation.update_probability(real.logits)
            return
        held_out = batch["held_out"]
        # Augmented at every step, because a branch must not change the state of the random numbers.
        images = self.augmentation(self.preprocess(held_out["images"]))

        def rate() -> Tensor:
            return discriminate(images, real.state, frozen=True, batch=held_out).logits

        is_due = self.step % MEASURE_EVERY_STEPS == 0
        self.augmentation.update_means(is_due, real.logits, fake.logits, rate)

    def _average_weights(self) -> None:
        """Update the moving average of the generator's weights."""
        self.step.assign_add(1)
        step = ops.cast(self.step, "float32")
        # A warm-up, so that the average forgets the random initial weights.
        decay = ops.minimum(self.ema_decay, step / (step + EMA_WARMUP))
        for average, weight in zip(self.averaged_generator.weights, self.generator.weights, strict=True):
            average.assign(weight + decay * (average - weight))

    def skip_ema_warmup(self) -> None:
        """Average with the full decay from the next step on. For an average that holds trained weights already."""
        self.step.assign(math.ceil(EMA_WARMUP * self.ema_decay / (1.0 - self.ema_decay)))

    def _track(self, **values: Tensor) -> None:
        for name, value in values.items():
            self.trackers[name].update_state(value)

    # ---- Images in ----

    @default_settings()
    def probability_real(self, images: Images, labels: Labels | None = None) -> Floats:
        """The discriminator's estimate of the probability that each image is real.

        Only the losses bce and minimax train the discriminator to output such a probability.

        Args:
            images: uint8 (N, h, w, c) in [0, 255].
            labels: int (N,), required if the discriminator is conditional.

        Returns:
            float32 (N,), in [0, 1].

        Raises:
            InputError: the discriminator is conditional, and there are no labels.
        """
        if self.conditional and labels is None:
            raise InputError("labels=None, but this discriminator is conditional: give the class of each image")
        batch = {"labels": ops.convert_to_tensor(labels, "int32")} if self.conditional else {}
        outputs = self.discriminator(self._with_labels(self.preprocess(images), batch), training=False)
        logits = outputs[0] if self.objective.classifier_weight else outputs
        return ops.convert_to_numpy(ops.sigmoid(logits))[:, 0]

    def preprocess(self, images: Tensor) -> Tensor:
        """uint8 (N, h, w, c) -> float32 (N, H, W, C) in [-1, 1], with the discriminator's size and channels."""
        height, width, channels = self.discriminator.inputs[0].shape[1:]
        images = ops.cast(images, "float32") / 127.5 - 1.0
        if tuple(images.shape[1:3]) != (height, width):
            images = resize_images(images, height, width)
        if images.shape[-1] == 4:  # Files hold any color where nobody sees it.
            images = ops.where(images[..., 3:] > -1.0, images, -1.0)
        return images if images.shape[-1] == channels else ops.repeat(images, channels, axis=-1)

    def _with_labels(self, inputs: Tensor, batch: Batch) -> Tensor:
        return [inputs, batch["labels"]] if self.conditional else inputs

    # ---- State out and in ----

    def state(self) -> dict[str, Array]:
        """Everything that training continues from: weights, optimizers, averages, random state, running metrics.

        Returns:
            Arrays by unique names that end in the variables' paths.
        """
        self.sync_variables()
        return {name: ops.convert_to_numpy(variable.value) for name, variable in self._state_variables().items()}

    def choose_arrays(self, shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
        """The names of a checkpoint's arrays, from their shapes. Raises InputError if it is of another architecture."""
        if shapes != {name: tuple(variable.shape) for name, variable in self._state_variables().items()}:
            raise InputError("the checkpoint does not match the architecture in the run's configuration")
        return list(shapes)

    def load_state(self, state: dict[str, Array]) -> None:
        """Restore what ``state`` returned. Raises InputError if it is of another architecture."""
        self.choose_arrays({name: value.shape for name, value in state.items()})
        for name, variable in self._state_variables().items():
            variable.assign(state[name])

    def sync_variables(self) -> None:
        """Bring the variables up to date. Within an epoch, Keras keeps the state outside of them on JAX."""
        if hasattr(self, "jax_state_sync"):
            self.jax_state_sync()
        if self.layout is not None:
            self.layout.bring_home(self._state_variables().values())

    def _state_variables(self) -> dict[str, keras.Variable]:
        variables = [*self.variables, *self.optimizer.variables, *self.metrics_variables]
        # The number in a seed generator's name depends on how many the process created before. Leave it out.
        paths = [re.sub(r"seed_generator_\d+", "seed_generator", variable.path) for variable in variables]
        named = zip(paths, variables, strict=True)
        return {f"{number:04d}|{path}": variable for number, (path, variable) in enumerate(named)}
