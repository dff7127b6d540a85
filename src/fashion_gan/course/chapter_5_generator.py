# %% [markdown]
# # Chapter 5. The generator
#
# At the end you can build a generator. You know how numbers become a picture, where checkerboards come from, and how to
# avoid them.
#
# **Time:** 1 minute on two CPU cores, plus the time to think. **Installed:** the extra `course`, see chapter 2.
#
# The **generator**, G, turns a latent vector of 100 numbers into a picture of 28×28 pixels. It works like D in reverse:
# many small maps become one large picture. Nothing is trained until section 5.6: even an untrained G shows its faults.

# %% tags=["parameters"]
SEEDS = (0, 1, 2, 3, 4)
COUNT = 64  # pictures that a pattern is measured on
SCORED = 1_000  # pictures that are scored
LEARNED = 256  # pictures that a G memorizes in section 5.6
STEPS = (0, 10, 20, 40, 60, 80, 100)  # when the pattern is measured in section 5.6
MEMORY_SEEDS = (0, 1, 2)  # generators of each kind in section 5.6

# %% [markdown]
# ## 5.1 From 100 numbers to small maps
#
# G starts with a `Dense` layer. Its output is one long row of numbers. `Reshape` folds the row into small maps: here
# 128 maps of 7×7. Later layers enlarge the maps to 14×14 and 28×28.
#
# > **Predict.** `Dense` could give the 784 pixels at once. Which way needs more weights: 100 numbers to 784 pixels, or
# > 100 numbers to 128 maps of 7×7?

# %%
import keras
import numpy as np
import tensorflow as tf
from keras import layers

import fashion_gan
from fashion_gan.course import check, pictures
from fashion_gan.course.scores import real_score, score

row = np.arange(12).reshape(1, 12)
folded = layers.Reshape((2, 3, 2))(row).numpy()
print("a row of 12 numbers:", row[0].tolist())
print("as 2 maps of 2×3:", *folded[0].transpose(2, 0, 1).tolist(), sep="\n  ")
at_once, to_maps = 100 * 784, 100 * 7 * 7 * 128
print(f"to 784 pixels: {at_once:,} weights; to 128 maps of 7×7: {to_maps:,} weights")

# %% [markdown]
# **What happened.** `Reshape` moves nothing. It only says which number belongs to which place and map: the last axis
# runs fastest. `Dense` learns what each number means.
#
# The maps need more weights. In return, the later layers know about neighbors. `Dense` alone would have to
# learn each pixel of each sleeve position separately.

# %% [markdown]
# ## 5.2 Two ways to enlarge
#
# - **Upsampling** repeats each number in a block of 2×2. A convolution after it makes new detail.
# - A **transposed convolution** puts a small stamp for each number: its kernel, times the number. With `strides=2`, the
#   stamps are two pixels apart. Where stamps overlap, they add.
#
# > **Predict.** A map of 4×4 has two numbers that are not 0: a 1 and a -1. What does each way make of it?

# %%
small = np.zeros((1, 4, 4, 1), np.float32)
small[0, 1, 0], small[0, 2, 2] = 1, -1
stamp = layers.Conv2DTranspose(1, 3, strides=2, padding="same", use_bias=False)
stamp.build(small.shape)
kernel = np.float32([[1, 0, 1], [0, 1, 0], [1, 0, 1]])  # a cross
stamp.set_weights([kernel.reshape(3, 3, 1, 1)])
repeated, stamped = layers.UpSampling2D()(small).numpy(), stamp(small).numpy()
both = np.concatenate([repeated, stamped]).repeat(8, axis=1).repeat(8, axis=2)  # Each number becomes 8×8 pixels.
pictures.show(both, columns=2, title="UpSampling2D, Conv2DTranspose (white 1, black -1)")
print(f"{small.shape} becomes {repeated.shape} and {stamped.shape}")
print(stamped[0, :, :, 0].astype(int))

# %% [markdown]
# **What happened.** Upsampling has no weights: it only repeats. The transposed convolution stamped its kernel, a cross,
# once with each sign. Its kernel is learned, so it can draw detail at once.

