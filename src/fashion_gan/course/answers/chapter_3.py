# %% [markdown]
# # Answers to chapter 3
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 3.1: back to pixels
#
# The inverse of `x / 127.5 - 1` is `(y + 1) * 127.5`. Without `np.rint`, float errors turn some levels into the level
# below. Without `np.clip`, 1.2 would be 280.5, which has no place in a `uint8`.


# %%
def to_pixels(images):
    return np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)


check.to_pixels(to_pixels)

# %% [markdown]
# ## Exercise 3.2: count the classes
#
# `minlength=10` adds zeros for classes that do not occur. Missing classes are what you look for in a generator's
# pictures, so they must be visible.


# %%
def class_counts(labels):
    return np.bincount(labels, minlength=10)


check.class_counts(class_counts)

# %% [markdown]
# ## Exercise 3.3: the Fréchet distance of one number
#
# The first term is the difference in place, the second the difference in spread. A generator that always draws the same
# picture has a spread of 0, so the second term finds it even if its mean is right.


# %%
def frechet_1d(first, second):
    return (first.mean() - second.mean()) ** 2 + (first.std() - second.std()) ** 2


check.frechet_1d(frechet_1d)
