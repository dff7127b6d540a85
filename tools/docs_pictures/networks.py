"""What the parts of the residual networks do, and the losses as curves."""

import io

import numpy as np

from docs_pictures.studio import as_levels, img, img_grid, small_png
from fashion_gan import pretrained
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.latents import draw_latents
from fashion_gan.rendering.images import to_uint8
from fashion_gan.system.backends import default_backend, use_backend

G = "generator"  # the name that each layer of the shipped generator starts with


def load_generator_model():
    """The shipped generator as a Keras model."""
    use_backend(default_backend())
    from fashion_gan.saving.model_files import load_model

    return load_model(pretrained.folder("fashion") / "generator.keras")[0]


def outputs_of(model, layers, inputs):
    """The outputs of some layers of a Keras model, as NumPy arrays by the layers' names."""
    import keras

    values = keras.Model(model.inputs, [model.get_layer(name).output for name in layers])(inputs, training=False)
    return dict(zip(layers, map(keras.ops.convert_to_numpy, values), strict=True))


STAGES = {
    f"{G}_reshape": ("Dense layer", "7×7, 8 of 64 channels"),
    f"{G}_quarter_add": ("Residual block", "7×7, 8 of 64 channels"),
    f"{G}_enlarge": ("Transposed convolution", "14×14, 8 of 32 channels"),
    f"{G}_half_add": ("Residual block", "14×14, 8 of 32 channels"),
    f"{G}_images": ("Convolution, tanh", "14×14, 4 channels"),
    f"{G}_unfold": ("Pixel shuffle", "28×28, 1 channel"),
}
TEXTS = {
    f"{G}_images": "Each channel holds one pixel<br>of each block of 2×2 pixels.",
    f"{G}_unfold": "The four channels become one image<br>of twice the width and height.",
}


def residual_stages(studio):
    """Feature maps of one ankle boot, from 7×7 to the 28×28 pixels."""
    inputs = [draw_latents(1, 100, seed=3), np.array([9], np.int32)]
    values = outputs_of(load_generator_model(), list(STAGES), inputs)
    cells = ""
    for name, (title, size) in STAGES.items():
        maps = [one[..., np.newaxis] for one in np.moveaxis(values[name][0], -1, 0)]
        if len(maps) > 4:
            strongest = sorted(sorted(range(len(maps)), key=lambda channel: -maps[channel].std())[:8])
            shown = img_grid([as_levels(maps[channel]) for channel in strongest], 8, 56, gap=4)
        else:
            shown = img_grid([to_uint8(one) for one in maps], 4, 112 if len(maps) == 1 else 56, gap=4)
        cells += (
            f'<p style="align-self: center"><b>{title}</b><br><span class="soft">{size}</span></p>'
            f'<div class="row" style="gap: 16px">{shown}<p class="soft">{TEXTS.get(name, "")}</p></div>'
        )
    return studio.sheet(f'<div class="grid" style="grid-template-columns: 178px auto; gap: 12px">{cells}</div>', 706)


def residual_norm(studio):
    """One latent, drawn as each class: the picture, and the gains of the last modulated norm."""
    count = len(CLASS_NAMES)
    layers = [f"{G}_norm_gain", f"{G}_centre_images"]
    inputs = [draw_latents(1, 100, seed=12).repeat(count, axis=0), np.arange(count, dtype=np.int32)]
    values = outputs_of(load_generator_model(), layers, inputs)
    gains, images = values[layers[0]], to_uint8(values[layers[1]])
    deviations = gains - gains.mean(axis=0)
    largest = np.abs(deviations).max()
    above, below = (f'<b style="color: {color_of(end)}">{word}</b>' for end, word in ((1.0, "above"), (-1.0, "below")))
    cells = f"<p></p><p></p><p>Gains of the last norm: {above} or {below} the mean of all classes</p>"
    for name, image, row in zip(CLASS_NAMES, images, deviations, strict=True):
        squares = "".join(f'<i style="background: {color_of(value / largest)}"></i>' for value in row)
        cells += f'<b style="align-self: center">{name}</b>{img(image, 42)}<div class="gains">{squares}</div>'
    style = f".gains {{ display: grid; grid-template-columns: repeat({gains.shape[1]}, 1fr); gap: 1px; }}"
    grid = f'<div class="grid" style="grid-template-columns: 92px 42px 520px; gap: 5px 12px">{cells}</div>'
    return studio.sheet(f"<style>{style}</style>{grid}", 718)


def color_of(value):
    """Orange for 1, blue for -1, and dark gray for 0."""
    end = (255, 150, 60) if value > 0 else (70, 150, 255)
    mixed = [round(44 + abs(float(value)) * (channel - 44)) for channel in end]
    return f"rgb({mixed[0]}, {mixed[1]}, {mixed[2]})"


def residual_centering(studio):
    """Before and after centering: the first six images of seed 0 that move by two pixels or more."""
    layers = [f"{G}_unfold", f"{G}_centre_images"]
    labels = np.arange(100, dtype=np.int32) % len(CLASS_NAMES)
    values = outputs_of(load_generator_model(), layers, [draw_latents(100, 100, seed=0), labels])
    before, after = (to_uint8(values[name]) for name in layers)
    moves = [shift_between(*pair) for pair in zip(before, after, strict=True)]
    chosen = [number for number, move in enumerate(moves) if move >= 2][:6]
    rows = "".join(
        f'<b style="align-self: center">{title}</b><div class="row" style="gap: 8px">'
        + "".join(with_margins(image) for image in images[chosen])
        + "</div>"
        for title, images in (("Before", before), ("After", after))
    )
    return studio.sheet(f'<div class="grid" style="grid-template-columns: 60px auto; gap: 12px">{rows}</div>', 656)


