# %% [markdown]
# # Answers to chapter 5
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 5.1: your own generator
#
# This one uses upsampling, the chapter's own uses transposed convolutions of kernel 4. Both are right. The layer before
# a batch norm needs no bias, because the norm subtracts it again.


# %%
def build_mine():
    return keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 64, use_bias=False),
            layers.Reshape((7, 7, 64)),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.UpSampling2D(),
            layers.Conv2D(32, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.UpSampling2D(),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ]
    )


check.generator(build_mine)

# %% [markdown]
# ## Exercise 5.2: count the stamps
#
# With kernel 3 and stride 2 the counts inside alternate between 1 and 2. In two dimensions they multiply: 1, 2 and 4
# stamps. That is the pattern of section 5.3.


# %%
def overlaps(inputs, kernel, stride):
    counts = np.zeros(stride * (inputs - 1) + kernel, int)
    for start in range(0, stride * inputs, stride):
        counts[start : start + kernel] += 1
    return counts


check.overlaps(overlaps)

# %% [markdown]
# ## Exercise 5.3: batch normalization by hand
#
# The mean runs over the batch, the rows and the columns, so each channel has one. NumPy aligns the shape (channels,)
# with the last axis of `x`. Keras does the same during training, and collects averages for later.


# %%
def batch_norm(x, gamma, beta):
    mean = x.mean(axis=(0, 1, 2))
    variance = x.var(axis=(0, 1, 2))
    normalized = (x - mean) / np.sqrt(variance + 1e-3)
    return gamma * normalized + beta


check.batch_norm(batch_norm)
