# %% [markdown]
# # Chapter 6. Training
#
# At the end you can write the training loop of a GAN, read its curves, and recognize and cure six ways to fail.
#
# **Time:** 5 minutes on two CPU cores, plus the time to think. **Installed:** the extra `course`, see chapter 2.

# %% tags=["parameters"]
IMAGES = 60_000  # training pictures
EPOCHS = 4  # of the loop by hand
RECIPE_ROUNDS = 200  # of the recipe of old notebooks
KERAS_EPOCHS = 2  # of the same as a Keras model
LIBRARY_STEPS = 600  # of the library
SCORED = 1_000  # generated pictures in each score
SEEDS = (0, 1)  # of the failures that depend on chance
COLLAPSE_ROUNDS = 60  # rounds with ten steps of G each
SATURATION_STEPS = 150
SURE_STEPS = 300  # of D before G begins
SURE_PLAY = 200  # of both after that
SURE_RATE = 0.01  # of G with plain gradient steps
FEW = 20  # pictures in section 6.13
FEW_STEPS = 800
ORBIT_STEPS = 1_500
PLANE_STEPS = 800
NAN_STEPS = 60
NAN_RATE = 0.05

# %% [markdown]
# ## 6.1 Two networks and two losses
#
# The networks are those of chapters 4 and 5, half as wide, so that they train in minutes. D answers with a **logit**.
# The sigmoid σ turns it into the probability that a picture is real. The usual short names are D(x) for σ(logit) of a
# real picture, and D(G(z)) for σ(logit) of a generated one.
#
# > **Predict.** Both networks are untrained. Is D(x) near 0, near 0.5 or near 1?

# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers

import fashion_gan
from fashion_gan.course import check, pictures, scores

LATENT = 100


def build_generator(norm=True, start="glorot_uniform"):
    return keras.Sequential(
        [
            keras.Input((LATENT,)),
            layers.Dense(7 * 7 * 32, use_bias=not norm, kernel_initializer=start),
            layers.BatchNormalization(momentum=0.9) if norm else layers.Identity(),
            layers.LeakyReLU(0.2),
            layers.Reshape((7, 7, 32)),
            layers.Conv2DTranspose(16, 4, 2, "same", use_bias=not norm, kernel_initializer=start),
            layers.BatchNormalization(momentum=0.9) if norm else layers.Identity(),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh", kernel_initializer=start),
        ]
    )


