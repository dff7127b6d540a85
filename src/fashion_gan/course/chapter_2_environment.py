# %% [markdown]
# # Chapter 2. The environment
#
# At the end you know what is installed and why, which device computes, and where the data lie. You draw your first
# generated pictures in the first minute.
#
# **Time:** 1 minute on two CPU cores, plus the time to think. You need no GPU. You need a network connection once, if
# the data are not on your computer yet.
#
# **Installed:** `pip install ".[course]"`, in the project's folder, brings all that the seven chapters need. The course
# runs on TensorFlow, which has packages for Python 3.11 to 3.13.
#
# Run the cells from top to bottom with Shift+Enter. Before each run there is a **Predict** box. Write your answer down
# first. A wrong prediction teaches more than a right one.

# %% tags=["parameters"]
PICTURES = 64  # drawn at once
REPEATS = 20  # of each measured step
BATCH = 64  # images in a step

# %% [markdown]
# ## 2.1 A first picture
#
# The package comes with a trained **generator**. A generator is a network that turns random numbers into a picture.
# This one learned from 55,000 of the 60,000 training pictures of Fashion-MNIST: small gray pictures of clothes.
#
# > **Predict.** How many seconds does this computer need to draw 64 pictures? A tenth? One? Ten?

# %%
import time

import fashion_gan
from fashion_gan.course import check, pictures

generator = fashion_gan.Generator.from_pretrained("fashion")
start = time.perf_counter()
clothes = generator.generate(PICTURES)
seconds = time.perf_counter() - start

pictures.show(clothes, title=f"{PICTURES} pictures that no camera took")
print(f"{seconds:.2f} s for {PICTURES} pictures: {PICTURES / seconds:,.0f} pictures a second")
print(f"shape {clothes.shape}, type {clothes.dtype}, from {clothes.min()} to {clothes.max()}")

# %% [markdown]
# **What happened.** The shape reads: pictures, rows, columns, channels. A gray picture has one channel. Each pixel is a
# whole number from 0 (black) to 255 (white).
#
# Drawing is fast because the generator runs once for a picture. Training is slow because it runs the networks many
# thousand times.

# %% [markdown]
# ## 2.2 Where the pictures come from
#
# Each picture starts as a **latent vector**: 100 random numbers from a Gaussian with mean 0 and standard deviation 1.
# The **seed** decides which numbers are drawn. This generator also takes a class, such as "Dress".
#
# > **Predict.** You draw eight dresses with seed 3, again with seed 3, and then with seed 4. Which rows are equal?

# %%
import numpy as np

first = generator.generate(8, labels="Dress", seed=3)
again = generator.generate(8, labels="Dress", seed=3)
other = generator.generate(8, labels="Dress", seed=4)

pictures.show(np.concatenate([first, again, other]), columns=8, title="Dresses: seed 3, seed 3, seed 4")
print(f"seed 3 twice: {np.mean(first == again):.0%} of the pixels are equal")
print(f"seed 3 and 4: {np.mean(first == other):.0%} of the pixels are equal, most of them black background")

# %% [markdown]
# **What happened.** The same seed gives the same latent vectors, and so the same pictures, bit for bit. Nothing else in
# a trained generator is random.
#
# **Questions that arise here**
#
# - *Are these pictures copies of training pictures?* For this generator, no. Chapter 7 shows how to find copies.
# - *Why does the course fix all seeds?* So that you can repeat each result. Training depends a lot on chance. So the
#   course tests important claims with several seeds.

# %% [markdown]
# ## 2.3 What is installed, and why
#
# The next cell lists the packages that the course uses. It also asks Python which of them were imported so far.
#
# > **Predict.** You have drawn pictures. Which of Keras, TensorFlow and ONNX Runtime did that need?

# %%
import importlib.metadata
import sys

WHY = {
    "numpy": "arrays of numbers, and all arithmetic outside of networks",
    "pillow": "reading and writing picture files",
    "onnxruntime": "runs finished networks, and cannot train them",
    "keras": "layers, models, optimizers: you build networks with it",
    "tensorflow": "Keras's backend: computes the layers and their gradients",
    "scipy": "matrix roots for the Fréchet distance (chapter 3)",
    "matplotlib": "curves and bars",
    "jupyterlab": "these notebooks",
}


