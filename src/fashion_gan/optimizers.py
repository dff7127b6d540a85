"""Adam, on TensorFlow with one pass over the memory of each variable in the place of ten."""

from typing import Any

import keras
from keras import ops


class Adam(keras.optimizers.Adam):
    """``keras.optimizers.Adam`` (Kingma & Ba 2015, arXiv:1412.6980), to rounding, under the same names.

    Networks as small as ours spend a good part of a step on the element-wise operations that Keras writes Adam in;
    TensorFlow has them all as one, of dense gradients. Other backends take Keras's.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        """See ``keras.optimizers.Optimizer.update_step``."""
        if keras.backend.backend() != "tensorflow":
            return super().update_step(gradient, variable, learning_rate)
        import tensorflow as tf

        step = ops.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=ops.power(ops.cast(self.beta_1, variable.dtype), step),
            beta2_power=ops.power(ops.cast(self.beta_2, variable.dtype), step),
            lr=ops.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
        return None