def shift_between(before, after):
    """By how many pixels the content moved, down and to the right together."""
    return sum(abs(new[0] - old[0]) for old, new in zip(box(before), box(after), strict=True))


def box(image):
    """The first and the last row, and the first and the last column, that are not empty."""
    from fashion_gan.networks.centering import EMPTY_LEVEL

    lit = image[..., 0] > EMPTY_LEVEL
    return [np.flatnonzero(lit.any(axis=axis))[[0, -1]].astype(int) for axis in (1, 0)]


def with_margins(image, size=84):
    """An image with a frame around its content and a cross at its center."""
    rows, columns = box(image)
    scale = size / len(image)
    left, top = columns[0] * scale, rows[0] * scale
    width, height = (columns[-1] + 1) * scale - left, (rows[-1] + 1) * scale - top
    frame = (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#ff9b3d" stroke-width="1"/>'
        f'<path d="M{size / 2} 0V{size}M0 {size / 2}H{size}" stroke="#58a6ff" stroke-width="1" opacity=".8"/>'
    )
    svg = f'<svg width="{size}" height="{size}" style="position: absolute; left: 0; top: 0">{frame}</svg>'
    return f'<div style="position: relative">{img(image, size)}{svg}</div>'


def residual_minibatch(studio):
    """The channel of ``MinibatchStdDev`` for four different images, for two pairs, and for one image four times."""
    import fashion_gan

    gan = fashion_gan.load_gan("fashion")
    import keras

    images = fashion_gan.Generator.from_pretrained("fashion").generate(4, labels="Bag", seed=5)
    batches = {
        "Four different bags": images,
        "Two bags, twice each": images[[0, 0, 1, 1]],
        "One bag, four times": images[[0, 0, 0, 0]],
    }
    layer = gan.discriminator.get_layer("discriminator_variety")
    channel_of = keras.Model(gan.discriminator.inputs, layer.output)
    labels = np.full(4, CLASS_NAMES.index("Bag"), np.int32)
    cells = ""
    for title, batch in batches.items():
        channels = channel_of([np.float32(batch / 127.5 - 1.0), labels], training=True)
        value = float(keras.ops.convert_to_numpy(channels)[0, 0, 0, -1])
        bar = f'<div style="width: {1 + 400 * value:.0f}px; height: 18px; background: #ff9b3d"></div>'
        cells += (
            f'<b style="align-self: center">{title}</b>{img_grid(batch, 4, 56, gap=4)}'
            f'<div class="row" style="gap: 8px">{bar}<b>{value:.2f}</b></div>'
        )
    grid = f'<div class="grid" style="grid-template-columns: 160px auto 200px; gap: 12px">{cells}</div>'
    return studio.sheet(grid, 660)


RED, BLUE, GRAY = "#c44e52", "#4c72b0", "#888888"


def losses(studio):
    """Each pair of losses against the logit of a generated image. The real image has the logit 0."""
    logits = np.linspace(-5, 5, 201, dtype=np.float32)
    figure = new_figure(5.4)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, (name, loss) in zip(panels.flat, loss_functions().items(), strict=True):
        for function, color, label in ((loss.discriminator, RED, "D"), (loss.generator, BLUE, "G")):
            axes.plot(logits, values_of(function, logits), color=color, linewidth=2, label=label)
        axes.set_title(name, size=11, weight="bold")
        axes.set_xticks(range(-4, 5, 2))
        finish(axes)
    panels[0, 0].legend(frameon=False, fontsize=11, title="loss of")
    for axes in panels[1]:
        axes.set_xlabel("logit of a generated image")
    return png_of(figure)


def loss_gradients(studio):
    """How strongly each loss pushes the generator, against the logit of a generated image."""
    logits = np.linspace(-6, 6, 241, dtype=np.float32)
    figure = new_figure(3.6)
    axes = figure.subplots()
    styles = ("-", "-", "-", "-", (0, (4, 3)), (0, (2, 2)))
    colors = ("#4c72b0", "#c44e52", "#dd8452", "#55a868", "#222222", "#8172b3")
    for (name, loss), style, color in zip(loss_functions().items(), styles, colors, strict=True):
        slopes = -np.gradient(values_of(loss.generator, logits), logits)
        axes.plot(logits, slopes, color=color, linestyle=style, linewidth=2, label=name)
    axes.set_xlabel("logit of a generated image (left: D is sure that it is generated)")
    axes.set_ylabel("negative slope of G's loss")
    axes.legend(frameon=False, fontsize=10, ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    finish(axes)
    return png_of(figure)


def loss_functions():
    use_backend(default_backend())
    from fashion_gan.training.losses import LOSSES

    return LOSSES


def values_of(function, logits):
    """The loss of one real image with the logit 0, and one generated image with each of these logits."""
    zero = np.zeros((1, 1), np.float32)
    return np.array([float(function(zero, logit.reshape(1, 1))) for logit in logits])


def new_figure(height):
    """An empty figure, 7.2 inches wide: 720 pixels on a page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def finish(axes):
    axes.grid(alpha=0.25)
    axes.axhline(0, color=GRAY, linewidth=0.8)
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def png_of(figure):
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return small_png(content.getvalue())
