"""How the tests run chapter 7."""

PARAMETERS = {
    "COUNT": 600,
    "FEWER": (200, 600),
    "LOSS_STEPS": 100,
    "LOSS_SEEDS": (0,),
    "CLASSIFIER_STEPS": 10,
    "SYNTHETIC": 20,
    "RACE_SECONDS": 2,
    "RACE_SEEDS": (0,),
    "DRAWN": 200,
    "DRAW_STEPS": 3,
    "PER_CLASS": 20,
    "OWN_MINUTES": 0.03,
}

HINTS = ["np.arccos of its cosine", "the place of the smallest sum", "(logit - target) ** 2"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
lengths = np.linalg.norm(line, axis=1), np.linalg.norm(arc, axis=1)
assert lengths[0].min() < 0.85 * lengths[0][0] and lengths[1].min() > 0.95 * min(lengths[1][0], lengths[1][-1])
spreads = [some.astype(float).std(axis=0).mean() for some in shirts]
assert spreads == sorted(spreads), "truncation must change the variety"

ours = by_hand["the shipped generator"]
assert np.allclose(ours, library, rtol=1e-6), "the figures by hand must be the library's"
distances = list(by_count.values())[:-1]
assert distances == sorted(distances, reverse=True), "fewer pictures must have a larger distance"
frechets, precisions, recalls = ({name: values[i] for name, values in results.items()} for i in range(3))
assert copied["stolen"] == 1 and copied["real"] < 0.02 and copied["generated"] == 0
assert frechets["stolen"] < 1.3 * frechets["real"] and abs(recalls["stolen"] - recalls["real"]) < 0.1
assert precisions["one dress"] == 1 and recalls["one dress"] < 0.01 and frechets["one dress"] > 10 * frechets["real"]
assert frechets["faint noise"] > 3 * frechets["real"]
assert precisions["truncation 0.5"] > precisions["generated"] and recalls["truncation 0.5"] < recalls["generated"]

assert len(on_the_ring) == 9 and np.isfinite(np.concatenate([without, penalized])).all()
slopes = tf.random.normal((64, 2)), tf.random.normal((64, 2))
assert gradient_penalty(lambda x: x @ [[0.6], [0.8]], *slopes) < 1e-6, "a slope of 1 must cost nothing"
assert abs(gradient_penalty(lambda x: x @ [[3.0], [0.0]], *slopes) - 4) < 1e-4

assert [size.real_per_class for size in benefit.sizes] == [10, 200]
assert all(drawn.shape == (200, 28, 28, 1) and len(losses) for runs in races.values() for losses, _, drawn in runs)
assert speed["Gan"] > speed["Flow"]

assert own.images.shape == (60, 28, 28, 1) and own.class_names == mine.class_names == ("ring", "square", "triangle")
assert shapes.shape == (30, 28, 28, 1)
assert page.read_text(encoding="utf-8").startswith("<!")
"""
