# %% [markdown]
# # Chapter 3. The data
#
# At the end you know what the pictures are, how a network wants them, and what *real* pictures score. Each later score
# in this course is read next to that baseline.
#
# **Time:** 1 minute on two CPU cores, plus the time to think. **Installed:** the extra `course`, see chapter 2.

# %% tags=["parameters"]
COUNT = 10_000  # pictures in each scored set
FEWER = (500, 1_000, 2_000, 5_000)  # smaller sets in section 3.5

# %% [markdown]
# ## 3.1 Look at it
#
# Fashion-MNIST has 60,000 training pictures and 10,000 test pictures in ten classes. A model learns from the training
# pictures. The test pictures are kept apart, to measure with.
#
# > **Predict.** Which two classes will you confuse most often?

# %%
import numpy as np

import fashion_gan
from fashion_gan.course import check, pictures

train = fashion_gan.load_fashion_mnist("train")
test = fashion_gan.load_fashion_mnist("test")
print(f"images {train.images.shape}, {train.images.dtype}; labels {train.labels.shape}, from 0 to {train.labels.max()}")
train  # A notebook shows a data set as a sheet of its classes.

# %% [markdown]
# **What happened.** Shirts, coats and pullovers look alike at this size. People and networks confuse them. A perfect
# score cannot be expected from any classifier, and not from yours.
#
# **Always look first.** Many failed trainings are damaged data: inverted colors, mixed labels, a wrong axis order. One
# look finds these faults.

# %% [markdown]
# ## 3.2 Count it
#
# > **Predict.** How many training pictures does each class have? What is the most frequent pixel value?

# %%
counts = np.bincount(train.labels, minlength=10)
pictures.bars(dict(zip(train.class_names, counts, strict=True)), title="Training pictures of each class")

# %%
levels = np.bincount(train.images.reshape(-1), minlength=256)
dark = levels[0] / levels.sum()
groups = levels[1:].reshape(5, 51).sum(axis=1) / levels.sum()
names = [f"{1 + 51 * number} to {51 + 51 * number}" for number in range(5)]
pictures.bars({"0": dark, **dict(zip(names, groups, strict=True))}, form=".1%", title="Share of the pixel values")
print(f"{dark:.0%} of all pixels are exactly 0; the mean is {train.images.mean():.1f}")

# %% [markdown]
# **What happened.** The classes are **balanced**: each has the same number of pictures. A generator that learned well
# draws balanced classes too. If a class is missing in its pictures, that is **mode collapse**: chapter 6 watches it.
#
# Half of all pixels are the black background, exactly 0. A generator must learn to draw that as well as gray fabric.
#
# **Questions that arise here**
#
# - *How many pictures does a GAN need?* More than a classifier. With 60,000, chapter 6 trains well in minutes. With
#   few, the discriminator memorizes them. Chapter 6 shows this with 20 pictures, and shows the cure.

# %% [markdown]
# ## 3.3 Normalize to [-1, 1]
#
# Networks learn best from numbers around 0. A generator ends in `tanh`, whose values lie between -1 and 1. So the real
# pictures must lie in the same range. Otherwise the discriminator recognizes real pictures by their range.
#
# > **Predict.** Which formula maps 0 to -1 and 255 to 1? What becomes of 127?


# %%
def normalize(pixels):
    """uint8 in [0, 255] -> float32 in [-1, 1]."""
    return pixels.astype(np.float32) / 127.5 - 1


images = normalize(train.images)
print(f"{images.dtype} from {images.min():.0f} to {images.max():.0f}, mean {images.mean():.2f}")
print(f"127 becomes {normalize(np.uint8([127]))[0]:.4f}; no level becomes exactly 0")
print(f"memory: {train.images.nbytes / 1e6:.0f} MB as uint8, {images.nbytes / 1e6:.0f} MB as float32")

# %% [markdown]
# **What happened.** `float32` takes four times the memory. So the library keeps all pictures as `uint8`, and turns
# each batch into `float32` inside the training step.
#
# **A trap.** `train.images - 127` looks harmless. But `uint8` has no negative numbers: the result wraps around.

