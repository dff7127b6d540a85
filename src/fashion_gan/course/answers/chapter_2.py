# %% [markdown]
# # Answers to chapter 2
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 2.1: boots of your own
#
# The class can be given by name. The name must be that of a class: `generator.class_names` lists all ten.

# %%
boots = generator.generate(16, labels="Ankle boot", seed=7)

check.boots(boots)

# %% [markdown]
# ## Exercise 2.2: measure speed
#
# `time.perf_counter` counts seconds from an unknown start, so only differences have a meaning. A small count measures
# mostly the overhead of one call. A large one measures the network.


# %%
def images_per_second(generator, count):
    start = time.perf_counter()
    generator.generate(count)
    return count / (time.perf_counter() - start)


check.speed(images_per_second)

# %% [markdown]
# ## Exercise 2.3: the same start
#
# The seed must be set before the layers are made, because they draw their weights at that time. `set_random_seed` sets
# the seeds of Python, NumPy and the backend together.


# %%
def build(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


check.same_start(build)
