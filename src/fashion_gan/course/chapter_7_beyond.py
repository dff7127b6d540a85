# %% [markdown]
# # Chapter 7. Generating, and beyond
#
# At the end you can steer a trained generator, say how good its pictures are, choose a loss, and decide when a GAN is
# the wrong tool. Then you train one on pictures of your own and share it as a page.
#
# **Time:** 9 minutes on two CPU cores, plus the time to think. **Installed:** the extra `course`, see chapter 2.

# %% tags=["parameters"]
COUNT = 2_000  # pictures in each scored set
FEWER = (500, 1_000, 2_000, 5_000)  # set sizes in section 7.3
LOSS_STEPS = 2_000  # of each training in section 7.4
LOSS_SEEDS = (0, 1, 2)
CLASSIFIER_STEPS = 200  # of each training in section 7.5
SYNTHETIC = 200  # generated pictures of each class in section 7.5
RACE_SECONDS = 60  # of each training in section 7.6
RACE_SEEDS = (0, 1)
DRAWN = 1_000  # pictures that each racer draws
DRAW_STEPS = 20  # of the diffusion model, from noise to picture
PER_CLASS = 200  # own pictures of each class in section 7.7
OWN_MINUTES = 1.5

# %% [markdown]
# ## 7.1 Steer a trained generator
#
# Three ways lead to the picture that you want. The **class** says what is drawn. A **latent walk** goes from one latent
# vector to another. **Truncation** makes all latent vectors shorter.
#
# > **Predict.** Each column of the first grid has one latent vector, each row one class. What do the pictures of a
# > column share?

# %%
import time

import numpy as np
from tqdm import tqdm

import fashion_gan
from fashion_gan.course import check, pictures

shipped = fashion_gan.Generator.from_pretrained("fashion")
latents = shipped.latents(8, seed=3)
rows = [shipped.decode(latents, labels=name) for name in shipped.class_names]
pictures.show(np.concatenate(rows), columns=8, rows=shipped.class_names, title="A latent vector for each column")

# %% [markdown]
# **What happened.** Label and latent vector do different work. The label gives the kind of clothing. The latent vector
# gives the rest: how bright it is, how wide, how long. Nobody told the network to share these properties among classes.
#
# > **Predict.** You walk from one latent vector to another in eight steps. Do the pictures jump, or change smoothly?
# > And how long is the vector halfway on a straight line, compared with its ends?

# %%
first, last = latents[1], latents[5]
share = np.linspace(0, 1, 8, dtype=np.float32)[:, np.newaxis]
line = (1 - share) * first + share * last
arc = np.stack([shipped.mix(first, last, float(part)) for part in share[:, 0]])
walks = [shipped.decode(path, labels="Dress") for path in (line, arc)]
pictures.show(np.concatenate(walks), columns=8, rows=["straight", "on the sphere"], title="From one dress to another")
print("length of the vectors, straight:     ", *(f"{np.linalg.norm(vector):5.1f}" for vector in line))
print("length of the vectors, on the sphere:", *(f"{np.linalg.norm(vector):5.1f}" for vector in arc))

# %% [markdown]
# **What happened.** The change is smooth. G may still copy training pictures. Section 7.3 searches for copies.
#
# Gaussian vectors with 100 numbers have nearly the same length, about 10. They lie near a **sphere**. A straight line
# leaves it, and its middle is too short. The network has seen few such vectors in training. So walks follow the sphere.
#
# > **Predict.** Truncation multiplies all latent vectors by a number. What becomes of sixteen shirts at 0.3? At 1.5?

# %%
scales = (0.3, 0.6, 1.0, 1.5)
shirts = [shipped.generate(16, labels="Shirt", seed=5, truncation=scale) for scale in scales]
pictures.show(np.concatenate(shirts), columns=16, rows=[str(scale) for scale in scales], title="Truncation")

# %% [markdown]
# **What happened.** Shorter vectors give typical shirts that look alike. Longer ones give odd shirts. Which scale is
# best? That depends on what you need: 7.3 measures it.

# %% [markdown]
# ## 7.2 Measure it by hand
#
# Chapter 3 turned pictures into **features**, 320 numbers each. Three figures compare the features of two sets.
#
# - **Fréchet distance:** how far apart are the means and the covariances?
# - **Precision:** which share of the generated pictures looks real?
# - **Recall:** which share of the real pictures can the generator draw?
#
# Each real picture gets a ball that reaches to its fifth nearest real neighbor. A generated picture "looks real" if it
# lies in at least one ball. Recall exchanges the two sets: a real picture counts if it lies in a ball around a
# generated one.

# %%
from fashion_gan.course.scores import reference
from fashion_gan.metrics.features import extract


