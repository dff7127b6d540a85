"""Adam. On TensorFlow it is one operation for each variable instead of twenty."""

import keras
from keras import ops

from fashion_gan.arrays import Tensor


class Adam(keras.optimizers.Adam):
    """Equals ``keras.optimizers.Adam`` (Kingma & Ba 2015, arXiv:1412.6980) up to rounding, and has its variable names.

    Keras writes Adam in many small operations, which take a large part of the step time of small networks. TensorFlow
    has one operation that replaces all of them. On the other backends this class is Keras's own Adam.
    """

    def apply(self, grads: list[Tensor], trainable_variables: list[keras.Variable] | None = None) -> None:
        """See ``keras.optimizers.Optimizer.apply``."""
        if keras.backend.backend() == "tensorflow":  # Computed once a step, not once a variable.
            step = ops.cast(self.iterations + 1, "float32")
            self._beta_1_power, self._beta_2_power = ops.power(self.beta_1, step), ops.power(self.beta_2, step)
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """See ``keras.optimizers.Optimizer.update_step``."""
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
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
