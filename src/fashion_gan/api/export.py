"""Export a trained generator, or import one from an old Keras file."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from fashion_gan.config import PRESETS
from fashion_gan.errors import InputError, check_choice, check_whole_number
from fashion_gan.saving.keras2 import MAX_CLASSES
from fashion_gan.saving.origins import is_onnx_file, resolve
from fashion_gan.system.backends import default_backend, use_backend
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path

if TYPE_CHECKING:
    from fashion_gan.saving.keras2.importer import ImportedGenerator


@default_settings()
def export_generator(
    model: str | Path,
    format: str,
    out: str | Path,
    *,
    size: int | None = None,
    raw: bool = False,
    best: bool = False,
) -> float:
    """Write a trained generator in a format for deployment, and check it in that format's own runtime.

    Args:
        model: a shipped model's name, a run's folder, or a ``.keras``, ``.h5`` or ``.safetensors`` file that
            fashion-gan wrote. For "html" and "openvino" also an ``.onnx`` file; Keras is then not needed.
        format: "onnx", "keras", "h5", "safetensors", "litert", "html", "saved_model" or "openvino".
        out: the file; a folder for "saved_model" and "openvino". An existing one is replaced if the export succeeds.
        size: height and width that the images are enlarged to, by a last layer without weights. None: their own.
        raw, best: which weights of a run, see ``load_generator``.

    Returns:
        The largest difference between a pixel of the model and of the exported file, on 20 latents. Pixels are in
        [-1, 1].

    Raises:
        InputError: the model cannot be read, a library is missing (the message says how to install it), ``out`` does
            not suit the format, or the exported file draws pixels that differ by more than 1e-3.
        OSError: ``out`` cannot be written.

    Example:
        >>> fashion_gan.export_generator("fashion", "html", "clothes.html") < 1e-3
        True
    """
    from fashion_gan.saving import export
    from fashion_gan.saving.formats import FORMATS

    out = user_path("out", out)
    # A layer can only be added to a Keras model.
    from_onnx = FORMATS[check_choice("format", format, FORMATS)].from_onnx and size is None
    source = resolve(model, raw=raw, best=best)
    if source.kind == "run" and not from_onnx:
        use_backend(default_backend())
    path = source.model_file("generator.onnx" if from_onnx else "generator.keras", raw=raw, best=best)
    if is_onnx_file(path):
        if size is not None:
            raise InputError(
                f"size={size} is for Keras models, and {model} is an .onnx file: name the run it came from"
            )
        return export.save_from_onnx(path, format, out)
    use_backend(default_backend())
    from fashion_gan.saving import model_files

    network, config = model_files.load_model(path, raw=raw, best=best)
    # Leave out this machine's paths: they mean nothing to whoever gets the file.
    config = dataclasses.replace(config, data=None, init_from=None)
    if size is not None:
        network, config = export.enlarge(network, config, size)
    return export.save(network, config, format, out)


@default_settings()
def import_generator(
    path: str | Path, out: str | Path, *, classes: int | None = None, like: str | None = None
) -> "ImportedGenerator":
    """Convert a generator that Keras saved as ``.h5`` or ``.keras`` to an ``.onnx`` file that fashion-gan loads.

    No code in the file is run. Its architecture is read as text, and only plain layers from a fixed list are built.

    Args:
        path: a Sequential or functional model that maps a latent vector, and optionally a class, to an image. A
            discriminator may follow it, as in the models that GANs are trained with.
        out: the ``.onnx`` file. An existing one is replaced if the import succeeds.
        classes: the number of classes, if the class is a one-hot vector: an input of that length, or the end of the
            only input. A class number needs no argument.
        like: a preset, if the file holds only the weights of that preset's generator.

    Returns:
        A description of the generator: ``latent_dim``, ``class_names``, ``image_shape``, the ``pixel_range`` of the
        network in the file, which is scaled to [-1, 1], and ``largest_difference``, the largest difference of a pixel
        between Keras and ONNX Runtime.

    Raises:
        InputError: the file is not such a generator, is damaged, or holds something that cannot be imported.
        OSError: ``out`` cannot be written.

    Example:
        >>> imported = fashion_gan.import_generator("old_generator.h5", "old_generator.onnx")
        >>> imported.latent_dim, imported.image_shape
        (6, (16, 16, 1))
        >>> fashion_gan.load_generator("old_generator.onnx").generate(4).shape
        (4, 16, 16, 1)
    """
    path, out = user_path("path", path), user_path("out", out)
    classes = None if classes is None else check_whole_number("classes", classes, 2, MAX_CLASSES)
    like = None if like is None else check_choice("like", like, PRESETS)
    use_backend(default_backend())
    from fashion_gan.saving.keras2 import importer

    return importer.import_generator(path, out, classes=classes, like=like)