def frechet(first, second):
    """|m1 - m2|² + trace(C1 + C2 - 2 (C1 C2)^½), for means m and covariances C."""
    difference = first.mean(axis=0) - second.mean(axis=0)
    covariances = np.cov(first.T), np.cov(second.T)
    eigenvalues = np.linalg.eigvals(covariances[0] @ covariances[1]).real
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    return difference @ difference + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * trace_of_root


def squared_distances(first, second):
    """From each vector of the first set to each of the second: |a|² + |b|² - 2 a·b."""
    squares = (first**2).sum(axis=1)[:, np.newaxis] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.maximum(squares, 0)


def inside(points, centers):
    """Which points lie in a ball around a center? A ball reaches to the fifth nearest other center."""
    radii = np.sort(squared_distances(centers, centers), axis=1)[:, 5]  # Number 0 is the center.
    return (squared_distances(points, centers) < radii).any(axis=1)


# %% [markdown]
# > **Predict.** The test pictures are split in two sets, and the first is compared with the second. Is its precision
# > 100%? Is the shipped generator weaker in precision or in recall?


# %%
def features(images):
    return extract(images, "").vectors.astype(np.float64)


train, test = fashion_gan.load_fashion_mnist("train"), fashion_gan.load_fashion_mnist("test")
real = features(test.images[:COUNT])
held_out = test.images[COUNT : 2 * COUNT]
generated = shipped.generate(COUNT)


def figures(images):
    vectors = features(images)
    return frechet(vectors, real), inside(vectors, real).mean(), inside(real, vectors).mean()


by_hand = {"other real pictures": figures(held_out), "the shipped generator": figures(generated)}
pictures.table(
    ["set", "precision", "recall", "Fréchet distance"],
    [[name, f"{p:.1%}", f"{r:.1%}", f"{d:.3f}"] for name, (d, p, r) in by_hand.items()],
)

# %%
from fashion_gan.metrics.distances import frechet_distance, gaussian, neighborhoods

vectors = features(generated)
balls = neighborhoods(real, vectors)
library = frechet_distance(gaussian(vectors), gaussian(real)), balls.precision.mean(), balls.recall.mean()
for name, ours, theirs in zip(
    ("Fréchet", "precision", "recall"), by_hand["the shipped generator"], library, strict=True
):
    print(f"{name:10} by hand {ours:.6f}, in the library {theirs:.6f}")

# %% [markdown]
# **What happened.** The generator is weaker in recall: it draws less variety than the data have. The few lines of NumPy
# give the library's values. Even real pictures do not reach 100%: a rare picture lies in no ball of another sample. So
# read each figure next to the **real baseline** in the first row.

# %% [markdown]
# ## 7.3 How the figures mislead
#
# Each figure can be fooled. You now fool all three.
#
# > **Predict.** One generator draws 500, 1,000, 2,000 and 5,000 pictures. The generator does not change. Does
# > its Fréchet distance change?

# %%
test_vectors = features(test.images)
by_count = {f"generated, {count:,}": frechet(features(shipped.generate(count)), test_vectors) for count in FEWER}
few_real = train.images[reference().training_sample(FEWER[0])]
by_count[f"real, {FEWER[0]:,}"] = frechet(features(few_real), test_vectors)
pictures.bars(by_count, xlabel="Fréchet distance to the test pictures", title="By the number of pictures", form=".2f")

# %% [markdown]
# **What happened.** More pictures of the same generator get a better score. Compare the last bar with the one above it:
# a large generated set can even beat a small real one. A score without its number of pictures says nothing.
#
# > **Predict.** Which figures notice: stolen training pictures? One perfect dress, 2,000 times? Real pictures with
# > noise that you hardly see? Pictures at truncation 0.5? Write a cross for each figure that gets *worse*.

# %%
random = np.random.default_rng(0)
dresses = held_out[inside(features(held_out), real) & (test.labels[COUNT : 2 * COUNT] == 3)]
noisy = np.clip(np.rint(held_out + random.normal(0, 8, held_out.shape)), 0, 255).astype(np.uint8)
SETS = {
    "real": held_out,
    "stolen": train.images[reference().training_sample(COUNT)],
    "one dress": np.repeat(dresses[:1], COUNT, axis=0),
    "faint noise": noisy,
    "generated": generated,
    "truncation 0.5": shipped.generate(COUNT, truncation=0.5),
}
pictures.show(np.concatenate([images[:10] for images in SETS.values()]), columns=10, rows=list(SETS))


# %%
def nearest_distance(images, others):
    """From each picture to the nearest other one: the root of the mean squared difference of their pixels."""
    first, second = (part.reshape(len(part), -1).astype(np.float32) for part in (images, others))
    return np.sqrt(squared_distances(first, second).min(axis=1) / first.shape[1])


