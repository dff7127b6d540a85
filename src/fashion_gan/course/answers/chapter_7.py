# %% [markdown]
# # Answers to chapter 7
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 7.1: a walk on the sphere
#
# At share 0 the second sine is 0, and the first one cancels with `sin(a)`. In between, the two sines weigh the vectors
# so that the length stays the same. The library also handles equal and opposite vectors, whose arc is not unique.


# %%
def slerp(first, second, share):
    angle = np.arccos(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
    return (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(angle)


check.slerp(slerp)

# %% [markdown]
# ## Exercise 7.2: find the original
#
# The loop compares one picture with all training pictures at a time. It needs little memory. All pairs at once would
# need N times 60,000 times 784 numbers. `squared_distances` of 7.2 avoids that with a matrix product, and is faster.


# %%
def nearest(images, training):
    training = training.astype(np.float32)
    return np.array([((training - picture.astype(np.float32)) ** 2).sum(axis=(1, 2, 3)).argmin() for picture in images])


check.nearest(nearest)

# %% [markdown]
# ## Exercise 7.3: one more loss
#
# Compare it with bce: D also pays for logits that are too good, such as 3 for a real picture. So the logits stay near 0
# and 1, and G's gradient does not vanish. Mao et al. (2017) call this GAN the LSGAN.


# %%
def least_squares(real, fake):
    return mean((real - 1) ** 2) + mean(fake**2), mean((fake - 1) ** 2)


check.least_squares(least_squares)
