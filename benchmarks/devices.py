"""Training images/s on several devices, the bytes that they exchange in a step, and what more devices would give.

The script measures steps of fashion-gan's train function on JAX, with each number of devices in a process of its own.
On a machine without accelerators it simulates the devices: they share the same processor cores, so the images/s show
only what the split itself costs. On accelerators they are the real figures.

The exchange is read from the compiled step: each collective operation with its size. A lazy gradient penalty counts
as if every step had it. All-reduces (gradients, statistics) do not grow with the batch. The other collectives (features
of the minibatch deviation) grow with the images on each device.

--paper writes a table for many accelerators from these bytes and from two measured rates of one accelerator, those of
the lab book's H100. It is a calculation, not a measurement. It assumes that nothing is exchanged during the compute.

    python benchmarks/devices.py                                   # about five minutes on two cores
    python benchmarks/devices.py --preset transposed --devices 1,2
    python benchmarks/devices.py --paper                           # the table too
"""

import json
import math
import os
import re
import subprocess
import sys
import time

import click

from fashion_gan import cli
from fashion_gan.config import Config
from fashion_gan.rendering.tables import format_table
from fashion_gan.system.backends import accelerator, use_backend
from fashion_gan.system.processes import ALONE

BYTES = {"f32": 4, "s32": 4, "u32": 4, "bf16": 2, "f16": 2, "u8": 1, "s8": 1, "pred": 1, "f64": 8, "s64": 8, "u64": 8}
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
# Steps of the preset fashion on one H100: (images in a batch, images/s). docs/lab/gpu.md
MEASURED = ((32, 23_357), (500, 154_286))
# The dense rate in TF32 or bfloat16, compared with an H100's; gigabytes/s that an accelerator sends within its machine
# and to others; and microseconds until a collective of few bytes is done, in a machine of eight and between machines.
# Rates and bandwidths: data sheets of HGX H100, HGX B200 and TPU v5p. Delays: assumed.
KINDS = {
    "H100, 400 Gb/s network": (1.0, 450, 50, 20, 60),
    "H100, 100 Gb/s network": (1.0, 450, 12.5, 20, 100),
    "B200, 400 Gb/s network": (2.2, 900, 50, 20, 60),
    "TPU v5p, one pod": (0.46, 300, 300, 20, 40),
}
WHOLE_BATCH = 4096
IMAGES_ON_EACH = 500
ACCELERATORS = (8, 64, 512)
IN_A_MACHINE = 8


@click.command()
@click.option("--preset", default="fashion", show_default=True, help="Preset to train, at its own size.")
@click.option("--devices", default="1,2,4", show_default=True, help="Numbers of devices.")
@click.option("--batch-size", default=128, show_default=True, help="Images in a batch of all devices together.")
@click.option("--steps", default=10, show_default=True, help="Measured steps.")
@click.option("--paper", is_flag=True, help="Calculate a table for many accelerators.")
@click.option("--child", type=int, hidden=True)
def main(preset, devices, batch_size, steps, paper, child):
    config = Config.from_preset(preset, batch_size=batch_size, backend="jax")
    if config.conditional:
        config = Config.from_preset(preset, batch_size=batch_size, backend="jax", class_names=tuple("0123456789"))
    if child:
        print(json.dumps(measure(config, child, steps)))
        return
    counts = [int(word) for word in devices.split(",")]
    results = {count: in_a_process(count, counts) for count in counts}
    report(preset, batch_size, results)
    if paper:
        print_paper(results[max(counts)])