results = {name: figures(images) for name, images in SETS.items()}
copied = {name: (nearest_distance(images[:200], train.images) < 1).mean() for name, images in SETS.items()}
pictures.table(
    ["set", "Fréchet", "precision", "recall", "copies of training pictures"],
    [[name, f"{d:.2f}", f"{p:.0%}", f"{r:.0%}", f"{copied[name]:.0%}"] for name, (d, p, r) in results.items()],
)

# %% [markdown]
# **What happened.**
#
# - **Stolen** pictures score like real ones in all three figures. Only the search for copies finds them. A generator
#   that memorized its training set would be called perfect.
# - **One dress** has perfect precision. Recall and Fréchet distance expose it.
# - **Faint noise** makes all three figures worse, the Fréchet distance most, though your eye hardly sees it.
# - **Truncation** raises precision and lowers recall. You can buy one with the other, so show both.
#
# **Questions that arise here**
#
# - *Which figures should I report?* The Fréchet distance with precision, recall, the number of pictures, the real
#   baseline and a search for copies. That is what `fashion_gan.evaluate` prints.
# - *Is my generator copying?* Look at the nearest training pictures, as exercise 7.2 does. Small changes hide a copy
#   from this simple search. The library's test works on features, and compares with held-out pictures.

# %% [markdown]
# ## 7.4 From bce to the relativistic loss
#
# A loss is one line. `real` and `fake` are D's logits for real and generated pictures. Each function returns D's loss
# and G's loss. Compare each with the one above it.
#
# - **bce:** D decides for each picture, "real" or "generated". You know it from chapter 6.
# - **hinge:** D ignores pictures about which it is already sure enough.
# - **Wasserstein:** D no longer decides. It moves the two sets of logits apart, without limit.
# - **relativistic:** D says which of two pictures is more real.

# %%
import keras
import tensorflow as tf

tf.get_logger().setLevel("ERROR")  # This chapter compiles many small functions. TensorFlow warns about that.
mean, softplus, relu = tf.reduce_mean, tf.nn.softplus, tf.nn.relu


def bce(real, fake):
    return mean(softplus(-real)) + mean(softplus(fake)), mean(softplus(-fake))


def hinge(real, fake):
    return mean(relu(1 - real)) + mean(relu(1 + fake)), mean(-fake)


def wasserstein(real, fake):
    return mean(-real) + mean(fake), mean(-fake)


def relativistic(real, fake):
    return mean(softplus(fake - real)), mean(softplus(real - fake))


# %% [markdown]
# The Wasserstein loss needs a limit. **WGAN-GP** adds one: a **gradient penalty**. It looks at points between real and
# generated ones. It pulls D's slope there toward 1, so D cannot move the two sets of logits apart without limit. The
# penalty contains a gradient. To train D with it, you need the gradient of a gradient: one tape inside another. For
# pictures, `share` has the shape (N, 1, 1, 1), and the squares are summed over all three axes.


# %%
def gradient_penalty(discriminator, real, fake):
    """The mean of (|slope of D| - 1)², at random points between real and generated ones."""
    share = tf.random.uniform((len(real), 1))
    between = share * real + (1 - share) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = discriminator(between)
    squares = tf.reduce_sum(tape.gradient(logits, between) ** 2, axis=1)
    return mean((tf.sqrt(squares + 1e-12) - 1) ** 2)  # Without 1e-12, the gradient of the root is NaN at 0.


# %% [markdown]
# The answer must be known to count mistakes. So the data are a **ring of eight spots** on the plane, as in chapter 1. A
# generator can fail in two ways: it misses spots, or it puts points between them.

# %%
angles = 2 * np.pi * np.arange(8) / 8
SPOTS = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
WIDTH, BATCH, NOISE = 0.1, 128, 4


def real_points(count):
    spots = tf.gather(SPOTS, tf.random.uniform((count,), 0, 8, tf.int32))
    return spots + WIDTH * tf.random.normal((count, 2))


def dense_network(inputs, outputs):
    hidden = [keras.layers.Dense(64, activation="leaky_relu") for _ in range(2)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, keras.layers.Dense(outputs)])


def quality(points):
    """The number of spots that are hit, and the share of points that hit one (within 3 widths)."""
    distances = np.linalg.norm(points[:, np.newaxis] - SPOTS, axis=-1)
    hits = distances.min(axis=1) < 3 * WIDTH
    counts = np.bincount(distances.argmin(axis=1)[hits], minlength=8)
    return int((counts > len(points) / 50).sum()), hits.mean()


# %%
def apply(optimizer, network, gradients):
    optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))


def losses_on_the_ring(loss, penalty_weight, generator, discriminator):
    """D's and G's loss on a new batch, and the tape that recorded them."""
    real = real_points(BATCH)
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(tf.random.normal((BATCH, NOISE)))
        d_loss, g_loss = loss(discriminator(real), discriminator(fake))
        if penalty_weight:
            d_loss += penalty_weight * gradient_penalty(discriminator, real, tf.stop_gradient(fake))
    return tape, d_loss, g_loss


