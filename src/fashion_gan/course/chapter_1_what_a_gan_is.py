# %% [markdown]
# # Chapter 1. What a GAN is
#
# At the end you know the game that two networks play, what its losses say and do not say, and three ways to lose it.
#
# **Time:** 1 minute on two CPU cores, plus the time to think and to play. You need no GPU and no network connection.
#
# **Installed:** `pip install ".[course]"`, in the project's folder, brings all that the seven chapters need.
#
# A GAN usually makes pictures. Here it makes points in the plane. The true distribution of the points is known, so you
# can see how good the result is. A training takes seconds.

# %% tags=["parameters"]
STEPS = 1500  # of the generator in a training
MORE_SEEDS = (0, 2)  # of the trainings that section 1.6 repeats
STEPS_ALONE = 300  # of a discriminator without an opponent
BATCH = 128  # points in a step
SHOWN = 400  # points in a picture

# %% [markdown]
# ## 1.1 Data whose answer is known
#
# The data are points around eight centers on a ring. A random center is chosen, then a small random shift is added. The
# task: write a program that makes *new* points like these, from examples only.
#
# Two figures say how well a program does. **Clusters covered** counts the clusters that get at least a quarter of their
# fair share: of 400 points, the fair share is 50. **Points on the data** is the share of points that lie within three
# standard deviations of a center.
#
# > **Predict.** Score real points in the same way. Are 100% of them on the data?

# %%
import keras
import numpy as np
import tensorflow as tf

from fashion_gan.course import check, live, pictures, plane

SPREAD = 0.12  # the standard deviation in each direction
angles = 2 * np.pi * np.arange(8) / 8
CENTERS = 1.7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
keras.utils.set_random_seed(0)


def sample(count):
    """New points of the data, (count, 2)."""
    chosen = np.random.randint(0, len(CENTERS), count)
    return (CENTERS[chosen] + SPREAD * np.random.normal(size=(count, 2))).astype(np.float32)


# %%
data = sample(SHOWN)
pictures.field(lambda points: 0.5 + 0 * points[:, 0], {"data": data}, limit=2.4, title="The data")
real_score = plane.score(sample(10_000), CENTERS, SPREAD)
print(f"real points: {real_score}")

# %% [markdown]
# **What happened.** About one real point in a hundred is farther than three standard deviations from its center.
# So even a perfect program does not reach 100%. The score of real data is the **real baseline**. Chapter 3 finds the
# real baseline of pictures.

# %% [markdown]
# ## 1.2 The game
#
# The **generator** G gets random numbers and turns them into a point. All random numbers for one point are its **latent
# vector**. The **discriminator** D gets a point and answers with a probability: is this point from the data? D learns
# to answer well. G learns to make points for which D answers "from the data". G never sees the data. All that it knows
# about them comes through D.
#
# The next cell shows a page that plays this game in your browser. It waits for you. Press **Slow step** three times to
# see the three parts of a training step: D learns, D tells each point of G where to go, G moves.
#
# > **Predict.** G's points follow the arrows. Can each point go its own way?

# %%
live.show("works")

# %% [markdown]
# **What happened.** No: all points share the weights of G. A weight that moves one point moves the others too. Press
# **Play** now. Soon the points lie on all eight clusters.
#
# Here are the two networks of the page in Keras. Each has two hidden layers of 24. D's output is a **logit**: a number
# of any size. The sigmoid turns it into D's answer, a probability. A logit of 0 is the answer one half.
#
# > **Predict.** D is not trained yet. What are its answers? Where does an untrained G put its points?


# %%
def network(outputs):
    """Two hidden layers, and a last layer without activation."""
    hidden = [keras.layers.Dense(24, "leaky_relu", kernel_initializer="he_normal") for _ in range(2)]
    return keras.Sequential([keras.Input((2,)), *hidden, keras.layers.Dense(outputs)])


def latents(count):
    """The random numbers that G starts from: two Gaussian numbers for each point."""
    return keras.random.normal((count, 2))


keras.utils.set_random_seed(0)
generator, discriminator = network(2), network(1)
points = generator(latents(SHOWN))
pictures.field(
    lambda points: tf.sigmoid(discriminator(points)),
    {"data": data, "generated": points},
    limit=2.4,
    title="Before training. Blue: D answers “from the data”",
)
print(f"untrained G: {plane.score(points, CENTERS, SPREAD)}")

# %% [markdown]
# **What happened.** Both networks are random. D's answers have nothing to do with the data, and neither have G's
# points. Both must learn at the same time, and each learns from the other.

