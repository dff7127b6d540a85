"""Adam as one operation equals Keras's Adam."""

import keras
import numpy as np
import pytest

from fashion_gan.training.optimizers import Adam


@pytest.mark.parametrize("beta_1", [0.0, 0.5, 0.9])
def test_adam_makes_the_same_steps_and_has_the_same_state_as_keras(beta_1):
    random = np.random.default_rng(0)
    start = [random.normal(size=shape).astype("float32") for shape in ((3, 3, 4, 5), (5,), ())]
    states = []
    for optimizer in (Adam, keras.optimizers.Adam):
        variables = [keras.Variable(value, name=f"weight_{i}") for i, value in enumerate(start)]
        adam = optimizer(1e-2, beta_1=beta_1, name="adam")
        adam.build(variables)
        steps = np.random.default_rng(1)
        for learning_rate in (1e-2, 1e-2, 3e-3, 0.0):
            adam.learning_rate = learning_rate
            gradients = [keras.ops.convert_to_tensor(steps.normal(size=v.shape).astype("float32")) for v in variables]
            adam.apply(gradients)
        states.append({v.path: keras.ops.convert_to_numpy(v.value) for v in (*variables, *adam.variables)})
    state, expected = states
    assert state.keys() == expected.keys(), "checkpoints use these names"
    for path, value in expected.items():
        np.testing.assert_allclose(state[path], value, rtol=1e-5, atol=1e-7, err_msg=path)
    changes = [np.abs(state[f"weight_{i}"] - value).max() for i, value in enumerate(start)]
    assert min(changes) > 1e-3
