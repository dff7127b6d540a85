# %% [markdown]
# # Answers to chapter 6
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 6.1: label smoothing
#
# The real part is a mean of two losses, weighted 0.9 and 0.1. A very large logit now costs D something, so its logits
# stay small. Only the real side is smoothed. A target of 0.1 for generated pictures would praise pictures of G that D
# already recognizes.


# %%
def smoothed_loss(real_logits, fake_logits):
    real_part = 0.9 * tf.nn.softplus(-real_logits) + 0.1 * tf.nn.softplus(real_logits)
    fake_part = tf.nn.softplus(fake_logits)
    return tf.reduce_mean(real_part) + tf.reduce_mean(fake_part)


check.smoothed_loss(smoothed_loss)

# %% [markdown]
# ## Exercise 6.2: the generator's step
#
# The generated pictures are made inside the tape, because their gradient leads back to G. The gradient passes through
# D, but is taken for the weights of G only. So D stays as it is, and nothing has to be frozen.


# %%
def generator_step(generator, discriminator, optimizer, latents):
    with tf.GradientTape() as tape:
        fake_logits = discriminator(generator(latents, training=True), training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-fake_logits))
    weights = generator.trainable_variables
    optimizer.apply(tape.gradient(loss, weights), weights)
    return loss


check.generator_step(generator_step)

# %% [markdown]
# ## Exercise 6.3: a collapse detector
#
# In a balanced set each class has 10%. A class with less than 1% is missing for practical purposes: the feature network
# itself errs on a few pictures, so a missing class rarely has exactly 0.


# %%
def missing_classes(class_counts):
    return np.flatnonzero(class_counts < 0.01 * np.sum(class_counts))


check.missing_classes(missing_classes)
