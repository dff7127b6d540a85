"""How the tests run chapter 3."""

PARAMETERS = {"COUNT": 1000, "FEWER": (200, 500)}

HINTS = ["np.rint", "minlength", "Square the difference of the means"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
assert counts.tolist() == [6000] * 10
assert 0.49 < dark < 0.51
assert images.min() == -1 and images.max() == 1
distances = list(by_count.values())
assert distances == sorted(distances, reverse=True), "fewer pictures must have a larger distance"
assert all(scores[name] > 1.2 * baseline for name in DAMAGES), scores
assert scores["noise of 10 levels"] > scores["3 classes missing"] > scores["1 of 10 is the same"]
assert baseline < scores["the shipped generator"] < scores["moved by 1 pixel"]
assert three_missing.missing_classes == 3
assert three_missing.class_counts[7:].sum() < 30 < three_missing.class_counts[:7].min()
"""