# %%
def build_discriminator():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Conv2D(32, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def discriminator_loss(real_logits, fake_logits):
    """−log σ(real) − log(1 − σ(fake)), written with softplus(x) = log(1 + eˣ)."""
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def generator_loss(fake_logits):
    """−log σ(fake): it is small if D calls the generated pictures real."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


# %%
images = fashion_gan.load_fashion_mnist("train").images[:IMAGES].astype(np.float32) / 127.5 - 1
test_images = fashion_gan.load_fashion_mnist("test").images.astype(np.float32) / 127.5 - 1


def draw(generator, count, seed=0):
    """Generate pictures from the latent vectors of a seed."""
    latents = np.random.default_rng(seed).normal(size=(count, LATENT)).astype(np.float32)
    return generator(latents, training=False).numpy()


def probability_real(discriminator, some_images):
    """The mean of D over pictures."""
    return float(tf.reduce_mean(tf.sigmoid(discriminator(some_images, training=False))))


keras.utils.set_random_seed(0)
generator, discriminator = build_generator(), build_discriminator()
print(f"weights: G {generator.count_params():,}, D {discriminator.count_params():,}")
print(f"D(x) {probability_real(discriminator, images[:100]):.2f}")
print(f"D(G(z)) {probability_real(discriminator, draw(generator, 100)):.2f}")

# %% [markdown]
# **What happened.** An untrained D guesses: both answers are near 0.5. D's loss has two parts, each −log 0.5 = 0.69. So
# it starts near 1.4, and G's loss near 0.69. Remember these two numbers: they mean "D only guesses".

# %% [markdown]
# ## 6.2 One step of each
#
# A step of D makes D(x) larger and D(G(z)) smaller. A step of G makes D(G(z)) larger. G never sees a real picture. It
# learns from the gradient that comes back through D.
#
# Each step changes *one* network: the gradient is applied to the weights of that network only.
#
# > **Predict.** Which lines of `d_step` and `g_step` decide which network learns?


# %%
def adam(rate=1e-3):
    return keras.optimizers.Adam(rate, beta_1=0.5)


def unchanged(some_images):
    return some_images


def make_d_step(generator, discriminator, optimizer, d_loss=discriminator_loss, change=unchanged):
    """Return the compiled step of D. ``change`` is applied to all pictures that D sees."""
    optimizer.build(discriminator.trainable_variables)

    @tf.function
    def d_step(real):
        fake = generator(tf.random.normal((real.shape[0], LATENT)), training=True)
        with tf.GradientTape() as tape:
            real_logits = discriminator(change(real), training=True)
            fake_logits = discriminator(change(fake), training=True)
            loss = d_loss(real_logits, fake_logits)
        weights = discriminator.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss, tf.reduce_mean(tf.sigmoid(real_logits)), tf.reduce_mean(tf.sigmoid(fake_logits))

    return d_step


# %%
def make_g_step(generator, discriminator, optimizer, g_loss=generator_loss, change=unchanged):
    """Return the compiled step of G."""
    optimizer.build(generator.trainable_variables)

    @tf.function
    def g_step(count):
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((count, LATENT)), training=True)
            loss = g_loss(discriminator(change(fake), training=True))
        weights = generator.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    return g_step


# %%
def copied(network):
    return [variable.numpy() for variable in network.trainable_variables]


def moved(network, before):
    """The largest change of a weight since ``before = copied(network)``."""
    return max(float(abs(now - then).max()) for now, then in zip(copied(network), before, strict=True))


d_step = make_d_step(generator, discriminator, adam())
g_step = make_g_step(generator, discriminator, adam())
for name, step, argument in (("d_step", d_step, images[:64]), ("g_step", g_step, 64)):
    before = copied(generator), copied(discriminator)
    step(argument)
    of_g, of_d = moved(generator, before[0]), moved(discriminator, before[1])
    print(f"{name}: G's weights move by {of_g:.4f}, D's by {of_d:.4f}")

# %% [markdown]
# **What happened.** Adam's first step moves each weight by its rate, 0.001. `tape.gradient(loss, weights)` and
# `apply(…, weights)`, the short form of `apply_gradients`, name the weights of one network. Nothing has to be frozen.
# D's step generates its pictures outside of the tape, since G's gradient is not needed there.
#
# `training=True` is needed in both networks: batch norm and dropout work differently in training.

# %% [markdown]
# ## 6.3 The loop
#
# An **epoch** uses each training picture once. After every `save_interval` epochs, the loop saves a sheet of pictures,
# always from the same latent vectors. Then you see the same pictures improve.
#
# > **Predict.** After one epoch, what do the pictures show? Will D(x) and D(G(z)) come together or move apart?


# %%
def train(epochs, batch_size, save_interval):
    """Train G and D. Return what each step and each save measured."""
    random, steps, saves = np.random.default_rng(0), [], []
    sheet, curves = pictures.panel(), pictures.panel()
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(images))
        for start in range(0, len(images) - batch_size + 1, batch_size):
            d_values = d_step(images[order[start : start + batch_size]])
            steps.append([*map(float, d_values), float(g_step(batch_size))])
            if len(steps) % 200 == 0:
                show_curves(steps, curves)
        if epoch % save_interval == 0:
            saves.append(save(epoch, steps, sheet))
    return np.array(steps), saves


# %%
from pathlib import Path

from fashion_gan.rendering.images import grid, load_png, save_picture, to_uint8

FOLDER = Path("chapter_6")
FOLDER.mkdir(exist_ok=True)


def show_curves(steps, panel):
    _, d_real, d_fake, _ = np.transpose(steps)
    pictures.curves({"D(x)": d_real, "D(G(z))": d_fake}, title=f"{len(steps):,} steps", panel=panel)


def save(epoch, steps, panel):
    """Save and show a sheet of pictures. Return the epoch, both losses and the Fréchet distance."""
    sheet = draw(generator, 40)
    pictures.show(sheet, columns=10, title=f"epoch {epoch}", panel=panel)
    save_picture(FOLDER / f"gan_generated_image_epoch_{epoch}.png", grid(to_uint8(sheet), 10))
    d_loss, _, _, g_loss = np.mean(steps[-500:], axis=0)
    return epoch, d_loss, g_loss, scores.score(draw(generator, SCORED, seed=1)).frechet


untrained = scores.score(draw(generator, SCORED, seed=1))
steps, saves = train(epochs=EPOCHS, batch_size=64, save_interval=1)

# %% [markdown]
# **What happened.** First there are blots, then outlines, then gray tones and details. D(x) and D(G(z)) come close in
# the first epoch, and D stays a little ahead. Section 6.4 explains these curves.
#
# `train`, `d_step` and `g_step` are the whole method. The other functions only show and save.
#
# **Questions that arise here**
#
# - *How many pictures?* 60,000 are plenty here. Section 6.13 trains with few, and shows what goes wrong.
# - *How long?* Until the Fréchet distance of the saves no longer falls. The losses do not tell, as section 6.5 shows.

# %%
saved = {epoch: load_png(FOLDER / f"gan_generated_image_epoch_{epoch}.png") for epoch, *_ in saves}
first_rows = np.stack([picture[:32] for picture in saved.values()])  # 28 pixels, and the frame of the sheet
pictures.show(first_rows, columns=1, rows=[f"epoch {epoch}" for epoch in saved], title="The same latents by epoch")

# %% [markdown]
# ## 6.4 What the curves mean
#
# > **Predict.** D's loss is −log D(x) − log(1 − D(G(z))). Which value does it have if D is perfect? If D only guesses?

# %%
d_losses, d_real, d_fake, g_losses = steps.T
pictures.curves({"D's loss": d_losses, "G's loss": g_losses}, title="Both losses")
first, last = steps[:100].mean(axis=0), steps[-500:].mean(axis=0)
pictures.table(
    ["mean", "first 100 steps", "last 500 steps", "if D only guesses"],
    [
        [name, f"{a:.2f}", f"{b:.2f}", guess]
        for name, a, b, guess in zip(
            ("D's loss", "D(x)", "D(G(z))", "G's loss"), first, last, ("1.39", "0.50", "0.50", "0.69"), strict=True
        )
    ],
)

# %% [markdown]
# **What happened.** The curves are running means. A perfect D has the loss 0. A D that only guesses has 1.39.
#
# D(x) is how real D finds real pictures. D(G(z)) is how real it finds
# generated ones. Near 1 and 0, D wins. Near 0.5, D cannot tell the pictures apart: the pictures are good, or D has
# learned too little. Early in the first epoch both are near 0.5, and the pictures are still blots.
#
# **Questions that arise here**
#
# - *Why is a D loss of 0 bad?* Then D is certain about each picture. It gives G almost no direction (section 6.11).
# - *Is this jitter normal?* Yes. Each step uses 64 other pictures and another dropout. Look at the running mean. One
#   slow rise and fall is normal too. It is an oscillation if the *mean* swings again and again (section 6.12).
# - *Must both curves meet at 0.5?* No. In practice D stays a little ahead, and G still improves.

# %% [markdown]
# ## 6.5 A falling loss is no sign of progress
#
# > **Predict.** The pictures get better from epoch to epoch. Does G's loss fall?

# %%
epochs, d_by_epoch, g_by_epoch, frechet = (np.array(column) for column in zip(*saves, strict=True))
pictures.table(
    ["epoch", "D's loss", "G's loss", "Fréchet distance"],
    [[f"{e}", f"{d:.3f}", f"{g:.3f}", f"{f:.1f}"] for e, d, g, f in saves],
)
baseline = scores.real_score(SCORED).frechet
print(f"Fréchet distance: untrained {untrained.frechet:.1f}; real pictures {baseline:.2f}")
print(f"from the first save to the last: Fréchet {frechet[-1] / frechet[0] - 1:+.0%}", end="; ")
print(f"D's loss {d_by_epoch[-1] / d_by_epoch[0] - 1:+.0%}, G's loss {g_by_epoch[-1] / g_by_epoch[0] - 1:+.0%}")
pictures.curves({"G's loss": g_by_epoch / g_by_epoch[0], "Fréchet": frechet / frechet[0]}, x=epochs, xlabel="epoch")

# %% [markdown]
# **What happened.** The Fréchet distance falls, and the pictures improve. The losses do not follow it. Each loss is
# measured against an opponent that improves as well. A loss says who is ahead *at this moment*, not how far both came.
#
# Section 6.8 shows the reverse: there G's loss falls and falls, and G draws no clothes.

# %% [markdown]
# ## 6.6 The same as a Keras model
#
# Keras minimizes one number: `compute_loss`. The *sum* of both losses works, if each loss sends its gradient to its own
# network only. `y_pred` holds the generated pictures. Two uses of `stop_gradient` separate the networks:
#
# - D's loss gets `stop_gradient(y_pred)`, so its gradient does not reach G.
# - G's loss goes through a D with frozen weights. `stateless_call` runs a network with weights that you give it.
#
# Adam treats each weight separately, so one Adam serves both networks.
#
# > **Predict.** Which line would you delete to let G help D? What would happen?

# %%
from keras import ops


class GAN(keras.Model):
    """Both networks as one model, which Keras's own ``fit`` trains."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def call(self, real, training=False):
        return self.generator(keras.random.normal((ops.shape(real)[0], LATENT)), training=training)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        frozen = [ops.stop_gradient(weight) for weight in self.discriminator.trainable_variables]
        state = self.discriminator.non_trainable_variables
        for_g, _ = self.discriminator.stateless_call(frozen, state, y_pred, training=training)
        for_d = self.discriminator(ops.stop_gradient(y_pred), training=training)
        real = self.discriminator(x, training=training)
        return discriminator_loss(real, for_d) + generator_loss(for_g)


# %%
import time

keras.utils.set_random_seed(0)
gan = GAN(build_generator(), build_discriminator())
gan.compile(optimizer=adam(), jit_compile=False)
panel = pictures.panel()


def show_epoch(epoch, logs):
    pictures.show(draw(gan.generator, 40), columns=10, title=f"compute_loss, epoch {epoch + 1}", panel=panel)


start = time.perf_counter()
callback = keras.callbacks.LambdaCallback(on_epoch_end=show_epoch)
gan.fit(images, batch_size=64, epochs=KERAS_EPOCHS, callbacks=[callback], verbose=0)
keras_seconds = time.perf_counter() - start
keras_score = scores.score(draw(gan.generator, SCORED, seed=1))
print(f"compute_loss, {KERAS_EPOCHS} epochs in {keras_seconds:.0f} s: {keras_score}")
print(f"the loop, by epoch: Fréchet distance {', '.join(f'{value:.1f}' for value in frechet)}")

# %% [markdown]
# **What happened.** Compare the score with that of the loop at the same epoch. One run of each shows no clear
# difference: other seeds change both. The class is short, and `fit` brings the rest: epochs, callbacks, saving, three
# backends.
#
# Without `stop_gradient(y_pred)`, D's loss would also reach G. G would then learn to be recognized, and help D.

# %% [markdown]
# ## 6.7 The same in the library
#
# `fashion_gan.train` compiles the same kind of `GAN`. It adds checkpoints, resuming, sheets and a moving average of G's
# weights. The preset `transposed` has networks of the same kind, with one more layer in G.
#
# > **Predict.** A run of the library stops after a number of steps. Which files do you want to find in its folder?

# %%
run = fashion_gan.train(
    "transposed", base_channels=16, batch_size=64, learning_rate=1e-3, steps=LIBRARY_STEPS, out=FOLDER
)
print(*sorted(path.name for path in run.path.iterdir() if path.name[0] != "."))
library_score = scores.score(fashion_gan.load_generator(run).generate(SCORED, seed=1))
print(f"fashion_gan.train, {LIBRARY_STEPS} steps: {library_score}")

# %% [markdown]
# **What happened.** `config.json` holds every setting, and `log.csv` the curves. A checkpoint holds both networks and
# both optimizers. The sheets in `samples` are named as in section 6.3. `fashion_gan.resume` continues such a run as if
# it had never stopped.

# %% [markdown]
# ## 6.8 The recipe of old notebooks, which does not train D
#
# Many notebooks freeze D with `discriminator.trainable = False`, and then train a combined model. That was
# right on Keras 2.
#
# > **Predict.** After 200 rounds of this recipe on Keras 3: which weights have moved, D's or G's? Does G's loss fall?


# %%
BCE = keras.losses.BinaryCrossentropy(from_logits=True)


def combined_model(generator, discriminator):
    """G and a frozen D as one model, as in old notebooks."""
    discriminator.trainable = False
    latents = keras.Input((LATENT,))
    gan = keras.Model(latents, discriminator(generator(latents)))
    gan.compile(loss=BCE, optimizer=adam())
    return gan


def train_discriminator(generator, discriminator, random):
    """One step of D by its own train_on_batch. Returns its loss."""
    fake = draw(generator, 32, seed=int(random.integers(1 << 30)))
    both = np.concatenate([images[random.integers(0, len(images), 32)], fake])
    return discriminator.train_on_batch(both, np.repeat([1.0, 0.0], 32)[:, None])


# %%
def old_recipe(rounds, call_first=False):
    """Return G, both losses of each round, and how far the weights of G and D move."""
    keras.utils.set_random_seed(0)
    random, generator, discriminator = np.random.default_rng(0), build_generator(), build_discriminator()
    discriminator.compile(loss=BCE, optimizer=adam())
    if call_first:
        train_discriminator(generator, discriminator, random)
    weights = [*generator.trainable_variables], [*discriminator.trainable_variables]
    before = [[weight.numpy() for weight in network] for network in weights]
    gan = combined_model(generator, discriminator)
    losses = []
    for _ in range(rounds):
        d = train_discriminator(generator, discriminator, random)
        g = gan.train_on_batch(random.normal(size=(32, LATENT)), np.ones((32, 1)))
        losses.append((float(d), float(g)))
    moves = [
        max(float(abs(weight.numpy() - then).max()) for weight, then in zip(network, old, strict=True))
        for network, old in zip(weights, before, strict=True)
    ]
    return generator, np.array(losses), moves


# %%
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old_generator, old_losses, (g_moved, d_moved) = old_recipe(RECIPE_ROUNDS)
    *_, (g_moved_called, d_moved_called) = old_recipe(5, call_first=True)
print({str(warning.message) for warning in caught if "trainable" in str(warning.message)})
pictures.table(
    ["recipe", "G moves", "D moves", ""],
    [
        ["freeze D before its first call", f"{g_moved:.4f}", f"{d_moved:.4f}", f"{RECIPE_ROUNDS} rounds"],
        ["call D once, then freeze it", f"{g_moved_called:.4f}", f"{d_moved_called:.4f}", "5 rounds"],
    ],
)
old_score = scores.score(draw(old_generator, SCORED, seed=1))
print(f"G's loss {old_losses[0, 1]:.2f} -> {old_losses[-1, 1]:.4f}; {old_score}")
pictures.show(draw(old_generator, 20), columns=10, title="G against a D that never learned")

# %% [markdown]
# **What happened.** D's weights move by exactly 0. `compile` does not look at the flag `trainable`. The training
# function does, and Keras 3 makes it at the *first* `train_on_batch`. By then D is frozen: the flag belongs to D, and
# both models share it. Keras 2 stored the list of weights at `compile`, before the freeze.
#
# The second row proves it: after one early call D learns, with the same flag. Do not build on that.
#
# G does learn, to fool a D that knows nothing. **Its loss falls, and its pictures show no clothes.** A loss that falls
# without end is a warning: the opponent stands still.

# %% [markdown]
# ## Six failures on purpose
#
# The next sections break the training in six ways. Each has a number that shows the failure, a picture, and a cure that
# the same number confirms. `play` trains two new networks for some steps.


# %%
from tqdm import tqdm


def both_networks():
    return build_generator(), build_discriminator()


def both_optimizers():
    return adam(), adam()


BOTH_LOSSES = generator_loss, discriminator_loss


# %%
def play(steps, seed=0, data=images, g_steps=1, head_start=0, change=unchanged, **options):
    """Train new networks. Returns G, D and the history: D's loss, D(x), D(G(z)) and G's loss of each step.

    D learns alone for ``head_start`` steps. The options are functions that return (G, D): ``networks`` and
    ``optimizers``. ``losses`` is a pair (G's, D's).
    """
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    generator, discriminator = options.get("networks", both_networks)()
    for_g, for_d = options.get("optimizers", both_optimizers)()
    g_loss, d_loss = options.get("losses", BOTH_LOSSES)
    d_step = make_d_step(generator, discriminator, for_d, d_loss, change)
    g_step = make_g_step(generator, discriminator, for_g, g_loss, change)
    history = []
    for number in tqdm(range(head_start + steps), leave=False):
        d_values = d_step(data[random.integers(0, len(data), 32)])
        if number >= head_start:
            g_losses = [float(g_step(32)) for _ in range(g_steps)]
            history.append([*map(float, d_values), g_losses[-1]])
    return generator, discriminator, np.array(history)


# %% [markdown]
# ## 6.9 Mode collapse
#
# **Collapse** means that G draws only a few kinds of pictures. Against a D that stands still, the best G draws *one*
# picture: the one that D likes most. So let D fall behind: G gets ten steps for each step of D, and five times the
# rate.
#
# > **Predict.** How many of the ten classes appear? Does another seed collapse to the same class?


# %%
def present(class_counts):
    """The number of classes that make at least 1% of the pictures."""
    return int((class_counts >= 0.01 * class_counts.sum()).sum())


def spread(some_images):
    """How much pictures differ from each other: the mean standard deviation of a pixel."""
    return float(np.std(some_images, axis=0).mean())


collapsed, cured = {}, {}
for seed in SEEDS:
    ill = play(COLLAPSE_ROUNDS, seed, g_steps=10, optimizers=lambda: (adam(5e-3), adam()))
    collapsed[seed] = draw(ill[0], SCORED, seed=1)
    cured[seed] = draw(play(10 * COLLAPSE_ROUNDS, seed)[0], SCORED, seed=1)
pictures.show(
    np.concatenate([part[seed][:12] for seed in SEEDS for part in (collapsed, cured)]),
    columns=12,
    rows=[f"{name}, seed {seed}" for seed in SEEDS for name in ("10 : 1", "1 : 1")],
    title="Ten steps of G for each of D, and one for one",
)

# %%
collapse_scores = {seed: [scores.score(part[seed]) for part in (collapsed, cured)] for seed in SEEDS}
pictures.table(
    ["steps of G : D", "seed", "classes above 1%", "spread of a pixel", "Fréchet distance"],
    [
        [ratio, f"{seed}", f"{present(s.class_counts)}", f"{spread(part[seed]):.2f}", f"{s.frechet:.0f}"]
        for seed in SEEDS
        for ratio, part, s in zip(("10 : 1", "1 : 1"), (collapsed, cured), collapse_scores[seed], strict=True)
    ],
)
print(f"real pictures: 10 classes, spread {spread(images[:SCORED]):.2f}")

# %% [markdown]
# **What happened.** Different latents give nearly the same picture, with each seed. The two seeds do not collapse to
# equal pictures. None is a piece of clothing, but that is not the point: a few steps of training draw no clothes
# either. The point is that all twelve are alike.
#
# **How to see it:** measure how much the pictures differ, and count the classes. One sheet from one seed can mislead: G
# may jump to another class a moment later.
#
# **The cure:** let D learn at least as often as G, and give G the usual rate. If that is not enough, try a gradient
# penalty (chapter 7), or the labels as input of both networks.
#
# **Questions that arise here**
#
# - *Is this collapse?* Two shirts that look alike are not a collapse. A class or two that are missing early in the
#   training are not a collapse either, as in the cured rows. It is collapse if the spread is far below that of real
#   pictures, or if classes stay missing while the training goes on.

# %% [markdown]
# ## 6.10 Saturation
#
# A function **saturates** if it is so flat that its gradient is almost 0. In chapter 1 that was the minimax loss, and
# section 6.11 returns to it. Here it is G's `tanh`. Its slope at a pixel x is 1 − x²: at black (−1) and white (1) it is
# 0. Let G start with far too large weights and no batch norm.
#
# > **Predict.** What do the first pictures look like? Can G repair them?


# %%
def slope(some_images):
    """The mean slope of tanh at pixels that it made."""
    return float(np.mean(1 - some_images**2))


def large_networks():
    return build_generator(norm=False, start=keras.initializers.RandomNormal(stddev=0.5)), build_discriminator()


saturation, shown = [], []
for seed in SEEDS:
    for name, options in (("large weights", {"networks": large_networks}), ("batch norm, small weights", {})):
        first, last = (draw(play(steps, seed, **options)[0], 500, seed=1) for steps in (0, SATURATION_STEPS))
        saturation.append((name, seed, slope(first), slope(last), scores.score(last).frechet))
        shown += [last[:12]] if seed == SEEDS[0] else []
pictures.table(
    ["start", "seed", "slope of tanh, first", "last", "Fréchet distance"],
    [[name, f"{seed}", f"{a:.3f}", f"{b:.3f}", f"{f:.0f}"] for name, seed, a, b, f in saturation],
)
print(f"real pictures: slope {slope(images[:500]):.3f}")
pictures.show(np.concatenate(shown), columns=12, title=f"After {SATURATION_STEPS} steps: large weights, then the cure")

# %% [markdown]
# **What happened.** Almost all pixels are fully black or white, so almost no gradient passes `tanh`. Adam still moves
# the weights, but the pixels jump between white and black instead of becoming gray. In these steps G does not repair
# them.
#
# **How to see it:** hard black and white without grays, and a mean slope far below that of real pictures.
#
# **The cure:** small weights at the start, and batch norm, which keeps the numbers before `tanh` small.

# %% [markdown]
# ## 6.11 Vanishing gradients
#
# The first loss that one thinks of for G is log(1 − D(G(z))): the same term as in D's loss. Its slope at the logit is
# −σ(logit). If D is sure that a picture is generated, that is almost 0. The loss of this chapter, −log D(G(z)), has the
# slope −(1 − σ(logit)): almost −1.
#
# > **Predict.** D learns, G stands still. How do the two gradients change as D becomes sure?

# %%
G_LOSSES = {
    "log(1 - D)": lambda fake_logits: -tf.reduce_mean(tf.nn.softplus(fake_logits)),
    "-log D": generator_loss,
}


def gradient_length(generator, discriminator, g_loss):
    """The length of the gradient of G's loss over all weights of G."""
    with tf.GradientTape() as tape:
        latents = np.random.default_rng(0).normal(size=(64, LATENT)).astype(np.float32)
        loss = g_loss(discriminator(generator(latents, training=True)))
    return float(tf.linalg.global_norm(tape.gradient(loss, generator.trainable_variables)))


keras.utils.set_random_seed(0)
sure_g, sure_d = build_generator(), build_discriminator()
sure_d_step = make_d_step(sure_g, sure_d, adam())
lengths = []
for step in range(SURE_STEPS + 1):
    if step % (SURE_STEPS // 10) == 0:
        lengths.append([step, *(gradient_length(sure_g, sure_d, g_loss) for g_loss in G_LOSSES.values())])
    sure_d_step(images[np.random.randint(0, len(images), 32)])

# %%
steps_of_d, minimax_lengths, usual_lengths = np.transpose(lengths)
pictures.curves(
    {name: np.log10(values) for name, values in zip(G_LOSSES, (minimax_lengths, usual_lengths), strict=True)},
    x=steps_of_d,
    xlabel="steps of D while G stands still",
    ylabel="log₁₀ of the gradient's length",
)
print(f"log(1 - D): the gradient falls to {minimax_lengths[-1] / minimax_lengths[0]:.1e} of its first length")
print(f"-log D: to {usual_lengths[-1] / usual_lengths[0]:.1f} times its first length")


# %%
def play_sure(g_loss, optimizer, seed):
    """D learns first. Then both learn. Returns D(G(z)) in the last 20 steps, the Fréchet distance, and 12 pictures."""
    options = {"optimizers": lambda: (optimizer(), adam()), "losses": (g_loss, discriminator_loss)}
    g, _, history = play(SURE_PLAY, seed, head_start=SURE_STEPS, **options)
    return history[-20:, 2].mean(), scores.score(draw(g, SCORED, seed=1)).frechet, draw(g, 12)


def plain():
    return keras.optimizers.SGD(SURE_RATE)


WAYS = {
    "log(1 - D), plain steps": (G_LOSSES["log(1 - D)"], plain),
    "-log D, plain steps": (generator_loss, plain),
    "log(1 - D), Adam": (G_LOSSES["log(1 - D)"], adam),
}
vanishing = {(name, seed): play_sure(*way, seed) for name, way in WAYS.items() for seed in SEEDS}
pictures.table(
    ["G's loss and optimizer", "seed", "D(G(z)) at the end", "Fréchet distance"],
    [[name, f"{seed}", f"{d_fake:.5f}", f"{f:.0f}"] for (name, seed), (d_fake, f, _) in vanishing.items()],
)
shown = [vanishing[name, SEEDS[0]][2] for name in WAYS]
pictures.show(np.concatenate(shown), columns=12, rows=list(WAYS))

# %% [markdown]
# **What happened.** The surer D is, the shorter the gradient of log(1 − D): G gets no direction, and its pictures stay
# noise. The slope of −log D stays near −1. Its gradient even grows, because a sure D reacts strongly to each pixel.
#
# **How to see it:** D's loss and D(G(z)) stay near 0, and the gradient is tiny. Adam divides by the gradient's size, so
# it hides the failure, as the last rows show. Adam adds 10⁻⁷ to the divisor, so it cannot hide a gradient far below
# that.
#
# **The cure:** −log D, from logits. Also keep D from being too sure: with label smoothing (exercise 6.1) or R1 (6.12).

# %% [markdown]
# ## 6.12 Oscillation
#
# The smallest GAN of all: the real data are the number 0. G draws one number, its weight g. D has one weight, its slope
# d: its logit for x is d · x. The real number 0 always has the logit 0, so that part of D's loss is constant. The right
# answer is g = 0. Both learn with plain gradient steps.
#
# > **Predict.** G starts at 1. Draw g over the steps. Does it come to rest at 0?


# %%
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def orbit(g, d, r1=0.0, rate=0.1):
    """The path of g and d. ``r1`` is the weight of a penalty on D's squared slope at the real data."""
    path = [(g, d)]
    for _ in range(ORBIT_STEPS):
        g_gradient = -sigmoid(-d * g) * d  # of softplus(-d * g)
        d_gradient = sigmoid(d * g) * g + r1 * d  # of softplus(d * g) + r1 / 2 * d²
        g, d = g - rate * g_gradient, d - rate * d_gradient
        path.append((g, d))
    return np.array(path)


def swing(path):
    """The distance between the lowest and the highest g in the last 200 steps."""
    return float(np.ptp(path[-200:, 0]))


# %%
STARTS = ((1.0, 0.0), (0.1, 0.0), (-0.5, 1.0))
orbits = [(g, d, orbit(g, d), orbit(g, d, r1=0.3)) for g, d in STARTS]
paths = {"from 1": orbits[0][2], "from 0.1": orbits[1][2], "from 1, with R1": orbits[0][3]}
pictures.curves({name: path[:600, 0] for name, path in paths.items()}, ylabel="g", title="The number that G draws")
pictures.table(
    ["g and d at the start", "swing of g without penalty", "with R1"],
    [[f"{g}, {d}", f"{swing(free):.3f}", f"{swing(damped):.0e}"] for g, d, free, damped in orbits],
)

# %% [markdown]
# **What happened.** g swings around 0 and never rests. A large swing shrinks, a small one grows: even from 0.1, almost
# right, g moves *away*. When g is right, d is not 0 yet. So D pushes g past 0 to the other side. D always reacts late.
#
# **The cure:** R1, a penalty on the slope of D at real data. It flattens D where the data are, so nothing pushes g away
# (Mescheder et al. 2018). A smaller rate makes the swing smaller, but does not end it.
#
# > **Predict.** Two small networks play for one cluster of points, with Adam and a momentum of 0.9. Does the mean of
# > G's points come to rest?


# %%
CENTER = tf.constant([[1.0, 0.5]])


def plane_network(outputs):
    hidden = [layers.Dense(24, "leaky_relu", kernel_initializer="he_normal") for _ in range(2)]
    return keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(outputs)])