# %%
def version(package):
    """The version of an installed package. TensorFlow has a smaller package for Linux."""
    for name in (package, f"{package}-cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return "missing"


imported = {package: {"pillow": "PIL"}.get(package, package) in sys.modules for package in WHY}
pictures.table(
    ["package", "version", "imported so far", "what it is for"],
    [[package, version(package), "yes" if imported[package] else "no", why] for package, why in WHY.items()],
)

# %% [markdown]
# **What happened.** Drawing needed NumPy, Pillow and ONNX Runtime. These belong to the base installation. Keras and
# TensorFlow are needed to *train*. They are large, so they come with an **extra**, a name in brackets:
#
# - `pip install .` brings what draws pictures;
# - `pip install ".[train]"` adds Keras and TensorFlow;
# - `pip install ".[course]"` adds JupyterLab to these.

# %% [markdown]
# ## 2.4 Devices and backends
#
# Keras describes networks. A **backend** computes them: TensorFlow, JAX or PyTorch. The course uses TensorFlow, Keras's
# default. A **device** is the hardware that computes: the processor (CPU) or a graphics card (GPU).
#
# > **Predict.** Which devices does TensorFlow find on this computer?

# %%
import keras
import tensorflow as tf

from fashion_gan.system.parallel import available_cpus

devices = [device.device_type for device in tf.config.list_physical_devices()]
print(f"Python {sys.version.split()[0]}, Keras {keras.version()} on the backend {keras.backend.backend()}")
print(f"devices: {', '.join(devices)}; processor cores that this notebook may use: {available_cpus()}")
print(f"numbers are {keras.config.floatx()}, images are {keras.config.image_data_format()}")

# %% [markdown]
# **What happened.** `channels_last` means that the channel is the last axis: `(N, 28, 28, 1)`. `float32` is a number of
# 4 bytes with about 7 decimal digits. The whole course keeps to both.
#
# **Questions that arise here**
#
# - *Do I need a GPU?* No. The pictures are 28×28 and the networks are small. All chapters fit on two cores.
# - *The list has only CPU, but I have a GPU.* The installed TensorFlow may be the version without GPU support. The
#   course does not need it.

# %% [markdown]
# ## 2.5 How long is a training step?
#
# Training repeats one **step**: compute a loss on some images, compute its gradients, change the weights a bit. The
# images of one step are a **batch**. An **epoch** is as many steps as it takes to use each training image once.
#
# TensorFlow can run a step line by line, or turn it into a compiled function first with `tf.function`.
#
# > **Predict.** How many milliseconds does a step of this small network take? Is the compiled one faster? How much?

# %%
keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu"),
        keras.layers.Conv2D(64, 4, strides=2, padding="same", activation="leaky_relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ]
)
optimizer = keras.optimizers.Adam(1e-3)
optimizer.build(network.trainable_variables)
images = tf.random.uniform((BATCH, 28, 28, 1), -1, 1)


# %%
def step():
    """One training step: loss, gradients, new weights. The loss has no meaning here."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(images) ** 2)
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))


def milliseconds(function):
    """The median time of a call. The first call is not counted, because it compiles."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


# %%
line_by_line, compiled = milliseconds(step), milliseconds(tf.function(step))
steps_per_minute = 60_000 / compiled
pictures.bars({"line by line": line_by_line, "compiled": compiled}, xlabel="milliseconds a step")
print(f"compiled, a step takes {compiled:.1f} ms: {line_by_line / compiled:.1f} times as fast")
print(f"a minute has {steps_per_minute:,.0f} such steps; an epoch of 60,000 images has {60_000 // BATCH:,}")

# %% [markdown]
# **What happened.** In the first version, Python starts each operation. The compiled version is started once and runs
# all operations without Python. The result is the same. So almost all training steps of this course use
# `@tf.function`.
#
# A step of a real GAN trains two networks and takes several times as long. Still, minutes are enough to see it learn.

# %% [markdown]
# ## 2.6 Where the data are
#
# The training pictures are **Fashion-MNIST**: 70,000 pictures by Zalando Research. They are not part of the package.
# `load_fashion_mnist` searches for the four files in this order:
#
# 1. the folder that the environment variable `FASHION_GAN_DATA` names;
# 2. the cache folder of fashion-gan in your home folder;
# 3. the folder of Debian's package `dataset-fashion-mnist`;
# 4. the network. A download is stored in the cache folder, so it happens once.
#
# > **Predict.** How many megabytes do 70,000 pictures of 28×28 bytes take?

# %%
train = fashion_gan.load_fashion_mnist("train")
test = fashion_gan.load_fashion_mnist("test")
megabytes = (train.images.nbytes + test.images.nbytes) / 1e6
print(f"{len(train.images):,} training images and {len(test.images):,} test images, {megabytes:.0f} MB in memory")
print(f"found in {train.source}")

# %% [markdown]
# **What happened.** 70,000 times 784 bytes are 55 MB. The download is smaller, 30 MB, because the files are compressed.
# Each file was compared with its published checksum. If a file is damaged or replaced, the call stops with an error.
# Chapter 3 looks at the pictures.

# %% [markdown]
# ## Exercise 2.1: boots of your own
#
# Draw 16 pictures of the class "Ankle boot" with seed 7.
#
# <details><summary>Hint</summary>
#
# `generator.generate` takes the number of pictures, `labels=` and `seed=`. Section 2.2 does it with dresses.
#
# </details>

# %% tags=["exercise"]
boots = ...

check.boots(boots)

# %% [markdown]
# ## Exercise 2.2: measure speed
#
# Write a function that returns how many pictures a generator draws in a second. It draws `count` pictures once.
#
# <details><summary>Hint</summary>
#
# Take the time before and after `generator.generate(count)` with `time.perf_counter()`. Divide the number of pictures
# by the seconds.
#
# </details>


# %% tags=["exercise"]
def images_per_second(generator, count):
    ...  # Measure here.
    return ...


check.speed(images_per_second)

# %% [markdown]
# ## Exercise 2.3: the same start
#
# A new network has random weights. Write a function that builds a model with one `Dense(3)` layer for inputs of length
# 4. Two calls with the same seed must give equal weights. Another seed must give other weights.
#
# <details><summary>Hint</summary>
#
# `keras.utils.set_random_seed(seed)` fixes the chance for all that follows. Layers draw their weights when the model is
# built. Which line must come first?
#
# </details>


# %% tags=["exercise"]
def build(seed):
    ...  # Fix the chance here.
    return keras.Sequential([keras.Input((4,)), ...])


check.same_start(build)

# %% [markdown]
# The answers are in [answers/chapter_2](answers/chapter_2.py).
#
# ## The same in the library
#
# - [generator.py](../generator.py): `Generator.generate` turns latent vectors and classes into pictures.
# - [latents.py](../latents.py): how a seed becomes latent vectors.
# - [datasets/fashion_mnist.py](../datasets/fashion_mnist.py): where the data are searched for, and their checksums.
# - [system/environment.py](../system/environment.py): the versions and the devices that each training run stores.
#
# ## Words of this chapter
#
# Generator, latent vector, seed, backend, device, batch, step, epoch: see the [glossary](glossary.md).
#
# Next: [chapter 3, the data](chapter_3_data.py).