# %% [markdown]
# ## 5.3 Checkerboards: shown
#
# Let all numbers be 1 and all weights be 1. Then each output says how many stamps reach it.
#
# > **Predict.** The stride is 2. Which of the kernel sizes 2, 3, 4 and 5 give the same count everywhere, far from the
# > border?

# %%
KERNELS = (2, 3, 4, 5)
boards = []
for size in KERNELS:
    layer = layers.Conv2DTranspose(1, size, strides=2, padding="same", use_bias=False, kernel_initializer="ones")
    boards.append(layer(np.ones((1, 14, 14, 1))).numpy()[0, :, :, 0])
    inside = np.unique(boards[-1][4:-4, 4:-4]).astype(int).tolist()
    print(f"kernel {size}, stride 2: {inside} stamps reach a pixel")
pictures.show(np.stack(boards) / np.max(boards) * 2 - 1, columns=4, title="Stamps at each pixel, kernels 2 to 5")

# %% [markdown]
# **What happened.** If the stride divides the kernel size, the stamps overlap evenly. Otherwise some pixels get more
# stamps than their neighbors, in a regular pattern: a **checkerboard**. The weights of the layer could balance it.
# Section 5.6 tests whether training does that.

# %% [markdown]
# ## 5.4 Batch norm and tanh
#
# Two parts are missing. **Batch normalization** gives each map the mean 0 and the variance 1 over the batch. Then it
# applies a learned factor and a learned shift. **Tanh** at the end bends all numbers into the range of the real
# pictures, from -1 to 1.
#
# > **Predict.** Without batch norm, does the spread of the maps grow or shrink from layer to layer?


# %%
def enlarge(kind, filters):
    """The layers that double the side: upsampling and a convolution, or a transposed convolution of a kernel size."""
    if kind == "upsampling":
        return [layers.UpSampling2D(), layers.Conv2D(filters, 3, padding="same")]
    return [layers.Conv2DTranspose(filters, kind, strides=2, padding="same")]


def build_generator(kind=4, norm=layers.BatchNormalization, end="tanh"):
    """Latents (N, 100) -> images (N, 28, 28, 1)."""
    return keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 128, use_bias=False),
            layers.Reshape((7, 7, 128)),
            norm(),
            layers.LeakyReLU(0.2),
            *enlarge(kind, 64),  # (N, 14, 14, 64)
            norm(),
            layers.LeakyReLU(0.2),
            *enlarge(kind, 1),  # (N, 28, 28, 1)
            layers.Activation(end),
        ]
    )


# %%
latents = tf.random.stateless_normal((COUNT, 100), seed=(0, 0))
spreads = {}
for name, norm in {"with batch norm": layers.BatchNormalization, "without": layers.Identity}.items():
    keras.utils.set_random_seed(0)
    x, spreads[name] = latents, []
    for layer in build_generator(norm=norm).layers:
        x = layer(x, training=True) if layer.name.startswith("batch") else layer(x)
        if layer.name.startswith("leaky"):
            spreads[name].append(float(tf.math.reduce_std(x)))
    spreads[name].append(float(tf.math.reduce_std(x)))
for name, values in spreads.items():
    print(f"{name}: spread {values[0]:.3f} at 7×7, {values[1]:.3f} at 14×14, {values[2]:.3f} of the pixels")

# %% [markdown]
# **What happened.** Keras's initial weights are small. Without batch norm each layer then makes the maps weaker. G
# would begin with pictures that are almost plain gray, and little gradient would come back through the layers. With
# batch norm the spread stays about the same.
#
# > **Predict.** The same latent vector stands in two batches with different company. Does G draw the same picture? Say
# > it for `training=True` and for `training=False`.

# %%
keras.utils.set_random_seed(0)
generator = build_generator()
company = tf.concat([latents[:1], 3 * latents[1:]], axis=0)  # the same first vector
differences = {}
for training in (True, False):
    one, other = (generator(batch, training=training)[0] for batch in (latents, company))
    differences[training] = float(tf.reduce_max(abs(one - other)))
    print(f"training={training}: the first picture differs by up to {differences[training]:.3f}")