# %%
def train_on_the_ring(loss, penalty_weight, seed, d_steps=1):
    """Train a small GAN with d_steps steps of D for each of G. Returns D and 2,000 points of G."""
    keras.utils.set_random_seed(seed)
    generator, discriminator = dense_network(NOISE, 2), dense_network(2, 1)
    g_optimizer, d_optimizer = (keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2))
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)

    setting = loss, penalty_weight, generator, discriminator

    @tf.function
    def run(steps):
        for _ in tf.range(steps):
            for _ in range(d_steps):
                tape, d_loss, _ = losses_on_the_ring(*setting)
                apply(d_optimizer, discriminator, tape.gradient(d_loss, discriminator.trainable_variables))
            tape, _, g_loss = losses_on_the_ring(*setting)
            apply(g_optimizer, generator, tape.gradient(g_loss, generator.trainable_variables))

    run(tf.constant(LOSS_STEPS))
    return discriminator, generator(tf.random.normal((2_000, NOISE))).numpy()


# %% [markdown]
# The authors of WGAN-GP train D five times for each step of G. So there is one more training, with their five steps.
#
# > **Predict.** Four losses, each with and without the gradient penalty. What matters more: the loss or the penalty?
# > Which of them find all eight spots?

# %%
PENALTY = 0.1
LOSSES = bce, hinge, wasserstein, relativistic
WAYS = [(loss, weight, 1) for loss in LOSSES for weight in (0, PENALTY)]
WAYS.append((wasserstein, PENALTY, 5))
on_the_ring = {
    (loss.__name__, weight, d_steps): [
        quality(train_on_the_ring(loss, weight, seed, d_steps)[1]) for seed in LOSS_SEEDS
    ]
    for loss, weight, d_steps in tqdm(WAYS, leave=False)
}
rows = []
for (name, weight, d_steps), runs in on_the_ring.items():
    spots, shares = zip(*runs, strict=True)
    extremes = f"{min(shares):.0%} to {max(shares):.0%}"
    found = " ".join(map(str, spots))
    rows.append([name, "yes" if weight else "no", f"{d_steps}", found, f"{np.mean(shares):.0%}", extremes])
pictures.table(["loss", "penalty", "steps of D", "spots found, by seed", "points on a spot", "lowest to highest"], rows)


# %%
def show_on_the_ring(loss, penalty_weight, d_steps, title):
    d, drawn = train_on_the_ring(loss, penalty_weight, 0, d_steps)
    middle = mean(d(drawn))
    points = {"real": real_points(300).numpy(), "generated": drawn[:500]}
    pictures.field(lambda places: tf.sigmoid(d(places) - middle).numpy(), points, title=title)


show_on_the_ring(wasserstein, 0, 1, "Wasserstein without a penalty")
show_on_the_ring(wasserstein, PENALTY, 5, "WGAN-GP: Wasserstein with the penalty, and five steps of D")


# %%
def shares_on_spots(weight):
    """A row for each loss, a column for each seed."""
    return np.array([[share for _, share in on_the_ring[loss.__name__, weight, 1]] for loss in LOSSES])


without, penalized = shares_on_spots(0), shares_on_spots(PENALTY)
wgan_gp = np.mean([share for _, share in on_the_ring["wasserstein", PENALTY, 5]])
print(f"Wasserstein: {without[2].mean():.0%} of the points lie on a spot; with the penalty, {penalized[2].mean():.0%};")
print(f"with the penalty and five steps of D for each of G, {wgan_gp:.0%}")
others = without[[0, 1, 3]]  # bce, hinge and relativistic
effects = 100 * (penalized - without).mean(axis=1)[[0, 1, 3]]
print(f"The penalty changes the means of the other three by {effects.min():+.0f} to {effects.max():+.0f} points.")
print(f"The means of the other three losses lie {100 * np.ptp(others.mean(axis=1)):.0f} points apart,")
print(f"and the seeds of one loss up to {100 * np.ptp(others, axis=1).max():.0f} points.")

# %% [markdown]
# **What happened.** Wasserstein without the penalty differs most from seed to seed: nothing keeps D's logits from
# growing. The penalty helps, but the seeds still differ. With five steps of D for each of G, they agree: WGAN-GP needs
# a D that is ahead of G. The other three losses find the spots without a penalty. The third printed line says what the
# penalty changes for them.
#
# Now read the last two lines before you call one of the three the best. If the losses lie no farther apart than the
# seeds of one loss, you have shown no difference. Even a shown difference of a few points on a toy is a small one.
#
# **Questions that arise here**
#
# - *Which loss should I choose?* Start with `bce`. Change the loss last.
# - *Why do papers say otherwise?* They compare on large pictures and long trainings, where a penalty matters more. And
#   often the newer loss has the better tuned settings, or each loss has one run.
# - *Why is the WGAN loss negative, or 5, or -20?* D's loss is a difference of means, not a cross-entropy. With the
#   penalty and a well-trained D, minus D's loss estimates how far the two sets lie apart: here a loss does say
#   something. G's loss alone does not, because D may add any number to all its logits.