def in_a_process(count, counts):
    """Measure a number of devices in a process of its own, in which JAX simulates them if there are no accelerators."""
    variables = {**os.environ, "JAX_NUM_CPU_DEVICES": str(max(counts)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    words = [sys.executable, *sys.argv, "--child", str(count)]
    done = subprocess.run(words, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(config, count, steps):
    """Images/s, and the collectives of a step: their number, and the bytes that each device sends."""
    use_backend("jax")
    import jax
    import numpy as np

    from fashion_gan.training.build import build_gan
    from fashion_gan.training.device_layout import DeviceLayout

    layout = DeviceLayout.of(ALONE, count)
    gan = build_gan(config, layout)
    random, size = np.random.default_rng(0), config.batch_size
    shape = (size, config.image_size, config.image_size, config.channels)
    batch = {"images": random.integers(0, 256, shape, np.uint8), "labels": random.integers(0, 10, size, np.int32)}
    (placed,) = next(layout.place([(batch,)]))
    gan._symbolic_build(data_batch=(placed,))  # As fit does. Keras has no public name for it.
    groups = (gan.trainable_variables, gan.non_trainable_variables, gan.optimizer.variables, gan.metrics_variables)
    state = tuple([layout.put_on_all(variable.value) for variable in group] for group in groups)
    step = jax.jit(layout.step(gan.train_step), donate_argnums=0).lower(state, placed).compile()
    for _ in range(2):
        state, logs = step(state, placed)
    jax.block_until_ready(logs)
    start = time.perf_counter()
    for _ in range(steps):
        state, logs = step(state, placed)
    jax.block_until_ready(logs)
    rate = steps * size / (time.perf_counter() - start)
    found = collectives(step.as_text())
    return {
        "images_per_second": rate,
        "collectives": len(found),
        "bytes": round(sum(bytes_sent(kind, size, count) for kind, size in found)),
        "reduced_bytes": sum(size for kind, size in found if kind == "all-reduce"),
        "bytes_an_image": sum(size for kind, size in found if kind != "all-reduce") * count / config.batch_size,
        "trainable_bytes": sum(4 * int(np.prod(variable.shape)) for variable in gan.trainable_variables),
        "device": accelerator("jax"),
    }


def collectives(text):
    """The collective operations of a compiled step: pairs of the kind and the bytes of the result."""
    found = []
    for line in text.splitlines():
        match = re.search(rf"= (.*?) ({'|'.join(COLLECTIVES)})(-start)?\(", line)
        if match:
            shapes = re.findall(r"(\w+)\[([\d,]*)\]", match[1])
            size = sum(
                BYTES.get(kind, 4) * math.prod(map(int, filter(None, shape.split(",")))) for kind, shape in shapes
            )
            found.append((match[2], size))
    return found


def bytes_sent(kind, size, count):
    """The bytes that each device sends for a result of this size, in the usual ring."""
    share = (count - 1) / count
    return {"all-reduce": 2 * share, "reduce-scatter": share * count, "collective-permute": 1}.get(kind, share) * size


def report(preset, batch_size, results):
    device = next(iter(results.values()))["device"]
    note = device or "simulated devices share this processor: the rates show only what the split costs"
    print(f"\n{preset}, batches of {batch_size}: {note}")
    rows = [["devices", "images/s", "of one device", "collectives in a step", "MB sent by each device"]]
    one = results[min(results)]["images_per_second"]
    for count, result in results.items():
        rate = result["images_per_second"]
        sent = f"{result['bytes'] / 1e6:.2f}"
        rows.append([str(count), f"{rate:,.0f}", f"{rate / one:.2f}", str(result["collectives"]), sent])
    print(format_table(rows, "rrrrr"))
    print(
        f"trainable weights {result['trainable_bytes'] / 1e6:.2f} MB; all-reduces {result['reduced_bytes'] / 1e6:.2f} "
        f"MB, others {result['bytes_an_image'] / 1e3:.1f} kB for each image of a device"
    )


def print_paper(result):
    """The table for many accelerators: step time = overhead + compute + bytes over the slowest link + delays."""
    (few, slow), (many, fast) = MEASURED
    per_image = (many / fast - few / slow) / (many - few)  # seconds
    overhead = few / slow - few * per_image
    print(f"\none H100: {1e3 * overhead:.2f} ms a step and {1e6 * per_image:.2f} µs an image")
    rows = [["accelerators", "", "images on each", "whole batch", "images/s", "times one"]]
    for name, (rate, *links) in KINDS.items():
        for count in ACCELERATORS:
            for local in (IMAGES_ON_EACH, WHOLE_BATCH // count):
                compute = overhead + local * per_image / rate
                whole = count * local
                faster = whole / (compute + exchange_seconds(result, count, local, *links))
                # Compared with one accelerator that computes as large a part, or the same whole batch.
                alone = local / compute if local == IMAGES_ON_EACH else whole / (overhead + whole * per_image / rate)
                rows.append([name, str(count), str(local), f"{whole:,}", f"{faster:,.0f}", f"{faster / alone:.1f}"])
    print(format_table(rows, "lrrrrr"))


def exchange_seconds(result, count, local, inside, outside, near, far):
    """The time that a step's exchange takes, with this many images on each accelerator."""
    is_far = count > IN_A_MACHINE
    sent = bytes_sent("all-reduce", result["reduced_bytes"], count)
    sent += bytes_sent("all-to-all", local * result["bytes_an_image"], count)
    return sent / (outside if is_far else inside) / 1e9 + result["collectives"] * (far if is_far else near) / 1e6


if __name__ == "__main__":
    sys.exit(cli.run(main, "devices.py"))