# %% [markdown]
# ## 1.3 Two losses, one number
#
# For D this is a classification: data are class 1, generated points are class 0. Its loss is the binary cross-entropy,
# −log(answer) for data and −log(1 − answer) for generated points. G wants the opposite of D.
#
# So both fight over one number, D's loss. D makes it small, G makes it large. Such a game is called **minimax**. In the
# formula of the first GAN paper (Goodfellow et al. 2014), with E for a mean:
#
# *G minimizes and D maximizes:* E[log D(data)] + E[log(1 − D(G(latents)))]
#
# The formula is minus D's loss. So D makes it large, and G makes it small.
#
# > **Predict.** D answers one half to each point, because it cannot tell them apart. How large is its loss? (The
# > logarithm of 2 is 0.69.)

# %%
entropy = keras.losses.BinaryCrossentropy(from_logits=True)  # Applies the sigmoid itself.


def discriminator_loss(real_logits, fake_logits):
    """Data are class 1, generated points are class 0."""
    return entropy(tf.ones_like(real_logits), real_logits) + entropy(tf.zeros_like(fake_logits), fake_logits)


def generator_loss(fake_logits):
    """G wants that D takes its points for class 1."""
    return entropy(tf.ones_like(fake_logits), fake_logits)


for answer in (0.5, 0.9, 0.999):
    logit = tf.constant([[np.log(answer / (1 - answer))]])
    d_loss, g_loss = discriminator_loss(logit, -logit), generator_loss(-logit)
    print(f"D is right with {answer:.1%}: D's loss {d_loss:.3f}, G's loss {g_loss:.3f}")

# %% [markdown]
# **What happened.** A D that guesses has the loss 2 · 0.69 = 1.39. A D that is sure and right has a loss near 0. Then
# G's loss is large. G's loss here is −log D(G(latents)) instead of log(1 − D(G(latents))). Both fall as D's answer
# rises. Section 1.6 shows why the first is used.

# %% [markdown]
# ## 1.4 What D knows
#
# Let G stand still. The **density** at a place says how many points lie near it. Let p be the density of the data, and
# q that of the generated points. Where both occur, D sees points of both classes in the ratio p to q. So the best
# possible answer is the share of data there:
#
# **D\* = p / (p + q)**
#
# Here the data are two clusters, left and right. G puts all its points on the right one. So on the right, p is half as
# large as q.
#
# > **Predict.** What does the best D answer in the left cluster? And in the right one, where the data are too?

# %%
LEFT, RIGHT, WIDTH = np.array([-1.2, 0]), np.array([1.2, 0]), 0.4


def density(points, center):
    """The density of a round Gaussian."""
    return np.exp(-((points - center) ** 2).sum(axis=1) / (2 * WIDTH**2)) / (2 * np.pi * WIDTH**2)


def best_answer(points):
    """p / (p + q): the data are half left and half right, the generated points are all right."""
    p, q = (density(points, LEFT) + density(points, RIGHT)) / 2, density(points, RIGHT)
    return p / (p + q)


def two_clusters(count):
    side = np.where(np.random.random((count, 1)) < 0.5, LEFT, RIGHT)
    return (side + WIDTH * np.random.normal(size=(count, 2))).astype(np.float32)


def right_cluster(count):
    return (RIGHT + WIDTH * np.random.normal(size=(count, 2))).astype(np.float32)


# %% [markdown]
# `make_step` builds the training step of one network. It changes only the weights of that network. The whole chapter
# needs no other training code. You may skip its details:
#
# - The **gradient** says how much the loss changes with each weight. A `GradientTape` records what is computed inside
#   it, and then gives the gradient.
# - **Adam** is an optimizer: it changes each weight, based on the gradients of this step and of the steps before. The
#   **learning rate** is a factor of each change. `beta_1` is the part that comes from earlier steps, the **momentum**.
# - `@tf.function` makes the step fast.


