# %% [markdown]
# # Chapter 4. The discriminator
#
# At the end you can build a discriminator. You know what it learns first, and why a perfect one teaches the generator
# nothing.
#
# **Time:** 1 minute on two CPU cores, plus the time to think. **Installed:** the extra `course`, see chapter 2.
#
# The **discriminator**, D, gets a picture and says how real it looks. It is a classifier with two classes: real and
# generated. This chapter trains D without a partner, so that you see what D does alone.

# %% tags=["parameters"]
SEEDS = (0, 1, 2)
BATCH = 64  # real pictures in a step, and as many others
PROBED = 256  # pictures of each kind that D is asked about
NOISE_STEPS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 60, 80, 100)  # when D is asked in section 4.5
EXPERT_STEPS = (0, 5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 200)  # when the gradient is measured in section 4.6
FROZEN_STEPS = 60  # of G against a D that no longer learns

# %% [markdown]
# ## 4.1 Convolutions: one small pattern, everywhere
#
# A `Dense` layer connects each pixel with each output. A **convolution** has a small grid of weights, its **kernel**.
# It moves the kernel over the picture. At each place it multiplies the pixels under the kernel with the weights and
# adds. The result is a **map**: large where the picture looks like the kernel.
#
# Usually a kernel is learned. Here we set three kernels by hand.
#
# > **Predict.** The first kernel has the rows `-1, 0, 1`. What does its map show of a dress?

# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers

import fashion_gan
from fashion_gan.course import check, pictures

images = fashion_gan.load_fashion_mnist("train").images.astype(np.float32) / 127.5 - 1
KERNELS = {
    "left and right edges": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "upper and lower edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "mean": [[1 / 9, 1 / 9, 1 / 9]] * 3,
}
convolution = layers.Conv2D(filters=3, kernel_size=3, padding="same", use_bias=False)
convolution.build((None, 28, 28, 1))
convolution.set_weights([np.stack(list(KERNELS.values()), axis=-1)[:, :, np.newaxis]])  # (3, 3, 1, 3)
maps = convolution(images[:8]).numpy()  # (8, 28, 28, 3)
maps /= abs(maps).max(axis=(0, 1, 2))
rows = [images[:8], *np.moveaxis(maps, -1, 0)[..., np.newaxis]]
pictures.show(np.concatenate(rows), columns=8, rows=["picture", *KERNELS])

# %% [markdown]
# **What happened.** White is positive, black negative, gray zero. The first kernel compares the pixels to the right
# with those to the left: it finds vertical edges. The second finds horizontal edges. The third blurs.
#
# A thin frame appears at the border. `padding="same"` adds zeros around the picture: 0 is gray, the background is -1.
#
# > **Predict.** A layer turns a picture of 28×28 into 32 maps of 14×14. How many weights does it have as a `Dense`
# > layer? How many as a convolution with kernels of 4×4?

# %%
halving = layers.Conv2D(32, 4, strides=2, padding="same")
before = halving(images[:8]).numpy()
moved = halving(np.roll(images[:8], 2, axis=2)).numpy()  # two pixels to the right
difference = abs(np.roll(before, 1, axis=2) - moved)[:, :, 2:-2].max()
dense_weights = 28 * 28 * 14 * 14 * 32 + 14 * 14 * 32
print(f"Dense: {dense_weights:,} weights; convolution: {halving.count_params():,} weights; maps {before.shape}")
print(f"picture moved by 2 pixels, maps moved by 1: they differ by {difference:.1g}")

# %% [markdown]
# **What happened.** Each of the 32 kernels has 16 weights and one bias: 544 numbers. The convolution uses them at each
# place. So it needs few weights, and it finds a pattern wherever it lies. With `strides=2` the kernel moves two pixels
# at a time, so the maps have half the size.

# %% [markdown]
# ## 4.2 LeakyReLU: a gradient everywhere
#
# Two linear layers in a row can do no more than one. So a nonlinear function stands between them. **ReLU** turns
# negative numbers into 0. **LeakyReLU** multiplies them by 0.2. The generator learns only from the gradient that comes
# *through* D. So D must not block it.
#
# A `tf.GradientTape` records what is computed inside it. Then `tape.gradient(y, x)` says how much `y` changes with each
# number of `x`. That is the gradient.
#
# > **Predict.** For how many of the numbers in the first maps does ReLU stop the gradient? And LeakyReLU?


