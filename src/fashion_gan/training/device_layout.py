"""Train on several devices with JAX: each holds all weights and computes its part of every batch."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fashion_gan.arrays import Tensor
from fashion_gan.errors import InputError
from fashion_gan.system.processes import ProcessGroup
from fashion_gan.training.multi_step import Logs, State, TrainFunction, TrainStep


class DeviceLayout:
    """Where the arrays of a training step are: the weights on every device, and a part of each batch on each.

    The compiled step is that of one device. XLA splits it, and adds the exchange between the devices wherever a value
    depends on the whole batch: gradients, losses, and batch norm's statistics. The groups of ``MinibatchStdDev`` are
    also those of one device. So the layout changes the order of sums, and nothing else.

    This is plain ``jax.sharding`` and not ``keras.distribution``, which splits the first axis of every input: here
    that would be the steps of several batches in one. It is also a setting of the whole process. Either way, the
    latents must be split by hand, or each device generates all images.

    Args:
        devices: the devices, those of process 0 first. Each process has the same number.
        group: the processes that train together.
    """

    def __init__(self, devices: list[jax.Device], group: ProcessGroup) -> None:
        self.devices, self.group = devices, group
        mesh = Mesh(np.array(devices), ("batch",))
        self.on_all = NamedSharding(mesh, PartitionSpec())
        self._split = NamedSharding(mesh, PartitionSpec("batch"))
        self._split_steps = NamedSharding(mesh, PartitionSpec(None, "batch"))

    @classmethod
    def of(cls, group: ProcessGroup, count: int | None) -> "DeviceLayout":
        """The layout of the first devices of each process.

        Args:
            group: the processes.
            count: devices of each process. None: all.

        Raises:
            InputError: a process has fewer devices, or the processes differ in theirs, or JAX is set to random numbers
                that depend on the layout.
        """
        settings: Any = jax.config
        if settings.jax_default_prng_impl != "threefry2x32" or not settings.jax_threefry_partitionable:
            raise InputError(
                "devices needs JAX's default random numbers, because others depend on the number of devices: unset "
                "JAX_DEFAULT_PRNG_IMPL and JAX_THREEFRY_PARTITIONABLE"
            )
        by_process = [[device for device in jax.devices() if device.process_index == i] for i in range(group.count)]
        counts = [len(devices) for devices in by_process]
        if count is None and len(set(counts)) > 1:
            raise InputError(f"the processes have {counts} devices: use the same number with devices={min(counts)}")
        if count is not None and count > min(counts):
            where = f" of process {counts.index(min(counts))}" if group.count > 1 else ""
            raise InputError(
                f"devices={count}, but JAX finds {min(counts)} ({jax.devices()[0].platform}){where}: "
                "use devices=all or a smaller number"
            )
        return cls([device for devices in by_process for device in devices[:count]], group)

    def check_batch_size(self, batch_size: int) -> None:
        """Raise InputError if the devices cannot get equal parts of a batch."""
        count = len(self.devices)
        if batch_size % count:
            below = batch_size - batch_size % count
            near = " or ".join(str(size) for size in (below, below + count) if size)
            raise InputError(f"batch_size={batch_size} cannot be divided by {count} devices: use {near}")

    def describe(self, batch_size: int) -> str:
        """The devices, and what each gets of a batch: ``4 devices (cpu) in 2 processes, 8 images of a batch on each``.

        Raises:
            InputError: the devices cannot get equal parts.
        """
        self.check_batch_size(batch_size)
        count, processes = len(self.devices), self.group.count
        where = f" in {processes} processes" if processes > 1 else ""
        devices = f"{count} device{'s' * (count > 1)} ({self.devices[0].device_kind}){where}"
        return f"{devices}, {batch_size // count} images of a batch on each"

    # ---- Batches ----

    def place(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Put batches on the devices: this process's part of each, on its own devices.

        Args:
            batches: ``({"images": (n, h, w, c), "labels": (n,)},)``, or several batches in one, with the steps as the
                first axis. n is the number of images of this process.
        """
        for (batch,) in batches:
            sharding = self._split if batch["labels"].ndim == 1 else self._split_steps
            yield (jax.tree.map(lambda part, s=sharding: jax.make_array_from_process_local_data(s, part), batch),)

    def split_groups(self, values: Tensor) -> Tensor:
        """Inside of a compiled step: give each device some groups of these values (images of a group, groups, …).

        So the devices exchange only the images of each one's own groups, and not all images of the batch.
        """
        return jax.lax.with_sharding_constraint(values, self._split_steps)

    def split(self, values: Tensor) -> Tensor:
        """Inside of a compiled step: give each device its part of these values (N, …)."""
        return jax.lax.with_sharding_constraint(values, self._split)

    # ---- Weights ----

    def step(self, train_step: TrainStep) -> Callable[[State, Any], tuple[State, Logs]]:
        """A training step that leaves its results on every device: state and batch -> the next state and the logs."""

        def step(state: State, batch: dict[str, Any]) -> tuple[State, Logs]:
            logs, state = train_step(state, (batch,))
            return jax.lax.with_sharding_constraint((state, logs), self.on_all)

        return step

    def train_function(self, train_step: TrainStep) -> TrainFunction:
        """The train function of a Keras model: one step for a batch, and a scan for several batches in one."""
        step = self.step(train_step)

        def scan(state: State, batches: dict[str, Any]) -> tuple[State, Logs]:
            state, logs = jax.lax.scan(step, state, batches)
            return state, jax.tree.map(lambda values: values[-1], logs)

        run_step, run_scan = (jax.jit(function, donate_argnums=0) for function in (step, scan))

        def train(state: State, stream: Iterator[Any]) -> tuple[Logs, State]:
            batch, _, _ = keras.utils.unpack_x_y_sample_weight(next(stream))
            run = run_step if batch["labels"].ndim == 1 else run_scan
            state, logs = run(jax.tree.map(self.put_on_all, state), batch)
            return logs, state

        return train

    def put_on_all(self, value: Tensor) -> Tensor:
        """A copy of a value on every device, unless it is there. The same value must be in all processes."""
        if value.sharding == self.on_all:
            return value
        return jax.make_array_from_process_local_data(self.on_all, np.array(value))

    def bring_home(self, variables: Iterable[keras.Variable]) -> None:
        """Put variables on this process's first device, so that they can be used without the other processes."""
        for variable in variables:
            if variable.value.sharding == self.on_all:
                variable.assign(np.array(variable.value))