# %%
def make_step(network, learning_rate, loss):
    """A compiled training step: the weights of `network` move so that `loss(*batches)` falls."""
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.5, beta_2=0.99)
    optimizer.build(network.trainable_variables)

    @tf.function
    def step(*batches):
        with tf.GradientTape() as tape:
            value = loss(*batches)
        gradients = tape.gradient(value, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return value

    return step


# %%
keras.utils.set_random_seed(0)
alone = network(1)
step = make_step(alone, 0.01, lambda real, fake: discriminator_loss(alone(real), alone(fake)))
losses = [float(step(two_clusters(BATCH), right_cluster(BATCH))) for _ in range(STEPS_ALONE)]


def answer(points):
    return tf.sigmoid(alone(points))


shown = {"data": two_clusters(SHOWN), "generated": right_cluster(SHOWN)}
pictures.field(answer, shown, limit=2.4, title="The answers of D after its training")
pictures.field(best_answer, shown, limit=2.4, title="The best answers, p / (p + q)")

# %%
many_real, many_fake = two_clusters(100_000), right_cluster(100_000)
floor = -np.log(best_answer(many_real)).mean() - np.log(1 - best_answer(many_fake)).mean()
reached = float(np.mean(losses[-50:]))
centers = np.float32([LEFT, RIGHT])
for name, learned, best in zip(("left", "right"), np.ravel(answer(centers)), best_answer(centers), strict=True):
    print(f"{name} cluster: D answers {learned:.2f}, the best D answers {best:.2f}")
print(f"D's loss at the end: {reached:.2f}; the loss of the best D: {floor:.2f}")

# %% [markdown]
# **What happened.** On the left lie only data, so the answer is 1. On the right lie 2 generated points for each point
# of the data, so the answer is 1/3. Where there is neither, nothing tells D what to answer, and both pictures may
# differ.
#
# D's loss cannot fall below that of the best D. If G is perfect, then q = p. The best answer is one half everywhere,
# and D's loss is 1.39 again. **A good D knows the ratio of the two densities.** That is what G learns from.
#
# Choose the background **p / (p + q)** on the page to compare there too.

# %%
live.show("onlyD")

# %% [markdown]
# ## 1.5 Both learn
#
# Now the whole game: in each round, D makes a step with G standing still. Then G makes a step with D standing still.
#
# > **Predict.** Draw three curves for the training: D's loss, D's mean answer to data, and its mean answer to generated
# > points. Where does each end? Does the loss of G fall?


# %%
def look(discriminator, points, step, panel):
    """Measure the points and D's answers. If there is a panel, draw them in the place of its picture."""
    score = plane.score(points, CENTERS, SPREAD)
    answers = [float(tf.reduce_mean(tf.sigmoid(discriminator(x)))) for x in (data, points)]
    if panel and step % 150 == 0:
        shown = {"data": data, "generated": points}
        title = f"Step {step}: {score.covered} of {score.clusters} clusters, {score.good:.0%} on the data"
        pictures.field(lambda x: tf.sigmoid(discriminator(x)), shown, limit=2.4, title=title, panel=panel)
    return *answers, score.covered, score.good


# %%
def play(steps, g_steps=1, seed=1, panel=None):
    """Train a GAN with `g_steps` steps of G for each step of D. Returns what happened, by names."""
    keras.utils.set_random_seed(seed)
    generator, discriminator = network(2), network(1)
    d_step = make_step(
        discriminator, 0.005, lambda real, fake: discriminator_loss(discriminator(real), discriminator(fake))
    )
    g_step = make_step(generator, 0.003, lambda z: generator_loss(discriminator(generator(z))))
    fixed, history = latents(SHOWN), []
    for step in range(1, steps + 1):
        if step % g_steps == 0:
            d_loss = d_step(sample(BATCH), generator(latents(BATCH)))
        g_loss = g_step(latents(BATCH))
        if step % 20 == 0:
            seen = look(discriminator, generator(fixed).numpy(), step, panel)
            history.append((step, float(d_loss), float(g_loss), *seen))
    names = ("step", "loss of D", "loss of G", "answer to data", "answer to generated", "covered", "good")
    return dict(zip(names, np.transpose(history), strict=True))


# %%
works = play(STEPS, panel=pictures.panel())

# %%
pictures.curves({name: works[name] for name in ("loss of D", "loss of G")}, x=works["step"], title="Losses")
answers = {name: works[name] for name in ("answer to data", "answer to generated")}
pictures.curves(answers, x=works["step"], title="D's mean answers")
pictures.curves({"clusters covered": works["covered"]}, x=works["step"], title="How good is it?")
half = len(works["step"]) // 2
for name in ("loss of D", "loss of G"):
    print(f"mean {name}: {works[name][:5].mean():.2f} at first, {works[name][half:].mean():.2f} in the second half")
halves = works["covered"][:half].mean(), works["covered"][half:].mean()
print(f"clusters covered, mean: {halves[0]:.1f} in the first half, {halves[1]:.1f} in the second")

# %% [markdown]
# **What happened.** Pale lines show each value, bold lines the running mean. G finds one cluster after the other, most
# or all of them. D learns at each step. Yet its loss does not go to 0, and its mean answers stay far from 0 and 1: its
# opponent gets better too. G's loss even *rises* while its points get better. From the losses you could not say that
# anything has been learned.
#
# **A loss here says who is ahead. It does not say how good the points are.** For that you need other figures, such as
# the clusters covered. This is the most important difference from the training of a classifier.
#
# **Questions that arise here**
#
# - *Why is a loss of D near 0 bad?* Then D recognizes each generated point. G is far behind, and the next section shows
#   that it may even stop learning.
# - *Is this jitter normal?* Yes. Each step of D changes G's goal a bit. It is a fault only if the covered clusters and
#   the points on the data swing too.
# - *When do I stop?* When the figures of quality no longer rise. The losses cannot tell you.
# - *How much data does a GAN need?* Here each batch has new points, as if the data were endless. Chapter 6 shows what
#   happens with few pictures.

# %% [markdown]
# ## 1.6 Three ways to lose
#
# **The first: mode collapse.** Now D learns only once in ten steps of G. For ten steps G plays against a D that stands
# still.
#
# > **Predict.** D stands still. What is then the best place for *all* points of G? How many clusters will it cover?

# %%
collapse = play(STEPS, g_steps=10, panel=pictures.panel())

# %%
even, uneven = "1 step of G for each of D", "10 steps of G for each of D"
pictures.curves({even: works["covered"], uneven: collapse["covered"]}, x=works["step"], title="Clusters covered")
covered = {}
for name, first, g_steps in ((even, works, 1), (uneven, collapse, 10)):
    runs = [first, *(play(STEPS, g_steps, seed) for seed in MORE_SEEDS)]
    covered[name] = [run["covered"][half:].mean() for run in runs]
    print(f"{name}: {', '.join(f'{mean:.1f}' for mean in covered[name])} of 8 clusters (a number for each seed)")

# %% [markdown]
# **What happened.** For a D that stands still, the best G makes a single point: the one with the highest answer. So the
# points crowd together. When D notices, they all move elsewhere. This is **mode collapse**: a few kinds of points
# instead of all. It happens with each seed, so it is no accident.
#
# This D also learned ten times less. So the missing clusters could only mean "too early". The sign of collapse is the
# narrow crowd that wanders. You see it when you look at many points. You do *not* see it in a single point.
#
# The even game does not always find all clusters either. The seed decides the first weights and all random points. So
# never judge a GAN by one training.
#
# On the page it happens with two clusters. Press Play and watch **Clusters covered**. Then think of a cure, and press
# **Cure it**.

# %%
live.show("collapse")

# %% [markdown]
# **The second: saturation.** The minimax formula gives G the loss log(1 − answer). This chapter uses −log(answer). Let
# D be sure that a point is generated, as it can be when D learns faster than G.
#
# > **Predict.** D's logit for a point of G is −6, so its answer is 0.2%. Which loss has the larger slope there? How
# > many times?

# %%
logits = tf.Variable([-6.0, -3.0, 0.0, 3.0])
with tf.GradientTape(persistent=True) as tape:
    minimax = tf.math.log(1 - tf.sigmoid(logits))
    non_saturating = -tf.math.log(tf.sigmoid(logits))
slopes = [tape.gradient(loss, logits).numpy() for loss in (minimax, non_saturating)]
pictures.table(
    ["D's answer", "slope of log(1 − answer)", "slope of −log(answer)", "second / first"],
    [
        [f"{answer:.1%}", f"{first:.4f}", f"{second:.4f}", f"{second / first:.2f}"]
        for answer, first, second in zip(tf.sigmoid(logits).numpy(), *slopes, strict=True)
    ],
)

# %% [markdown]
# **What happened.** Against a sure D, the minimax loss is flat: it **saturates**, and G's **gradient vanishes**. The
# other loss pushes hardest where G is worst. It is called the **non-saturating** loss, and most GANs use it or a
# relative of it. On the page, press Play and watch **Length of G's gradient**. Then press **Cure it**.

# %%
live.show("saturate")

# %% [markdown]
# **The third: oscillation.** Both networks have large learning rates and a lot of momentum. There is a single cluster.
#
# > **Predict.** Once G's points lie on the cluster: do they stay there?

# %%
live.show("oscillate")

# %% [markdown]
# **What happened.** Press **Play**: the points swing around the cluster. Each network overshoots its answer to the last
# move of the other. The cure is a **gradient penalty**: it keeps D's answers nearly equal around the data, so nothing
# pushes G once it is there.
#
# **Questions that arise here**
#
# - *Is this collapse?* Count the kinds. If some are missing for many steps, it is. If all are there but the points are
#   rough, G needs more steps.
# - *Can I see these failures in the losses?* Saturation yes: D's loss is near 0. Collapse often no. Measure the points.
# - *Do they happen with pictures?* Yes. Chapter 6 causes collapse and vanishing gradients with pictures, measures them
#   and cures them. It shows oscillation with points again, because there it can be measured.

# %% [markdown]
# ## Exercise 1.1: the loss of D
#
# Write D's loss without Keras. The arguments are NumPy arrays of D's *answers* (probabilities): to data and to
# generated points. The loss is the mean of −log(answer) over the data plus the mean of −log(1 − answer) over the
# generated points.
#
# <details><summary>Hint</summary>
#
# `np.log` works on a whole array, and `.mean()` gives its mean. For two answers of one half the loss is 1.386.
#
# </details>


# %% tags=["exercise"]
def loss_of_d(real_answers, fake_answers):
    return ...


check.loss_of_d(loss_of_d)

# %% [markdown]
# ## Exercise 1.2: the best answer with unequal batches
#
# Until now D saw as many generated points as data. Now a part `share` of the points in a batch are data, and the rest
# are generated. `p` and `q` are the two densities at a place. Write the best answer of D there. For `share = 0.5` it is
# p / (p + q).
#
# <details><summary>Hint</summary>
#
# Take a batch of 100 points with 80 of the data. Near the place, the data come in proportion to `80 * p`, and generated
# points to `20 * q`. The best answer is the share of data among both.
#
# </details>


# %% tags=["exercise"]
def best_answer_for(p, q, share):
    return ...


check.best_answer(best_answer_for)

# %% [markdown]
# ## Exercise 1.3: count the covered clusters
#
# Write the measure that sees mode collapse. A cluster is covered if at least one point lies within 0.36 of its center.
# The function returns how many are covered. `points` has the shape (N, 2), `centers` has (K, 2).
#
# <details><summary>Hint</summary>
#
# A loop over the centers is good. For one center, `np.linalg.norm(points - center, axis=1)` holds its distances to all
# points. Is *any* of them at most 0.36?
#
# </details>


# %% tags=["exercise"]
def covered_clusters(points, centers):
    ...  # Measure the distances here.
    return ...


check.covered_clusters(covered_clusters)

# %% [markdown]
# The answers are in [answers/chapter_1](answers/chapter_1.py).
#
# **More to try on the page**
#
# - Set G's learning rate to 0 in the middle of *It works*. What happens to D's two mean answers, and why?
# - Repeat *Saturation* with Adam as G's optimizer (in *More settings*, then *Start over*). Adam divides by the size of
#   the gradient. Does that cure it?
# - Choose *Paint your own* and draw data on which G fails. Say by the numbers *how* it fails: too few parts covered, or
#   too many points off the data?
#
# The page is also a file of its own: [live_gan/index.html](live_gan/index.html). Open it in a browser with a
# double-click.
#
# | preset | what it shows |
# |---|---|
# | [It works](live_gan/index.html#works) | both networks learn, and all eight clusters are covered |
# | [Collapse](live_gan/index.html#collapse) | G covers one cluster at a time |
# | [Oscillation](live_gan/index.html#oscillate) | the points swing around the data |
# | [Saturation](live_gan/index.html#saturate) | G gets no gradient |
# | [Only D learns](live_gan/index.html#onlyD) | D's answer becomes p / (p + q) |
#
# ## The same in the library
#
# - [training/losses.py](../training/losses.py): the losses of this chapter as `bce` and `minimax`, and others.
# - [training/gan.py](../training/gan.py): the training step of both networks.
# - [course/live_gan/gan.js](live_gan/gan.js): the page's networks, losses and gradients, without any library.
#
# ## Words of this chapter
#
# Generator, discriminator, latent vector, logit, real baseline, minimax, gradient, Adam, momentum, density, mode
# collapse, saturation, vanishing gradients, non-saturating loss, oscillation, gradient penalty: see the
# [glossary](glossary.md).
#
# Next: [chapter 2, the environment](chapter_2_environment.py).