# %%
def build_discriminator(slope=0.2, rate=0.3):
    """Images (N, 28, 28, 1) -> logits (N, 1)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 4, strides=2, padding="same"),  # (N, 14, 14, 32)
            layers.LeakyReLU(slope),
            layers.Dropout(rate),
            layers.Conv2D(64, 4, strides=2, padding="same"),  # (N, 7, 7, 64)
            layers.LeakyReLU(slope),
            layers.Dropout(rate),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


# %%
blocked = {}
for name, slope in {"ReLU": 0.0, "LeakyReLU": 0.2}.items():
    keras.utils.set_random_seed(0)
    first, *others = build_discriminator(slope).layers
    x = maps = first(images[:PROBED])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        for layer in others:
            x = layer(x)
    gradient = tape.gradient(x, maps)
    blocked[name] = float(np.mean(gradient == 0))
pictures.bars(blocked, form=".0%", title="Share of the first maps' numbers whose gradient is exactly 0")

# %% [markdown]
# **What happened.** Behind a ReLU, a negative number has no influence on the logit. A small change of it changes
# nothing. LeakyReLU keeps a fifth of the gradient there, so each number of the maps gets a signal.

# %% [markdown]
# ## 4.3 Dropout: no single clue is enough
#
# **Dropout** sets a random share of its inputs to 0 during training, and enlarges the rest so that the mean stays. D
# then cannot trust one clue, such as a single bright pixel. Outside of training, dropout does nothing.
#
# > **Predict.** D sees the same picture 200 times, with dropout and without. How many different logits come out?

# %%
keras.utils.set_random_seed(0)
discriminator = build_discriminator()
copies = np.repeat(images[:1], 200, axis=0)
with_dropout = discriminator(copies, training=True).numpy()
without = discriminator(copies, training=False).numpy()
dropped = layers.Dropout(0.3)(images[:8], training=True).numpy()
pictures.show(np.concatenate([images[:8], dropped]), columns=8, rows=["picture", "dropout of 0.3"])
jitter = f"from {with_dropout.min():.2f} to {with_dropout.max():.2f}"
print(f"training=True:  {len(np.unique(with_dropout))} logits, {jitter}")
print(f"training=False: {len(np.unique(without.round(4)))} logit, {without[0, 0]:.2f}")

# %% [markdown]
# **What happened.** Dropped pixels became 0, which is gray. In D, dropout works on the maps, not on the picture.
#
# **Questions that arise here**
#
# - *Is this jitter normal?* Yes. D's loss jitters because of dropout, and because each batch is different. Look at the
#   running mean of a curve, never at a single step.
# - *Must I say `training=True`?* In a loop by hand, yes. Without it, dropout is off, and nobody tells you.

# %% [markdown]
# ## 4.4 Logits: the number before the sigmoid
#
# D ends in `Dense(1)` without an activation. Its output is a **logit**: any number. 0 means undecided, positive means
# real. The **sigmoid** turns a logit into a probability. The loss does that itself, from the logit.
#
# > **Predict.** A picture is generated, so the right answer is 0. D is sure that it is real, with a logit of 100. How
# > large are the loss and its gradient? Does it matter whether the loss gets the logit or the probability?

# %%
table = []
for value in (-5.0, 0.0, 5.0, 100.0):
    logit = tf.constant([[value]])
    row = [f"{value:.0f}", f"{tf.sigmoid(logit)[0, 0]:.4f}"]
    for from_logits in (True, False):
        loss_function = keras.losses.BinaryCrossentropy(from_logits=from_logits)
        with tf.GradientTape() as tape:
            tape.watch(logit)
            loss = loss_function(tf.zeros((1, 1)), logit if from_logits else tf.sigmoid(logit))
        row += [f"{loss:.3f}", f"{tape.gradient(loss, logit)[0, 0]:.3f}"]
    table.append(row)
pictures.table(["logit", "probability", "loss", "gradient", "loss from probability", "gradient"], table)
wrong_gradients = float(table[-1][3]), float(table[-1][5])

# %% [markdown]
# **What happened.** At 100, the probability is exactly 1 in `float32`: the distance to 1 is lost. From the logit the
# loss is 100 and pulls with full strength. From the probability the gradient is 0: D is completely wrong and learns
# nothing. (The loss is 15.9 instead of 100, because Keras takes a probability just below 1.) So this course computes
# each loss from logits.

# %% [markdown]
# ## 4.5 Against noise: what D learns first
#
# D's task is easy now: real pictures against **noise**, where each pixel has a random level. D's loss is
# `-log(probability of real)` for real pictures, plus `-log(1 - probability of real)` for the others. With a logit x,
# these are `softplus(-x)` and `softplus(x)`, where `softplus(x)` is `log(1 + exp(x))`.
#
# Meanwhile we ask D about pictures that it never learns from:
#
# - `shuffled pixels`: real pictures, their pixels in random order. Only the brightness is right.
# - `shuffled tiles`: real pictures, cut into 16 tiles in random order. Edges and texture are right.
# - `upside down`: real pictures, turned over. Only the direction is wrong.
# - `all black`: nothing at all.
#
# `make_step` returns one training step, written by hand: compute the loss on the tape, take its gradient, and let the
# optimizer change the weights against it. `model.fit` does the same for a classifier.


# %%
def discriminator_loss(real, fake):
    """The loss of D from its logits for real and for other pictures."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def make_step(discriminator, make_fakes):
    """A function that trains D one step, on real pictures and as many of make_fakes(count)."""
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(discriminator.trainable_variables)

    @tf.function
    def step(real):
        fake = make_fakes(BATCH)
        with tf.GradientTape() as tape:
            loss = discriminator_loss(discriminator(real, training=True), discriminator(fake, training=True))
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables, strict=True))
        return loss

    return step


