"""How the tests run chapter 4."""

PARAMETERS = {
    "SEEDS": (0,),
    "PROBED": 64,
    "NOISE_STEPS": (0, 5, 15, 30, 60),
    "EXPERT_STEPS": (0, 20, 40, 100),
}

HINTS = ["Repeat Conv2D", "A logit above 0 is a probability above one half", "The slope of softplus(x) is sigmoid(x)"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
assert halving.count_params() == 544 and dense_weights == 4_923_520
assert difference < 1e-4, "a convolution finds the same pattern at another place"
assert blocked["LeakyReLU"] == 0 and 0.3 < blocked["ReLU"] < 1, blocked
assert len(np.unique(with_dropout)) > 150 and len(np.unique(without.round(4))) == 1
assert wrong_gradients == (1.0, 0.0), "a loss from probabilities has no gradient at a wrong certainty"
assert (losses[:, -5:].mean(axis=1) < 0.2 * losses[:, :2].mean(axis=1)).all(), "D's loss falls"
assert final["real"] > 0.9 > 0.1 > final["noise"], final
assert (change[:, 0] < 0.05).all(), "the saturating gradient vanishes"
assert (change[:, 1] > 0.2).all(), "the non-saturating gradient does not vanish"
assert fooled["saturating"] < 0.1, fooled
assert fooled["non-saturating"] > 0.9, fooled
"""