def r1_penalty(discriminator, real):
    """The mean squared slope of D at real points."""
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = discriminator(real)
    return tf.reduce_mean(tf.reduce_sum(tape.gradient(logits, real) ** 2, axis=1))


# %%
def mean_of_points(seed, r1):
    """Train on the cluster. Returns how far the mean of G's points is from the center, for each step."""
    keras.utils.set_random_seed(seed)
    g, d = plane_network(2), plane_network(1)
    for_g, for_d = (keras.optimizers.Adam(0.005, beta_1=0.9, beta_2=0.99) for _ in range(2))
    for_g.build(g.trainable_variables)
    for_d.build(d.trainable_variables)

    @tf.function
    def step():
        real = CENTER + 0.12 * tf.random.normal((128, 2))
        with tf.GradientTape() as tape:
            fake_logits = d(g(tf.random.normal((128, 2))))
            loss = discriminator_loss(d(real), fake_logits) + r1 / 2 * r1_penalty(d, real)
        for_d.apply(tape.gradient(loss, d.trainable_variables), d.trainable_variables)
        with tf.GradientTape() as tape:
            fake = g(tf.random.normal((128, 2)))
            loss = generator_loss(d(fake))
        for_g.apply(tape.gradient(loss, g.trainable_variables), g.trainable_variables)
        return tf.norm(tf.reduce_mean(fake, axis=0) - CENTER)

    return np.array([step() for _ in range(PLANE_STEPS)])