# %%
ends = {}
for end in ("linear", "sigmoid", "tanh"):
    keras.utils.set_random_seed(0)
    pixels = build_generator(end=end)(latents, training=True).numpy()
    ends[end] = float(pixels.min()), float(pixels.max())
    print(f"{end:8} pixels from {pixels.min():6.2f} to {pixels.max():.2f}")

# %% [markdown]
# **What happened.** While it trains, batch norm uses the mean of the *batch*, so the pictures of a batch depend on each
# other. Outside of training, it uses averages that it collected during training.
#
# Without an activation at the end, pixels leave the range of the data, and D recognizes them by that. A sigmoid never
# draws darker than gray, but half of all real pixels are black. Tanh fits.
#
# **Questions that arise here**
#
# - *Why is there no batch norm at the end of G?* It would force each batch to have the same mean brightness.
# - *Why has D none?* With batch norm, D's answer to one picture would depend on the others in its batch. And a batch is
#   all real or all generated: the norm would remove the difference between their means. The first DCGAN used it. Many
#   later GANs do not.

# %% [markdown]
# ## 5.5 Checkerboards: measured and cured
#
# Do random weights hide the pattern? We cut the pixels into four groups by position: even or odd row, even or odd
# column. Without a pattern, all four groups have the same variance. The **unevenness** is the largest of the four
# variances divided by the smallest. 1 means no pattern.
#
# > **Predict.** Order by unevenness: kernel 3, kernel 4, kernel 5, upsampling.


# %%
def unevenness(some_images, stride=2):
    """The largest variance of a group of pixels divided by the smallest. The border is left out."""
    inner = np.asarray(some_images)[:, 4:-4, 4:-4]
    groups = [inner[:, row::stride, column::stride] for row in range(stride) for column in range(stride)]
    variances = [group.var() for group in groups]
    return max(variances) / min(variances)


KINDS = (3, 5, 4, "upsampling")
untrained = {}
for kind in KINDS:
    untrained[kind] = []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        untrained[kind].append(build_generator(kind)(latents, training=True).numpy())
uneven = {kind: [unevenness(some_images) for some_images in sets] for kind, sets in untrained.items()}

# %%
names = {kind: kind if kind == "upsampling" else f"kernel {kind}" for kind in KINDS}
rows = [sets[0][:6] for sets in untrained.values()]
pictures.show(np.concatenate(rows), columns=6, rows=list(names.values()), title="Untrained generators")
pixel_spread = np.array([np.concatenate(sets).std(axis=0) for sets in untrained.values()])
shown = (pixel_spread / pixel_spread.max() * 2 - 1).repeat(4, axis=1).repeat(4, axis=2)  # 4×4 for each pixel
pictures.show(shown, columns=4, title=f"Spread of each pixel: {', '.join(names.values())}")
means = {names[kind]: float(np.mean(values)) for kind, values in uneven.items()}
pictures.bars(means, form=".2f", title=f"Unevenness, mean of {len(SEEDS)} seeds: 1 is no pattern")
for kind, values in uneven.items():
    print(f"{names[kind]:10} from {min(values):.2f} to {max(values):.2f}")

# %% [markdown]
# **What happened.** The eye finds no grid in random pictures. Upsampling draws blotches, because neighbors share
# numbers. The spread of each pixel over all pictures shows the grid of kernels 3 and 5. The stamps of section 5.3
# explain it: the variance of a sum of random numbers grows with their number. That would give 4:1 for kernel 3 and 9:4
# for kernel 5. Tanh compresses large numbers, so we see less.
#
# There are two **cures**: a kernel size that the stride divides, or upsampling followed by a convolution. Both stay
# near 1. They are not exactly 1, because random weights differ by chance. Upsampling is the safer cure: with a kernel
# of 4, each of the four groups still has its own weights. So a fine grid can appear early in the training.
#
# **Questions that arise here**
#
# - *Does training remove the pattern?* See the next section.
# - *Why does the library's `transposed` network use kernel 5?* It repeats a well-known tutorial. `dcgan` uses 4.