def noise(count):
    return tf.random.uniform((count, 28, 28, 1), -1, 1)


# %%
random = np.random.default_rng(0)
real = images[-PROBED:]
tiles = real.reshape(PROBED, 4, 7, 4, 7).transpose(0, 1, 3, 2, 4).reshape(PROBED, 16, 7, 7)
order = random.random((PROBED, 16)).argsort(axis=1)[..., np.newaxis, np.newaxis]
tiles = np.take_along_axis(tiles, order, axis=1)
probes = {
    "real": real,
    "noise": noise(PROBED).numpy(),
    "shuffled pixels": random.permuted(real.reshape(PROBED, 784), axis=1).reshape(real.shape),
    "shuffled tiles": tiles.reshape(PROBED, 4, 4, 7, 7).transpose(0, 1, 3, 2, 4).reshape(real.shape),
    "upside down": real[:, ::-1],
    "all black": np.full_like(real, -1),
}
pictures.show(np.concatenate([probe[:8] for probe in probes.values()]), columns=8, rows=list(probes))

# %% [markdown]
# > **Predict.** How many steps does D need until its loss is below 0.1? What will it then say about the other kinds of
# > pictures: real, or noise?

# %%
losses, opinions = [], []
for seed in SEEDS:
    keras.utils.set_random_seed(seed)
    discriminator = build_discriminator()
    step = make_step(discriminator, noise)
    asked = []
    for number in range(NOISE_STEPS[-1] + 1):
        if number in NOISE_STEPS:
            asked.append([tf.reduce_mean(tf.sigmoid(discriminator(probe))) for probe in probes.values()])
        losses.append(float(step(images[random.integers(len(images), size=BATCH)])))
    opinions.append(asked)
losses = np.reshape(losses, (len(SEEDS), -1))
opinions = np.array(opinions)  # (seeds, times, probes)

pictures.curves({f"seed {seed}": curve for seed, curve in zip(SEEDS, losses, strict=True)}, title="D's loss")
shown = {name: opinions.mean(axis=0)[:, list(probes).index(name)] for name in list(probes)[:4]}
pictures.curves(shown, x=NOISE_STEPS, title="D's mean probability that a picture is real")

# %%
first_below = [next((number for number, loss in enumerate(curve) if loss < 0.1), None) for curve in losses]
final = dict(zip(probes, opinions[:, -1].mean(axis=0), strict=True))
spread = opinions[:, -1].max(axis=0) - opinions[:, -1].min(axis=0)
title = f"Probability of being real after {NOISE_STEPS[-1]} steps, mean of {len(SEEDS)} seeds"
pictures.bars(final, form=".1%", title=title)
print(f"the loss is below 0.1 after {first_below} steps; the seeds differ by at most {spread.max():.1%}")
answers = tf.sigmoid(discriminator(probes["shuffled pixels"])).numpy()
noise_share, real_share = np.mean(answers < 0.1), np.mean(answers > 0.9)
print(f"shuffled pixels: the last D is sure that {noise_share:.0%} are noise, and that {real_share:.0%} are real")

# %% [markdown]
# **What happened.** About twenty steps are enough. Look at the first ones: `shuffled pixels` rise together with the
# real pictures. D learned **brightness** first: real pictures have much black, noise has little. Then it also learned
# **texture**: neighbors are alike in clothes, not in noise. Now shuffled pixels fall back to the middle, on average. D
# is sure about most of them: it calls the dark ones real and the bright ones noise.
#
# D calls most shuffled tiles real: their edges and texture are right. Upside down is as real as upright, and a black
# picture is as real as a boot. D did not learn what clothes are. It learned the first difference that separates the two
# sets, and then it stopped: the loss is almost 0.
#
# **Questions that arise here**
#
# - *D is right each time. Is it a good discriminator?* It is good at this task. It never had to look at clothes. A
#   discriminator is as good as the fakes that it gets.

