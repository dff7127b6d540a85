# %% [markdown]
# # Answers to chapter 4
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 4.1: a deeper discriminator
#
# Three strided convolutions see a wide part of the picture, so D can compare the sleeve with the collar. More filters
# make up for smaller maps. The side goes from 7 to 4, because `padding="same"` rounds up.


# %%
def build_deeper():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Conv2D(128, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


check.discriminator(build_deeper)

# %% [markdown]
# ## Exercise 4.2: how often is D right?
#
# The sigmoid of 0 is one half, so the sign of the logit is D's answer. An accuracy near 1 during a GAN's training is a
# warning: section 4.6 shows why.


# %%
def accuracy(real_logits, fake_logits):
    return (np.mean(real_logits > 0) + np.mean(fake_logits < 0)) / 2


check.accuracy(accuracy)

# %% [markdown]
# ## Exercise 4.3: two slopes
#
# A D that is sure gives generated pictures a logit such as -10. There the saturating loss has the slope -0.00005, and
# the non-saturating one -0.99995. G's gradient is this slope times the gradient of the logit. So the first vanishes.


# %%
def slopes(x):
    probability = 1 / (1 + np.exp(-x))
    saturating_slope = -probability
    non_saturating_slope = probability - 1
    return saturating_slope, non_saturating_slope


check.slopes(slopes)