# %% [markdown]
# ## 5.6 Does training remove the pattern?
#
# There is no D yet, so G gets a simpler task: it memorizes a few real pictures. Latent vector number 1 must
# become picture number 1, and so on. The loss is the mean squared difference. We measure the unevenness of what is
# still wrong: G's picture minus the real one.
#
# > **Predict.** Does the error of kernel 3 become even with training? Does that of kernel 4 stay even?


# %%
def memorize(generator, targets):
    """Train G on fixed pairs of a latent vector and a picture. Returns its errors at each of STEPS, and pictures."""
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(generator.trainable_variables)
    fixed = tf.random.normal((len(targets), 100))

    @tf.function
    def step(chosen):
        with tf.GradientTape() as tape:
            wanted = tf.gather(targets, chosen)
            loss = tf.reduce_mean((generator(tf.gather(fixed, chosen), training=True) - wanted) ** 2)
        gradients = tape.gradient(loss, generator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))

    history = []
    for number in range(STEPS[-1] + 1):
        if number in STEPS:
            error = generator(fixed, training=True) - targets
            history.append((unevenness(error), float(tf.reduce_mean(error**2))))
        step(tf.random.uniform((COUNT,), 0, len(targets), tf.int32))
    return history, generator(fixed[:6], training=True).numpy()


# %%
targets = fashion_gan.load_fashion_mnist("train").images[:LEARNED].astype(np.float32) / 127.5 - 1
learned, drawn = {}, {}
for kind in KINDS:
    histories = []
    for seed in MEMORY_SEEDS:
        keras.utils.set_random_seed(seed)
        history, drawn[names[kind]] = memorize(build_generator(kind), targets)
        histories.append(history)
    learned[kind] = np.array(histories)  # (seeds, times, 2): the unevenness and the error
pictures.show(np.concatenate([targets[:6], *drawn.values()]), columns=6, rows=["real", *drawn])
curves = {names[kind]: values[..., 0].mean(axis=0) for kind, values in learned.items()}
pictures.curves(curves, x=STEPS, title=f"Unevenness of the error, mean of {len(MEMORY_SEEDS)} seeds")
for kind, values in learned.items():
    last, error = values[:, -1, 0], values[:, [0, -1], 1].mean(axis=0)
    print(f"{names[kind]:10} error {error[0]:.2f} -> {error[1]:.3f}; unevenness {last.min():.2f} to {last.max():.2f}")

# %% [markdown]
# **What happened.** All four generators learn, and their errors become about equal. The error of kernel 3 stays the
# most uneven: its pixels with one stamp have fewer weights than their neighbors with four. Kernel 5 has at least four
# stamps at each pixel, and lies between. The two cures stay near 1. So this training does not repair the layers: choose
# them before. The eye sees little of it yet, because all four are still rough.

# %% [markdown]
# ## 5.7 What an untrained one draws
#
# > **Predict.** What do 16 pictures of an untrained G look like: random noise, all gray, all alike? How many classes of
# > clothes does the feature network of chapter 3 see in them?

# %%
keras.utils.set_random_seed(0)
generator = build_generator()
many = tf.random.normal((SCORED, 100))
drawn = {f"training={training}": generator(many, training=training).numpy() for training in (True, False)}
pictures.show(np.concatenate([some_images[:8] for some_images in drawn.values()]), columns=8, rows=list(drawn))
noise = np.random.default_rng(0).uniform(-1, 1, (SCORED, 28, 28, 1)).astype(np.float32)
scores = {"real pictures": real_score(SCORED), "noise": score(noise)}
scores |= {f"untrained, {name}": score(some_images) for name, some_images in drawn.items()}
distances = {name: value.frechet for name, value in scores.items()}
pictures.bars(distances, title=f"Fréchet distance to real pictures, {SCORED:,} pictures each", form=".1f")
for name, value in scores.items():
    print(f"{name}: {value}")