# %% [markdown]
# ## 7.5 Does it help a classifier?
#
# Generated pictures come with labels. So they can train a classifier, if real pictures are few. A fair test trains two
# classifiers, with and without generated pictures. Both take the same number of steps. Both are tested on real pictures
# that they have not seen.
#
# > **Predict.** A classifier learns from 10 real pictures of each class. Then generated ones are added. How many points
# > of accuracy does that bring? And with 200 real pictures of each class?

# %%
benefit = fashion_gan.augment_test(
    real_per_class=[10, 200], synthetic_per_class=SYNTHETIC, seeds=2, steps=CLASSIFIER_STEPS
)
pictures.table(
    ["real of each class", "real only", "real, flipped and shifted", "with generated", "generated only"],
    [
        [str(size.real_per_class)] + [f"{outcome.accuracy.value:.1%}" for outcome in size.regimes.values()]
        for size in benefit.sizes
    ],
)

# %%
for size in benefit.sizes:
    print(f"{size.real_per_class} real pictures of each class: {size.summary}\n")

# %% [markdown]
# **What happened.** The fewer real pictures there are, the larger the gain in the table. The verdict asks more: is the
# gain larger than chance? The numbers in parentheses are the 95% interval of the gain. Two seeds give a wide one. So a
# large gain can be unproven, and a small one proven. More seeds decide it.
#
# **A trap.** The shipped generator learned from 55,000 labeled pictures. They are inside it, in a way. If you have only
# 100 pictures, a GAN trained on those 100 cannot add what they do not show.

# %% [markdown]
# ## 7.6 A GAN and a diffusion model at equal minutes
#
# A **diffusion model** learns to remove noise. The form used here, flow matching, mixes a picture with noise: at time 0
# all is noise, at time 1 all is picture. A network sees the mixture and the time. It predicts the direction from the
# noise to the picture. To draw, start from noise and follow the direction in small steps.
#
# There is no opponent. The loss is a plain mean squared error. If it falls, the model has learned something.

# %%
layers = keras.layers


def adam(rate, beta_1):
    """Adam that also keeps a moving average of the weights. Both racers draw with the average."""
    return keras.optimizers.Adam(rate, beta_1=beta_1, use_ema=True, ema_momentum=0.99)


# %%
def direction_network(width=48):
    """A small U-Net: (a mixture, its time) -> the direction from the noise to the picture.

    A U-Net shrinks a picture and enlarges it again. Its maps of each size are also passed on directly.
    """
    mixture, moment = keras.Input((28, 28, 1)), keras.Input((1,))
    # The time as waves of several lengths: a network reads them better than one number.
    waves = moment * np.float32(np.pi / 2 * 2.0 ** np.arange(6))
    clock = layers.Dense(64, activation="silu")(
        keras.ops.concatenate([keras.ops.sin(waves), keras.ops.cos(waves)], axis=1)
    )

    def block(x, channels):
        x = layers.Conv2D(channels, 3, padding="same")(x)
        x = layers.Activation("silu")(x + layers.Reshape((1, 1, channels))(layers.Dense(channels)(clock)))
        return layers.Conv2D(channels, 3, padding="same", activation="silu")(x)

    fine = block(layers.Conv2D(width, 4, strides=2, padding="same", activation="silu")(mixture), width)
    coarse = block(layers.AveragePooling2D(2)(fine), 2 * width)
    both = block(layers.Concatenate()([layers.UpSampling2D(2)(coarse), fine]), width)
    return keras.Model([mixture, moment], layers.Conv2DTranspose(1, 4, strides=2, padding="same")(both))


# %%
class Flow:
    """A diffusion model by flow matching."""

    noise_shape = (28, 28, 1)

    def __init__(self):
        self.network, self.optimizer = direction_network(), adam(2e-3, 0.9)
        self.optimizer.build(self.network.trainable_variables)

    @tf.function
    def step(self, real):
        noise, moment = tf.random.normal(real.shape), tf.random.uniform((len(real), 1, 1, 1))
        with tf.GradientTape() as tape:
            direction = self.network([(1 - moment) * noise + moment * real, moment[:, :, 0, 0]])
            loss = mean((direction - (real - noise)) ** 2)
        apply(self.optimizer, self.network, tape.gradient(loss, self.network.trainable_variables))
        return loss

    @tf.function
    def draw(self, drawn):
        for number in range(DRAW_STEPS):
            moment = tf.fill((len(drawn), 1), number / DRAW_STEPS)
            drawn += self.network([drawn, moment]) / DRAW_STEPS
        return tf.clip_by_value(drawn, -1, 1)