# %%
wrong = train.images[:8] - np.uint8(127)
pictures.show(np.concatenate([train.images[:8], wrong]), columns=8, title="Pictures, and the same minus 127 as uint8")

# %% [markdown]
# **What happened.** 0 − 127 became 129. No error was raised. Convert first, calculate then.

# %% [markdown]
# ## 3.4 How can a set of pictures get a score?
#
# A generator's pictures have no true answer to compare with. We compare two *sets*: are they alike as a whole? Pixels
# are a poor measure: a shirt that moves one pixel is the same shirt. So a small trained network, the **feature
# network**, turns each picture into 320 numbers, its **features**. They describe texture, parts and class.
#
# The **Fréchet distance** takes the mean and the covariance of the features of each set. It is 0 if both agree, and
# grows with each difference. Here 100 is the total variance of real pictures' features.
#
# > **Predict.** The features of 10,000 real training pictures are compared with those of the 10,000 real test pictures.
# > Both are real. Is the distance exactly 0?

# %%
from fashion_gan.course.scores import reference
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.features import extract


def frechet(some_images):
    """The Fréchet distance of uint8 images to the test images."""
    return frechet_distance(test_gaussian, gaussian(extract(some_images, "").vectors))


test_gaussian = reference().test_gaussian  # From the same steps. The result is stored on this computer.
chosen = reference().training_sample(COUNT)  # ten classes in turn
real, real_labels = train.images[chosen], train.labels[chosen]
baseline = frechet(real)
print(f"real training pictures against real test pictures: {baseline:.3f}")
print(f"test pictures against themselves: {frechet_distance(test_gaussian, test_gaussian):.3f}")

# %% [markdown]
# **What happened.** Two samples of real clothes are never exactly alike. Their distance is the **real baseline**. No
# generator can be expected to score lower. A score near it is excellent, whatever its size.

# %% [markdown]
# ## 3.5 The number of pictures changes the score
#
# > **Predict.** You score fewer real pictures. Does the distance rise, fall or stay?

# %%
by_count = {f"{count:,}": frechet(train.images[reference().training_sample(count)]) for count in FEWER}
by_count[f"{COUNT:,}"] = baseline
pictures.bars(by_count, xlabel="Fréchet distance", title="Real training pictures, by their number", form=".3f")

# %% [markdown]
# **What happened.** The pictures are equally real in each row. Fewer pictures give a rougher estimate of mean and
# covariance, and each error adds to the distance. So **compare scores only at equal numbers**. Papers that mix them
# compare nothing.

# %% [markdown]
# ## 3.6 What damage costs
#
# We damage real pictures in six ways and score each. You learn to read the scale of the score before you train.
#
# > **Predict.** Order these from harmless to terrible: a little noise, a slight blur, three classes missing, one in ten
# > replaced by the same picture, all moved by one pixel, one in ten with inverted colors.

# %%
from fashion_gan.metrics import damages

random = np.random.default_rng(0)


def noise(some_images, labels, strength, random):
    """Add Gaussian noise with a standard deviation of `strength` levels."""
    noisy = some_images + random.normal(0, strength, some_images.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), labels


DAMAGES = {
    "noise of 10 levels": (noise, 10),
    "blur of 0.6 pixels": (damages.blurred, 0.6),
    "3 classes missing": (damages.missing_classes, 3),
    "1 of 10 is the same": (damages.repeated_mode, 0.1),
    "moved by 1 pixel": (damages.shifted, 1),
    "1 of 10 inverted": (damages.inverted, 0.1),
}
damaged = {name: damage(real, real_labels, strength, random)[0] for name, (damage, strength) in DAMAGES.items()}
shown = {"real": real, **damaged}
pictures.show(np.concatenate([some_images[:10] for some_images in shown.values()]), columns=10, rows=list(shown))