# %% [markdown]
# ## 4.6 A perfect D teaches nothing
#
# The generator, G, turns latent vectors `z` into pictures. It gets its gradient through D. There are two losses for it:
#
# - **saturating**: `log(1 - D(G(z)))`, the loss of the minimax game of chapter 1. G makes it small.
# - **non-saturating**: `-log D(G(z))`. Both losses have the same best picture. Their gradients differ.
#
# Here G is a single `Dense` layer that does not learn. D trains against its pictures. From time to time we measure how
# long G's gradient *would be* with each loss.
#
# > **Predict.** D becomes perfect. How does each of the two gradients change: does it grow, stay, or vanish?


# %%
def saturating(logits):
    return -tf.reduce_mean(tf.nn.softplus(logits))


def non_saturating(logits):
    return tf.reduce_mean(tf.nn.softplus(-logits))


def build_generator():
    """The smallest generator: each pixel is a weighted sum of the 100 latent numbers, bent by tanh."""
    return keras.Sequential([keras.Input((100,)), layers.Dense(784, activation="tanh"), layers.Reshape((28, 28, 1))])


def gradient_length(loss, generator, discriminator, latents):
    with tf.GradientTape() as tape:
        value = loss(discriminator(generator(latents)))
    return float(tf.linalg.global_norm(tape.gradient(value, generator.trainable_variables)))


# %%
measured = []
for seed in SEEDS:
    keras.utils.set_random_seed(seed)
    generator, discriminator = build_generator(), build_discriminator()
    step = make_step(discriminator, lambda count, generator=generator: generator(tf.random.normal((count, 100))))
    latents = tf.random.normal((PROBED, 100))
    for number in range(EXPERT_STEPS[-1] + 1):
        if number in EXPERT_STEPS:
            networks = generator, discriminator, latents
            lengths = [gradient_length(loss, *networks) for loss in (saturating, non_saturating)]
            measured.append([*lengths, float(tf.reduce_mean(tf.sigmoid(discriminator(generator(latents)))))])
        step(images[random.integers(len(images), size=BATCH)])
measured = np.reshape(measured, (len(SEEDS), len(EXPERT_STEPS), 3))
middle = np.exp(np.log(measured).mean(axis=0))  # the geometric mean over the seeds
names = "saturating", "non-saturating"
curves = {name: np.log10(middle[:, number]) for number, name in enumerate(names)}
pictures.curves(curves, x=EXPERT_STEPS, xlabel="steps of D", title="Length of G's gradient, as a power of ten")

# %%
rows = [[f"{steps}", f"{p:.2g}", f"{s:.2g}", f"{n:.2g}"] for steps, (s, n, p) in zip(EXPERT_STEPS, middle, strict=True)]
pictures.table(["steps of D", "D(G(z))", *names], rows)
change = measured[:, -1, :2] / measured[:, 0, :2]  # the factor from the first to the last, for each seed and loss
for name, factors in zip(names, change.T, strict=True):
    print(f"{name}: the gradient ends {factors.min():.2g} to {factors.max():.2g} times as long as it began")

# %% [markdown]
# **What happened.** At the start both gradients are about equally long. As D gets sure, the saturating one vanishes:
# its slope at the logit `x` is `-sigmoid(x)`, which is `-D(G(z))`. When D(G(z)) is 0.001, only a thousandth of the
# slope is left. These are **vanishing gradients**: with the saturating loss, a perfect D teaches nothing. The slope of
# the non-saturating loss is `D(G(z)) - 1`: almost -1. Its gradient even grows. But section 4.7 shows where it leads.
#
# **Questions that arise here**
#
# - *Why is D's loss 0 bad?* Then D has found a difference that is enough for it, and looks for no other. With the
#   saturating loss G stands still. With the other one it follows only that difference.
# - *So should D be weak?* It should be ahead, not perfect. In chapter 6 both take one step in turn.

# %% [markdown]
# ## 4.7 A frozen D is fooled
#
# Now the other way around: D is an expert and no longer learns. G learns against it for a few steps. The steps are
# plain gradient steps (SGD): a short gradient makes a short step. Adam divides by the gradient's size and would hide
# the difference.
#
# > **Predict.** With which loss does G get D to say "real"? Will its pictures look like clothes?