# %% [markdown]
# The GAN is of the kind of chapter 6, with about the same width.


# %%
def gan_networks(width=48):
    """A generator and a discriminator."""
    wide = {"kernel_size": 4, "strides": 2, "padding": "same"}
    generator = keras.Sequential([keras.Input((100,)), layers.Dense(7 * 7 * 2 * width), layers.BatchNormalization()])
    generator.add(layers.ReLU())
    generator.add(layers.Reshape((7, 7, 2 * width)))
    generator.add(layers.Conv2DTranspose(width, **wide))
    generator.add(layers.BatchNormalization())
    generator.add(layers.ReLU())
    generator.add(layers.Conv2DTranspose(1, activation="tanh", **wide))
    discriminator = keras.Sequential([keras.Input((28, 28, 1))])
    for channels in (width, 2 * width):
        discriminator.add(layers.Conv2D(channels, **wide))
        discriminator.add(layers.LeakyReLU(0.2))
    discriminator.add(layers.Dropout(0.3))
    discriminator.add(layers.Flatten())
    discriminator.add(layers.Dense(1))
    return generator, discriminator


# %%
class Gan:
    """A GAN with the bce loss."""

    noise_shape = (100,)

    def __init__(self):
        self.network, self.discriminator = gan_networks()
        self.optimizer, self.d_optimizer = adam(4e-4, 0.5), adam(4e-4, 0.5)
        self.optimizer.build(self.network.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)

    @tf.function
    def step(self, real):
        with tf.GradientTape(persistent=True) as tape:
            fake = self.network(tf.random.normal((len(real), 100)), training=True)
            logits = [self.discriminator(some, training=True) for some in (real, fake)]
            d_loss, g_loss = bce(*logits)
        apply(self.d_optimizer, self.discriminator, tape.gradient(d_loss, self.discriminator.trainable_variables))
        apply(self.optimizer, self.network, tape.gradient(g_loss, self.network.trainable_variables))
        return g_loss

    @tf.function
    def draw(self, latents):
        return self.network(latents, training=False)


# %% [markdown]
# > **Predict.** Both train for the same time, then draw the same number of pictures. Which one has the lower Fréchet
# > distance? Which one is more even from seed to seed? Which one draws faster, and by what factor?

# %%
images = tf.constant(train.images.astype(np.float32) / 127.5 - 1)


def next_batch():
    return tf.gather(images, tf.random.uniform((64,), 0, len(images), tf.int32))


def race(kind, seed):
    """Train for RACE_SECONDS, draw, and measure. The first step is not counted, because it compiles."""
    keras.utils.set_random_seed(seed)
    model, losses = kind(), []
    model.step(next_batch())
    start = time.perf_counter()
    for second in tqdm(range(RACE_SECONDS), desc=f"{kind.__name__}, seconds", leave=False):
        while time.perf_counter() < start + second + 1:
            losses.append(model.step(next_batch()))
    model.optimizer.finalize_variable_values(model.network.trainable_variables)  # the moving average
    noise = tf.random.normal((DRAWN, *model.noise_shape))
    model.draw(noise[:100])
    start = time.perf_counter()
    drawn = np.concatenate([model.draw(noise[first : first + 100]) for first in range(0, DRAWN, 100)])
    return np.array(losses), time.perf_counter() - start, pictures.as_pixels(drawn)


# %%
races = {kind.__name__: [race(kind, seed) for seed in RACE_SEEDS] for kind in (Gan, Flow)}
pictures.show(np.concatenate([runs[0][2][:32] for runs in races.values()]), columns=16, title="GAN above, flow below")
for name, runs in races.items():
    pictures.curves(
        {"loss": runs[0][0]}, title=f"{name}: {'loss of G' if name == 'Gan' else 'loss'}, seed {RACE_SEEDS[0]}"
    )

# %%
raced = {name: np.array([figures(drawn) for _, _, drawn in runs]) for name, runs in races.items()}
raced["real"] = np.array([figures(held_out[:DRAWN])])
speed = {name: np.mean([DRAWN / seconds for _, seconds, _ in runs]) for name, runs in races.items()}
rows = []
for name, values in raced.items():
    _, precision, recall = values.mean(axis=0)
    row = [name, " ".join(f"{distance:.1f}" for distance in values[:, 0]), f"{precision:.0%}", f"{recall:.0%}"]
    steps = [len(losses) for losses, _, _ in races.get(name, ())]
    rows.append([*row, f"{np.mean(steps):,.0f}" if steps else "", f"{speed[name]:,.0f}" if steps else ""])
pictures.table(["model", "Fréchet, by seed", "precision", "recall", "steps", "pictures a second"], rows)

# %%
gan_scores, flow_scores = raced["Gan"][:, 0], raced["Flow"][:, 0]
if gan_scores.max() < flow_scores.min():
    print("Each seed of the GAN has a lower Fréchet distance than each seed of the diffusion model.")
