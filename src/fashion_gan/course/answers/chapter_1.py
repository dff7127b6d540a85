# %% [markdown]
# # Answers to chapter 1
#
# Paste a cell into the chapter's notebook to run it: it uses names from there.

# %% [markdown]
# ## Exercise 1.1: the loss of D
#
# Each half is a mean of its own, so that the data and the generated points count equally, even if their numbers differ.
# The logarithm of a number below 1 is negative, hence the signs. An answer of exactly 0 or 1 would give an infinite
# logarithm. So networks give logits, and Keras computes the loss from them without that danger.


# %%
def loss_of_d(real_answers, fake_answers):
    return -np.log(real_answers).mean() - np.log(1 - fake_answers).mean()


check.loss_of_d(loss_of_d)

# %% [markdown]
# ## Exercise 1.2: the best answer with unequal batches
#
# With many generated points and few data, even a perfect G gets answers below one half. D's answer always depends on
# the mixture that it was trained with. So GANs train with as many generated points as data.


# %%
def best_answer_for(p, q, share):
    return share * p / (share * p + (1 - share) * q)


check.best_answer(best_answer_for)

# %% [markdown]
# ## Exercise 1.3: count the covered clusters
#
# One point is enough here. `plane.score` asks for a quarter of a cluster's fair share, so that one stray point does not
# count. Chapter 3 counts the classes of pictures in the same way.


# %%
def covered_clusters(points, centers):
    return sum((np.linalg.norm(points - center, axis=1) <= 0.36).any() for center in centers)


check.covered_clusters(covered_clusters)