# %% [markdown]
# **What happened.** Without training, batch norm has collected no averages. With `training=False` it changes nothing,
# the maps become weaker from layer to layer, and the pictures are gray. With `training=True` they are noise. Neither
# shows clothes, and the Fréchet distance is far from that of real pictures. Plain gray scores better than noise: so
# always look at the pictures too. The feature network must name a class for each picture, even for noise.
#
# **Questions that arise here**
#
# - *Is this collapse?* No. Collapse means that a *trained* G draws few kinds of pictures. This one draws none yet.
# - *Why does the real score of 1,000 pictures differ from chapter 3?* Fewer pictures have a larger distance.

# %% [markdown]
# ## Exercise 5.1: your own generator
#
# Build a generator: from 100 numbers to 7×7 maps, then to 14×14, then to 28×28 with one channel. Choose a way to
# enlarge that makes no checkerboards. Use batch normalization. All pixels must lie in [-1, 1].
#
# <details><summary>Hint</summary>
#
# Order: `Dense`, `Reshape`, `BatchNormalization`, `LeakyReLU`. Then an enlarging layer, again with norm and LeakyReLU.
# Then a second enlarging layer with one filter and `tanh`. Without `padding="same"` the sides come out wrong.
#
# </details>


# %% tags=["exercise"]
def build_mine():
    return keras.Sequential(
        [
            keras.Input((100,)),
            ...,  # from 100 numbers to maps of 7×7
            ...,  # to 14×14
            ...,  # to 28×28, one channel, in [-1, 1]
        ]
    )


check.generator(build_mine)

# %% [markdown]
# ## Exercise 5.2: count the stamps
#
# In one dimension, a transposed convolution puts stamps of length `kernel`, `stride` places apart, one for each input.
# Write a function that returns how many stamps reach each output, without any padding.
#
# Example: 3 inputs, kernel 3 and stride 2 give `[1, 1, 2, 1, 2, 1, 1]`.
#
# <details><summary>Hint</summary>
#
# The stamp of input number `i` covers the outputs from `stride * i` on. The last input has the number `inputs - 1`.
# Where does its stamp start, and where does it end?
#
# </details>


# %% tags=["exercise"]
def overlaps(inputs, kernel, stride):
    counts = np.zeros(..., int)
    for start in range(0, ..., stride):
        counts[start : start + kernel] += 1
    return counts


check.overlaps(overlaps)

# %% [markdown]
# ## Exercise 5.3: batch normalization by hand
#
# Write batch normalization for maps `x` of the shape (N, rows, columns, channels). Each channel gets the mean 0 and the
# variance 1 over the whole batch. Then multiply by `gamma` and add `beta`, both of the shape (channels,).
#
# <details><summary>Hint</summary>
#
# `x.mean(axis=...)` takes the mean over the axes that you name, and keeps the others. Which of the axes 0, 1, 2 and 3
# must stay? The small `1e-3` prevents a division by 0 if a channel is constant.
#
# </details>


# %% tags=["exercise"]
def batch_norm(x, gamma, beta):
    mean = ...
    variance = ...
    normalized = (x - mean) / np.sqrt(variance + 1e-3)
    return ... * normalized + ...


check.batch_norm(batch_norm)

# %% [markdown]
# The answers are in [answers/chapter_5](answers/chapter_5.py).
#
# ## The same in the library
#
# - [networks/transposed.py](../networks/transposed.py): `generator` with transposed convolutions of kernel 5.
# - [networks/dcgan.py](../networks/dcgan.py): `generator` with kernel 4, for pictures of many sizes.
# - [networks/upsampling.py](../networks/upsampling.py): `generator` with upsampling and convolutions.
# - [networks/heads.py](../networks/heads.py): `to_pixels` is the tanh at the end.
# - [networks/batch_norm_recalibration.py](../networks/batch_norm_recalibration.py): batch norm's averages, measured
#   again before a generator is used.
#
# ## Words of this chapter
#
# Generator, latent vector, map, upsampling, transposed convolution, checkerboard, batch normalization, tanh: see the
# [glossary](glossary.md).
#
# Next: [chapter 6, training](chapter_6_training.py).