elif flow_scores.max() < gan_scores.min():
    print("Each seed of the diffusion model has a lower Fréchet distance than each seed of the GAN.")
else:
    print("The seeds overlap: these runs show no winner.")
print(f"The GAN draws {speed['Gan'] / speed['Flow']:.0f} times as fast: the diffusion model needs {DRAW_STEPS} passes.")

# %% [markdown]
# **What happened.** Compare both with the row of real pictures: neither is good after so short a training, and neither
# covers the data. The figures can disagree about the winner: the Fréchet distance sees what precision does not. The
# table holds for small networks, this data and this time. It says nothing about an hour or a GPU: change `RACE_SECONDS`
# and see.
#
# Two facts do not depend on the budget. The GAN draws in one pass. The diffusion model's loss falls while it gets
# better, so you see that it learns. (Later the loss is nearly flat, and the pictures still improve.) The loss of G says
# nothing of the kind. The column of distances shows how even each model is from seed to seed.
#
# **When not to use a GAN**
#
# - **You must cover everything that is in the data.** G learns only from its own pictures, so nothing points to the
#   ones that it never draws. A diffusion model is punished for each picture that it cannot explain. (A minute of
#   training is too short to show that.)
# - **You cannot watch over the training.** A GAN can collapse after hours. A mean squared error does not.
# - **You want pictures of anything, from text.** Large diffusion models do that today. Take a trained one.
# - **You need the likelihood** of a picture. A GAN has none.
#
# **When to use one:** you need pictures in milliseconds, on a phone or in a browser; or many of them; or a latent space
# to walk in. Then one pass counts more than anything else.

# %% [markdown]
# ## 7.7 Capstone: your own pictures, from a folder to a shared page
#
# A folder for each class is all that the library needs. This section draws simple shapes, so that it runs anywhere. For
# your own pictures, change `MINE` to your folder and leave the drawing out.

# %%
import shlex
from pathlib import Path

from PIL import Image, ImageDraw

from fashion_gan.cli import main

WORK = Path("chapter_7")
MINE = WORK / "pictures"


def draw_shape(kind, random):
    """A gray shape of random size, place, angle and brightness on black."""
    picture = Image.new("L", (56, 56))
    x, y, radius = random.uniform((22, 22, 10), (34, 34, 20))
    gray, angle = int(random.uniform(120, 255)), random.uniform(0, 90)
    if kind == "ring":
        box = (x - radius, y - radius, x + radius, y + radius)
        ImageDraw.Draw(picture).ellipse(box, outline=gray, width=6)
    else:
        sides = {"triangle": 3, "square": 4}[kind]
        ImageDraw.Draw(picture).regular_polygon((x, y, radius), sides, rotation=angle, fill=gray)
    return picture


# %%
random = np.random.default_rng(0)
for kind in ("ring", "square", "triangle"):
    (MINE / kind).mkdir(parents=True, exist_ok=True)
    for number in range(PER_CLASS):
        draw_shape(kind, random).save(MINE / kind / f"{number}.png")


def terminal(line):
    """Run a command of fashion-gan. In a terminal you type the line that is printed first."""
    print(f"$ fashion-gan {line}")
    assert main(shlex.split(line)) == 0, "the command failed: its last line says why"


terminal(f"data --data {MINE.as_posix()} --out {WORK.as_posix()}/sheet.png --force")

# %% [markdown]
# **Look at the sheet first**, as in chapter 3. It shows pictures of each class, cropped to squares of 64×64. The
# training shrinks them to 28×28.
#
# > **Predict.** There are few pictures. What goes wrong if D sees the same ones again and again? Which option helps?

# %%
pictures.show(np.asarray(Image.open(WORK / "sheet.png").convert("L")), columns=1)

# %%
terminal(
    f"train --data {MINE.as_posix()} --preset fashion --augment --minutes {OWN_MINUTES} --out {WORK.as_posix()}/runs "
    "--save-interval 20 --checkpoint-every-steps 500"
)
run = fashion_gan.Run.open(sorted((WORK / "runs").iterdir())[-1])
mine = fashion_gan.load_generator(run)
own = fashion_gan.load_training_images(MINE, image_size=28, channels=1)
shapes = mine.generate(30, labels=np.repeat(np.arange(3), 10))
pictures.show(shapes, columns=10, rows=mine.class_names, title="Drawn by your generator")

# %% [markdown]
# `--augment` moves, brightens and covers the pictures that D sees, so D cannot memorize them. It mirrors them only if
# they are symmetric, which letters are not. The preset `fashion` uses the loss log(1 − D) plus a tenth of the
# Wasserstein loss. So G's gradient does not vanish, and a negative `g_loss` is no fault.
#
# Are the shapes right? After so short a training some are not: corners come last. Longer training helps.
#
# > **Predict.** Are these copies of your pictures? Below, each drawn picture stands above its nearest training picture.

