"""Adam, on TensorFlow as one operation a variable in the place of twenty."""

from typing import Any

import keras
from keras import ops


class Adam(keras.optimizers.Adam):
    """``keras.optimizers.Adam`` (Kingma & Ba 2015, arXiv:1412.6980), to rounding, with variables of the same names.

    In networks as small as ours a good part of a step goes to the many small operations that Keras writes Adam in;
    TensorFlow has one for them all. On other backends it is Keras's own.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """See ``keras.optimizers.Optimizer.apply``."""
        if keras.backend.backend() == "tensorflow":  # Once, and not for each variable.
            step = ops.cast(self.iterations + 1, "float32")
            self._beta_1_power, self._beta_2_power = ops.power(self.beta_1, step), ops.power(self.beta_2, step)
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        """See ``keras.optimizers.Optimizer.update_step``."""
        if keras.backend.backend() != "tensorflow":
            return super().update_step(gradient, variable, learning_rate)
        import tensorflow as tf

        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self._beta_1_power,
            beta2_power=self._beta_2_power,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
        return None
