"""How the tests run chapter 1."""

PARAMETERS = {"STEPS": 800, "MORE_SEEDS": (1,), "STEPS_ALONE": 200}

HINTS = ["Take -np.log of each answer", "(1 - share) * q", "Count the centers"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
assert real_score.covered == 8 and 0.98 < real_score.good < 0.995
assert np.isclose(discriminator_loss(tf.zeros((4, 1)), tf.zeros((4, 1))), 2 * np.log(2))
left, right = np.ravel(answer(centers))
assert left > 0.9 and abs(right - 1 / 3) < 0.1, (left, right)
assert floor - 0.05 < reached < floor + 0.1, (floor, reached)
assert losses[0] > reached
assert 0.7 < works["loss of D"][half:].mean() < 1.5
assert works["loss of G"][half:].mean() > works["loss of G"][:5].mean()
assert halves[1] > halves[0] and halves[1] > 4, halves
assert max(covered[uneven]) < 2 < 4 < min(covered[even]), covered
assert np.allclose(slopes[1] / slopes[0], np.exp(-logits.numpy()).reshape(-1), rtol=0.01)
"""