# %%
sample = shapes[[0, 3, 6, 10, 13, 16, 20, 23, 26]]
flat, stored = (part.reshape(len(part), -1).astype(np.float32) for part in (sample, own.images))
neighbors = own.images[squared_distances(flat, stored).argmin(axis=1)]
pictures.show(np.concatenate([sample, neighbors]), columns=9, rows=["drawn", "nearest"])
print("difference, in levels of 255:", *(f"{distance:.0f}" for distance in nearest_distance(sample, own.images)))

# %% [markdown]
# **What happened.** Compare the pairs with your eyes. The same shape at the same place and angle is a copy. Then you
# need more pictures, or a shorter training.
#
# > **Predict.** The next command writes a page that draws new pictures. Does the page need a server?

# %%
page = WORK / "shapes.html"
terminal(f"export {run.path.as_posix()} --format html --out {page.as_posix()} --force")
print(f"{page}: {page.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# **What happened.** The page is one file. It holds the generator and a small engine that runs it in the browser. Open
# it with a double click, send it by mail, or put it on any web space. It needs no server and no network.
#
# **Questions that arise here**
#
# - *How many pictures do I need?* With a few hundred, use `--augment`, and expect little variety. For things as varied
#   as clothes, collect thousands.
# - *When do I stop?* When the sample grids in the run's folder no longer get better. `training.gif` there shows them as
#   a film.
# - *Larger, in color?* Add `--image-size 64 --channels 3`, and an hour.

# %% [markdown]
# ## Exercise 7.1: a walk on the sphere
#
# Write `slerp(first, second, share)`. It returns the vector on the arc between two vectors of equal length: `first` at
# share 0 and `second` at share 1. With the angle `a` between the vectors, the formula is
#
# `(sin((1 - share) * a) * first + sin(share * a) * second) / sin(a)`
#
# <details><summary>Hint</summary>
#
# The cosine of the angle is the dot product, divided by both lengths: `first @ second`, `np.linalg.norm(first)`. The
# angle is the `np.arccos` of it.
#
# </details>


# %% tags=["exercise"]
def slerp(first, second, share):
    # First the angle between the vectors, then the formula.
    return ...


check.slerp(slerp)

# %% [markdown]
# ## Exercise 7.2: find the original
#
# Write `nearest(images, training)`. For each picture it returns the **number** of the most similar training picture.
# Both are `uint8` of the shape (N, 28, 28, 1). Similar means: a small sum of squared differences of the pixels.
#
# <details><summary>Hint</summary>
#
# Convert to `float32` first: `uint8` cannot hold negative differences (chapter 3). A loop over `images` is fine. For
# one picture, `((training - picture) ** 2).sum(axis=(1, 2, 3))` has a number for each training picture, and `.argmin()`
# finds the place of the smallest.
#
# </details>


# %% tags=["exercise"]
def nearest(images, training):
    return ...


check.nearest(nearest)

# %% [markdown]
# ## Exercise 7.3: one more loss
#
# The **least-squares** loss has no logarithm. D's logits should be 1 for real pictures and 0 for generated ones. G
# wants D's logits of its pictures to be 1. Each miss costs its square. Write it like the losses of 7.4: it returns D's
# loss and G's loss, as means over the batch.
#
# <details><summary>Hint</summary>
#
# D's loss is the mean of `(real - 1) ** 2` plus another mean. G's loss is one mean of `fake`. `mean` is defined in 7.4.
#
# </details>


# %% tags=["exercise"]
def least_squares(real, fake):
    return ..., ...


check.least_squares(least_squares)

# %% [markdown]
# The answers are in [answers/chapter_7](answers/chapter_7.py). Does your loss beat the others on the ring?
# `[quality(train_on_the_ring(least_squares, PENALTY, seed)[1]) for seed in LOSS_SEEDS]` says it.
#
# ## The same in the library
#
# - [latents.py](../latents.py): `mix` and `walk`, the answer to exercise 7.1.
# - [metrics/distances.py](../metrics/distances.py): `frechet_distance` and `neighborhoods`, as in 7.2.
# - [metrics/memorization.py](../metrics/memorization.py): the search for copies.
# - [training/losses.py](../training/losses.py): all losses as pairs, and a gradient penalty without a second
#   derivative.
# - [api/augment_test.py](../api/augment_test.py): the test of 7.5.
# - [saving/export.py](../saving/export.py): `export_generator`, which writes the page of 7.7 and other formats.
#
# ## Words of this chapter
#
# Latent walk, truncation, Fréchet distance, precision and recall, hinge loss, WGAN-GP, gradient penalty, relativistic
# loss, diffusion model, flow matching: see the [glossary](glossary.md).
#
# This was the last chapter. You have built a GAN, broken it, repaired it, measured it and shipped it.