# %%
scores = {"real": baseline, **{name: frechet(some_images) for name, some_images in damaged.items()}}
generator = fashion_gan.Generator.from_pretrained("fashion")
scores["the shipped generator"] = frechet(generator.generate(COUNT))
scores = dict(sorted(scores.items(), key=lambda item: item[1]))
pictures.bars(scores, xlabel="Fréchet distance to the test pictures", form=".2f", title=f"{COUNT:,} pictures each")
worst = max(scores, key=scores.get)
print(f"worst: {worst}, {scores[worst] / baseline:,.0f} times the real baseline")

# %% [markdown]
# **What happened.** Damage that the eye hardly sees can cost more than a missing class. The distance sees texture and
# position as well as content. It also mixes them: one number does not say *what* is wrong.
#
# So the course never trusts the distance without a second figure. The counts of the classes are such a figure.

# %%
from fashion_gan.course.scores import score

three_missing = score(damaged["3 classes missing"])
print(three_missing)
counted = dict(zip(train.class_names, three_missing.class_counts, strict=True))
pictures.bars(counted, title=f"{three_missing.count:,} pictures, 3 classes missing: the class that the network sees")

# %% [markdown]
# **What happened.** `score` does the work of this chapter for the later ones: it returns the Fréchet distance and the
# counts. The feature network names the class of each picture. It confuses some, so a missing class can still have a
# few. A class with less than one picture in a hundred counts as missing. The bars say at once what the distance hides.
#
# **Questions that arise here**
#
# - *Is 0.5 good?* Only next to the baseline of the same number of pictures, and next to other generators.
# - *Is this the FID (Fréchet Inception distance) of the papers?* The formula is the same. The features differ: papers
#   use a network for color photographs.
#   So the figures of this course cannot be compared with those of papers.
# - *Can I train against this score?* Then it would no longer measure: the generator would learn to please this network.

# %% [markdown]
# ## Exercise 3.1: back to pixels
#
# Write the inverse of `normalize`: floats in [-1, 1] become `uint8` in [0, 255]. A generator can overshoot a little, so
# 1.2 must become 255.
#
# <details><summary>Hint</summary>
#
# First solve `y = x / 127.5 - 1` for `x`. Then round: `astype(np.uint8)` only cuts the decimals off. `np.rint` rounds,
# and `np.clip` keeps values in a range.
#
# </details>


# %% tags=["exercise"]
def to_pixels(images):
    return ...


check.to_pixels(to_pixels)

# %% [markdown]
# ## Exercise 3.2: count the classes
#
# Write a function that returns how often each of the ten classes occurs. The result has ten numbers, even if a class is
# missing.
#
# <details><summary>Hint</summary>
#
# `np.bincount` counts whole numbers. Without `minlength` its result ends at the largest number that occurs.
#
# </details>


# %% tags=["exercise"]
def class_counts(labels):
    return ...


check.class_counts(class_counts)

# %% [markdown]
# ## Exercise 3.3: the Fréchet distance of one number
#
# If a picture had a single feature, the Fréchet distance of two sets would be the squared difference of their means,
# plus the squared difference of their standard deviations. Write it for two arrays of numbers.
#
# <details><summary>Hint</summary>
#
# `first.mean()` and `first.std()`. Square each *difference*, then add.
#
# </details>


# %% tags=["exercise"]
def frechet_1d(first, second):
    return ...


check.frechet_1d(frechet_1d)

# %% [markdown]
# The answers are in [answers/chapter_3](answers/chapter_3.py).
#
# ## The same in the library
#
# - [datasets/dataset.py](../datasets/dataset.py): `Dataset`, the pictures with their labels.
# - [rendering/images.py](../rendering/images.py): `to_uint8`, the library's answer to exercise 3.1.
# - [metrics/features.py](../metrics/features.py): the feature network.
# - [metrics/distances.py](../metrics/distances.py): `frechet_distance`, with covariances instead of one number.
# - [metrics/real_baselines.py](../metrics/real_baselines.py): what real pictures score, for each metric.
# - [metrics/damages.py](../metrics/damages.py): the damages of section 3.6, which test all metrics.
#
# ## Words of this chapter
#
# Class, balanced, normalize, feature network, Fréchet distance, real baseline, mode collapse: see the
# [glossary](glossary.md).
#
# Next: [chapter 4, the discriminator](chapter_4_discriminator.py).
