"""How the tests run chapter 6."""

PARAMETERS = {
    "IMAGES": 6000,
    "EPOCHS": 2,
    "KERAS_EPOCHS": 2,
    "LIBRARY_STEPS": 5,
    "RECIPE_ROUNDS": 10,
    "SCORED": 200,
    "SEEDS": (0,),
    "SATURATION_STEPS": 30,
    "COLLAPSE_ROUNDS": 25,
    "SURE_STEPS": 120,
    "SURE_PLAY": 40,
    "FEW": 8,
    "FEW_STEPS": 150,
    "NAN_STEPS": 15,
}

HINTS = ["tf.nn.softplus", "name G's weights", "np.flatnonzero"]
"""Words of the hint that each exercise prints while it has blanks."""

ASSERTS = """
import contextlib, inspect, io

# The loop by hand
source = "".join(map(inspect.getsource, (make_d_step, make_g_step, train)))
assert len(source.splitlines()) < 60
assert len(saves) == 2 and sorted(path.name for path in FOLDER.glob("*.png")) == [
    "gan_generated_image_epoch_1.png", "gan_generated_image_epoch_2.png"
]
assert steps.shape == (2 * (IMAGES // 64), 4) and np.isfinite(steps).all()
assert frechet[-1] < untrained.frechet / 2
assert baseline < frechet[-1]
assert keras_score.frechet < untrained.frechet

# The recipe of old notebooks
assert d_moved == 0 and g_moved > 0
assert d_moved_called > 0
assert old_losses[-1, 1] < old_losses[0, 1]

# The failures and their cures
for seed in SEEDS:
    ill, well = collapse_scores[seed]
    assert present(ill.class_counts) < present(well.class_counts)
    assert spread(collapsed[seed]) < 0.5 * spread(cured[seed])
(_, _, ill_first, ill_last, ill_frechet), (_, _, _, well_last, well_frechet) = saturation
assert ill_first < 0.1 and ill_last < 0.1 < well_last
assert ill_frechet > well_frechet
assert minimax_lengths[-1] < 0.1 * minimax_lengths[0] and usual_lengths[-1] > 10 * usual_lengths[0]
at_end = {name: (d_fake, distance) for (name, _), (d_fake, distance, _) in vanishing.items()}
(d_fake, distance), (d_fake_cured, distance_cured), _ = at_end.values()
assert d_fake < 0.01 < 0.1 < d_fake_cured and distance_cured < 0.8 * distance
for _, _, free, damped in orbits:
    assert swing(free) > 0.5 and swing(damped) < 1e-3
assert still[0.0, 0] > 2 * still[10.0, 0], still
gaps = {name: known - unknown for (name, _), (known, unknown, *_) in few.items()}
assert gaps["few"] > 1.5 * gaps["few, augmented"]
for seed in SEEDS:
    assert nan_at["on paper", seed] is not None
    assert nan_at["softplus", seed] is None


# The usual mistakes of the exercises are named
def line(examine, answer):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert not examine(answer)
    return output.getvalue()


def mean_softplus(x, weight=1.0):
    return tf.reduce_mean(weight * tf.nn.softplus(x))


assert "without smoothing" in line(check.smoothed_loss, discriminator_loss)
assert "0.1 log(1" in line(check.smoothed_loss, lambda r, f: mean_softplus(-r, 0.9) + mean_softplus(f))
assert "exchanged" in line(
    check.smoothed_loss, lambda r, f: mean_softplus(-r, 0.1) + mean_softplus(r, 0.9) + mean_softplus(f)
)
assert "the target 0.95" in line(
    check.smoothed_loss, lambda r, f: mean_softplus(-r, 0.95) + mean_softplus(r, 0.05) + mean_softplus(f)
)
assert "smoothed too" in line(
    check.smoothed_loss,
    lambda r, f: mean_softplus(-r, 0.9) + mean_softplus(r, 0.1) + mean_softplus(f, 0.9) + mean_softplus(-f, 0.1),
)
assert "NaN" in line(
    check.smoothed_loss,
    lambda r, f: tf.reduce_mean(
        -0.9 * tf.math.log(tf.sigmoid(r)) - 0.1 * tf.math.log(1 - tf.sigmoid(r)) - tf.math.log(1 - tf.sigmoid(f))
    ),
)


def wrong_step(loss_of, learner=0, inside=True, training=True):
    def generator_step(*networks_and_more):
        *networks, optimizer, latents = networks_and_more
        fake = networks[0](latents, training=training)
        with tf.GradientTape() as tape:
            logits = networks[1](networks[0](latents, training=training) if inside else fake, training=training)
            loss = loss_of(logits)
        weights = networks[learner].trainable_variables
        gradients = [np.zeros(w.shape) if g is None else g for g, w in zip(tape.gradient(loss, weights), weights)]
        optimizer.apply(gradients, weights)
        return loss
    return generator_step


assert check.generator_step(wrong_step(lambda logits: mean_softplus(-logits)))
assert "D's weights move" in line(check.generator_step, wrong_step(lambda logits: mean_softplus(-logits), learner=1))
assert "do not move" in line(check.generator_step, wrong_step(lambda logits: mean_softplus(-logits), inside=False))
assert "training mode" in line(check.generator_step, wrong_step(lambda logits: mean_softplus(-logits), training=None))
assert "learns to be recognized" in line(check.generator_step, wrong_step(mean_softplus))
assert "saturates" in line(check.generator_step, wrong_step(lambda logits: -mean_softplus(logits)))
assert "sum over the batch" in line(
    check.generator_step, wrong_step(lambda logits: tf.reduce_sum(tf.nn.softplus(-logits)))
)
"""