# %%
keras.utils.set_random_seed(0)
start = generator.get_weights()
drawn, fooled = {"before": generator(latents).numpy()}, {}
for name, loss in zip(names, (saturating, non_saturating), strict=True):
    generator.set_weights(start)
    optimizer = keras.optimizers.SGD(1.0)
    for _ in range(FROZEN_STEPS):
        with tf.GradientTape() as tape:
            value = loss(discriminator(generator(tf.random.normal((BATCH, 100)))))
        gradients = tape.gradient(value, generator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))
    drawn[name] = generator(latents).numpy()
    fooled[name] = float(tf.reduce_mean(tf.sigmoid(discriminator(generator(latents)))))

# %%
from fashion_gan.course.scores import score

pictures.show(np.concatenate([some_images[:8] for some_images in drawn.values()]), columns=8, rows=list(drawn))
distances = {name: score(some_images).frechet for name, some_images in drawn.items()}
print(f"before: Fréchet distance {distances['before']:.0f} to real pictures")
for name, value in fooled.items():
    print(f"{name}: Fréchet distance {distances[name]:.0f}; D says real with a probability of {value:.2g}")

# %% [markdown]
# **What happened.** With the saturating loss G hardly moves: a perfect D taught it nothing. With the non-saturating
# loss D soon believes each picture, and yet no picture shows clothes. G found what a *fixed* D overlooks. Dark corners
# were enough.
#
# So a D that stands still teaches G only what D overlooks. D and G must learn in turn: each trick of G becomes D's next
# lesson. That is the training of chapter 6.

# %% [markdown]
# ## Exercise 4.1: a deeper discriminator
#
# Build a D with *three* convolutions of 32, 64 and 128 filters. Each halves the side: 28, 14, 7, 4. Each is followed by
# `LeakyReLU` and `Dropout`. The output is one logit.
#
# <details><summary>Hint</summary>
#
# Section 4.2 builds one with two convolutions. `strides=2` with `padding="same"` halves the side. After the last
# convolution, `Flatten` turns the maps into one row of numbers. The last layer has one output and no activation.
#
# </details>


# %% tags=["exercise"]
def build_deeper():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            ...,  # nine layers for the three convolutions
            ...,  # from maps to one logit
        ]
    )


check.discriminator(build_deeper)

# %% [markdown]
# ## Exercise 4.2: how often is D right?
#
# Write a function that gets the logits of real and of generated pictures, two arrays of equal length. It returns the
# share of all pictures about which D is right, as a number between 0 and 1.
#
# <details><summary>Hint</summary>
#
# Which logit belongs to the probability one half? `np.mean` of an array of `True` and `False` is the share of `True`.
#
# </details>


# %% tags=["exercise"]
def accuracy(real_logits, fake_logits):
    return ...


check.accuracy(accuracy)

# %% [markdown]
# ## Exercise 4.3: two slopes
#
# For one generated picture with the logit `x`, the saturating loss is `-softplus(x)` and the non-saturating loss is
# `softplus(-x)`. Write a function that returns the slope of each at `x`, for an array of logits. The slope of
# `softplus(x)` is `sigmoid(x)`.
#
# <details><summary>Hint</summary>
#
# `sigmoid(x)` is `1 / (1 + np.exp(-x))`. If `f(x)` has the slope `g(x)`, then `f(-x)` has the slope `-g(-x)`. Both
# losses fall when the logit rises, so both slopes are negative.
#
# </details>


# %% tags=["exercise"]
def slopes(x):
    saturating_slope = ...
    non_saturating_slope = ...
    return saturating_slope, non_saturating_slope


check.slopes(slopes)

# %% [markdown]
# The answers are in [answers/chapter_4](answers/chapter_4.py).
#
# ## The same in the library
#
# - [networks/transposed.py](../networks/transposed.py): `discriminator`, two convolutions like yours.
# - [networks/residual.py](../networks/residual.py): the larger discriminator of the shipped model.
# - [training/losses.py](../training/losses.py): `bce` has the non-saturating loss, `minimax` the saturating one. Each
#   is a line of `softplus`.
# - [training/gan.py](../training/gan.py): `GAN.compute_loss` trains D and G in the same step.
#
# ## Words of this chapter
#
# Discriminator, convolution, kernel, map, LeakyReLU, dropout, logit, sigmoid, Adam, vanishing gradients, saturation,
# non-saturating loss: see the [glossary](glossary.md).
#
# Next: [chapter 5, the generator](chapter_5_generator.py).