# %%
plane_paths = {(r1, seed): mean_of_points(seed, r1) for r1 in (0.0, 10.0) for seed in SEEDS}
names = {0.0: "without penalty", 10.0: "with R1"}
pictures.curves(
    {names[r1]: path for (r1, seed), path in plane_paths.items() if seed == SEEDS[0]},
    title="Distance of the mean of G's points from the center of the data",
)
still = {key: float(path[-PLANE_STEPS // 4 :].max()) for key, path in plane_paths.items()}
pictures.table(
    ["", "seed", "largest distance in the last quarter"],
    [[names[r1], f"{seed}", f"{distance:.2f}"] for (r1, seed), distance in still.items()],
)

# %% [markdown]
# **What happened.** The points circle around the data, as in chapter 1, and R1 brings them to rest.
#
# **How to see it:** a mean that swings with a regular period, and does not die out. With pictures, follow the mean
# brightness of G's pictures, or D(x).

# %% [markdown]
# ## 6.13 Memorizing few pictures
#
# Now train with 20 pictures instead of 60,000. D sees each of them more than a thousand times. With more
# pictures the same happens later.
#
# > **Predict.** Is D(x) the same for its training pictures and for test pictures that it never saw?

# %%
from fashion_gan.training.augment import Augmentation

few = {}
for seed in SEEDS:
    augment = Augmentation(seed)
    augment.probability.assign(0.8)  # shift, and cut, 8 of 10 pictures; flip 4 of 10
    ways = {"few": {}, "few, augmented": {"change": augment}, "all": {"data": images}}
    for name, options in ways.items():
        g, d, _ = play(FEW_STEPS, seed, **{"data": images[:FEW], **options})
        known, unknown = probability_real(d, images[:FEW]), probability_real(d, test_images[:500])
        few[name, seed] = (known, unknown, scores.score(draw(g, SCORED, seed=1)).frechet, draw(g, 12))
pictures.table(
    ["trained with", "seed", f"D(x), first {FEW}", "D(x), test pictures", "gap", "Fréchet distance"],
    [
        [name, f"{seed}", f"{known:.2f}", f"{unknown:.2f}", f"{known - unknown:.2f}", f"{f:.0f}"]
        for (name, seed), (known, unknown, f, _) in few.items()
    ],
)
pictures.show(np.concatenate([few[name, SEEDS[0]][3] for name in ways]), columns=12, rows=list(ways))

# %% [markdown]
# **What happened.** D recognizes its few pictures, and calls other real pictures generated. Its gradient then leads to
# those few pictures only. G copies them later: the gap comes first, and the Fréchet distance does not show it yet.
#
# **How to see it:** the gap between D(x) of training pictures and D(x) of pictures that D never saw.
#
# **The cure:** change the pictures at random before D sees them, the real and the generated ones in the same way. Both
# must pass through `change`, or D learns to see the change itself. Too strong a change can show in G's pictures. More
# pictures are the better cure.
#
# **Questions that arise here**
#
# - *How many pictures do I need?* More than D can memorize. Train twice, with half and with all of your pictures. If
#   the gap is much smaller with all, more pictures will help still. If the gap is near 0, you have enough.

# %% [markdown]
# ## 6.14 NaN
#
# NaN is "not a number", the result of 0 · ∞ for example. One NaN in a loss makes all weights NaN in a single step. The
# usual reason is a formula that is right on paper: −log(1 − σ(logit)).
#
# > **Predict.** σ(18) is 0.99999998. What does the computer calculate for 1 − σ(18) in float32?


# %%
def paper_loss(real_logits, fake_logits):
    """discriminator_loss as on paper."""
    real, fake = tf.sigmoid(real_logits), tf.sigmoid(fake_logits)
    return -tf.reduce_mean(tf.math.log(real)) - tf.reduce_mean(tf.math.log(1 - fake))


rows = []
for logit in (-20.0, 0.0, 10.0, 18.0):
    x, zero = tf.constant([[logit]]), tf.zeros((1, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        values = paper_loss(zero, x), discriminator_loss(zero, x)
    rows.append([f"{logit:g}", *(f"{float(v):.3f}, {tape.gradient(v, x).numpy().item():.3f}" for v in values)])
pictures.table(["logit of a generated picture", "as on paper: loss, gradient", "with softplus: loss, gradient"], rows)
# %%
nan_rows, nan_at = [], {}
for seed in SEEDS:
    for name, d_loss, rate in (
        ("on paper", paper_loss, NAN_RATE),
        ("softplus", discriminator_loss, NAN_RATE),
    ):
        options = {"optimizers": lambda rate=rate: (adam(rate), adam(rate)), "losses": (generator_loss, d_loss)}
        g, _, history = play(NAN_STEPS, seed, **options)
        bad = np.flatnonzero(~np.isfinite(history).all(axis=1))
        nan_at[name, seed] = int(bad[0]) + 1 if len(bad) else None
        broken = np.mean([np.isnan(weight).mean() for weight in copied(g)])
        nan_rows.append([name, f"{seed}", f"{nan_at[name, seed] or 'none'}", f"{broken:.0%}"])
pictures.table(["loss", "seed", "first step that is not finite", "weights of G that are NaN"], nan_rows)

# %% [markdown]
# **What happened.** float32 has seven digits, so 1 − σ(18) is exactly 0. Its logarithm is −∞. There the slope of the
# logarithm is infinite and that of σ is 0, and 0 · ∞ is NaN. Softplus computes the same formula without the detour
# through σ. The large rate makes the logits large. So the formula on paper breaks after a few steps, and takes all
# weights with it.
#
# **How to see it:** `np.isfinite(loss)` at each step. The library stops with `TrainingDiverged`. **The cure:** losses
# from logits (in Keras: `from_logits=True`), and then a smaller rate. A NaN cannot be trained away: start again, or
# from the last checkpoint.

# %% [markdown]
# ## Exercise 6.1: label smoothing
#
# D must not become too sure. **Label smoothing** gives real pictures the target 0.9 instead of 1. D's loss on a real
# picture is then −0.9 log σ(real) − 0.1 log(1 − σ(real)). The part for generated pictures stays. Write it from logits.
#
# <details><summary>Hint</summary>
#
# −log σ(x) is `tf.nn.softplus(-x)`, and −log(1 − σ(x)) is `tf.nn.softplus(x)`. The mean over the batch comes last.
# Start from `discriminator_loss` in section 6.1.
#
# </details>


# %% tags=["exercise"]
def smoothed_loss(real_logits, fake_logits):
    real_part = ...
    fake_part = ...
    return tf.reduce_mean(real_part) + tf.reduce_mean(fake_part)


check.smoothed_loss(smoothed_loss)

# %% [markdown]
# ## Exercise 6.2: the generator's step
#
# Write a step of G. It gets both networks, G's optimizer and latents. It trains G with the loss −log D(G(z)), leaves D
# as it is, and returns the loss.
#
# <details><summary>Hint</summary>
#
# Section 6.2 has such a step. Inside the tape, first get D's logits of `generator(latents, training=True)`. Then take
# the mean of −log σ(logit), which is `tf.nn.softplus(-logit)`. The weights are those of the network that learns.
#
# </details>


# %% tags=["exercise"]
def generator_step(generator, discriminator, optimizer, latents):
    with tf.GradientTape() as tape:
        loss = ...  # of the logits that D gives to the pictures of G
    weights = ...
    optimizer.apply(tape.gradient(loss, weights), weights)
    return loss


check.generator_step(generator_step)

# %% [markdown]
# ## Exercise 6.3: a collapse detector
#
# `scores.score(images).class_counts` has ten numbers. Write a function that returns the numbers of the *missing*
# classes: those with less than 1% of all pictures. A healthy generator gives an empty list.
#
# <details><summary>Hint</summary>
#
# `np.flatnonzero(condition)` returns where a condition holds. Compare the counts with 0.01 times their sum, not with a
# fixed number: the next set may have 500 pictures.
#
# </details>


# %% tags=["exercise"]
def missing_classes(class_counts):
    return ...


check.missing_classes(missing_classes)

# %% [markdown]
# The answers are in [answers/chapter_6](answers/chapter_6.py).
#
# ## The same in the library
#
# - [training/gan.py](../training/gan.py): `GAN.compute_loss`, section 6.6 with penalties, classes and a moving average.
# - [training/losses.py](../training/losses.py): both losses of this chapter as `bce`, and that of section 6.11 as
#   `minimax`. All are written with softplus.
# - [training/trainer.py](../training/trainer.py): `train`, with budgets, checkpoints and resuming. It stops with
#   `TrainingDiverged` at the first NaN.
# - [training/augment.py](../training/augment.py): `Augmentation`, whose probability follows D's memorization.
# - [training/callbacks/sample_grids.py](../training/callbacks/sample_grids.py): the sheets by epoch.
# - [metrics/memorization.py](../metrics/memorization.py): whether generated pictures copy training pictures.
#
# ## Words of this chapter
#
# Augmentation, D(x) and D(G(z)), epoch, label smoothing, memorization, mode collapse, non-saturating loss, oscillation,
# R1, saturation, step, vanishing gradients: see the [glossary](glossary.md).
#
# Next: [chapter 7, generating and beyond](chapter_7_beyond.py).
