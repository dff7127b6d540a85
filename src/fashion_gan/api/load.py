"""Load a trained generator, or both networks of a GAN."""

from pathlib import Path
from typing import TYPE_CHECKING

from fashion_gan.api.companion_files import companions_of
from fashion_gan.config import Config
from fashion_gan.editing.companions import Companions
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator, open_onnx
from fashion_gan.saving.origins import ModelSource, is_onnx_file, resolve
from fashion_gan.system.backends import default_backend, use_backend
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.parallel import available_cpus

if TYPE_CHECKING:
    from fashion_gan.training.gan import GAN


@default_settings()
def load_generator(model: str | Path, *, raw: bool = False, best: bool = False) -> Generator:
    """Load a trained generator.

    No code in a file is run: the network is rebuilt from its configuration, and only weights are read. A shipped model
    and an ``.onnx`` file need no training framework. If none is installed, a finished run's ``.onnx`` file is read.

    Args:
        model: a shipped model's name ("fashion"); a run's folder, whose newest checkpoint is read; or an ``.onnx``,
            ``.keras``, ``.h5`` or ``.safetensors`` file that fashion-gan wrote; or an address on the Hugging Face
            Hub, ``hf://user/name``. Write ``./fashion`` for a folder that has the name of a shipped model.
        raw: the trained weights instead of their moving average. Only for a run's folder.
        best: the best checkpoint by ``evaluate_every_epochs`` instead of the newest. Only for a run's folder.

    Returns:
        The generator.

    Raises:
        InputError: nothing is there, fashion-gan did not write the file, or it is damaged.

    Example:
        >>> fashion_gan.load_generator("fashion").generate(64, labels="Dress", seed=3).shape
        (64, 28, 28, 1)
    """
    return load_with_config(model, raw=raw, best=best)[0]


def load_with_config(model: str | Path, *, raw: bool = False, best: bool = False) -> tuple[Generator, Config]:
    """Load a trained generator, and the configuration of its network. See ``load_generator``.

    The configuration of an imported generator has only its latent length and its classes.
    """
    source = resolve(model, raw=raw, best=best)
    path = source.model_file(raw=raw, best=best)
    if is_onnx_file(path):
        predict, config = open_onnx(path)
        generator = Generator(
            *(predict, config.latent_dim, config.class_names),
            threads=available_cpus(),
            companions=_companions(source, raw=raw, best=best),
        )
        return generator, config
    use_backend(default_backend())
    from fashion_gan.saving import model_files

    network, config = model_files.load_model(path, raw=raw, best=best)
    generator = model_files.as_generator(network, config)
    generator.companions = _companions(source, raw=raw, best=best)
    return generator, config


def _companions(source: ModelSource, *, raw: bool, best: bool) -> Companions | None:
    """The files of the encoder and the directions. They belong to the newest averaged weights of a run."""
    if raw or best:
        return None
    return companions_of(source)


def onnx_generator(model: str | Path, source: ModelSource) -> Generator:
    """A generator that ONNX Runtime draws, also of a run that could be drawn by Keras.

    Raises:
        InputError: the run has no ``.onnx`` file.
    """
    run = source.open_run()
    if run is None:
        return load_generator(model)
    if not run.onnx_generator_path.is_file():
        raise InputError(
            f"{run.path} has no generator.onnx: fashion-gan export {run.path} --format onnx "
            f"--out {run.onnx_generator_path}"
        )
    return load_generator(run.onnx_generator_path)


@default_settings()
def load_gan(model: str | Path, *, best: bool = False) -> "GAN":
    """Load both networks, for example to score images with the discriminator or to train further.

    Args:
        model: a shipped model's name ("fashion"); or a run's folder, whose newest checkpoint is read, on the backend
            that the run was trained on.
        best: the best checkpoint by ``evaluate_every_epochs`` instead of the newest. Only for a run's folder.

    Returns:
        A compiled ``fashion_gan.training.gan.GAN``, for example for its ``probability_real(images)``.

    Raises:
        InputError: there is no such model, run or checkpoint, or Keras already runs on another backend.

    Example:
        >>> gan = fashion_gan.load_gan("fashion")
        >>> test = fashion_gan.load_fashion_mnist("test")
        >>> gan.probability_real(test.images[:64], test.labels[:64]).shape
        (64,)
    """
    source = resolve(model, best=best)
    run = source.open_run()
    use_backend(default_backend() if run is None else run.config.backend)
    from fashion_gan.training import build

    return build.load_gan(model, best=best)


@default_settings()
def weights_file(model: str | Path) -> Path:
    """The file from which ``load_generator`` reads the weights. Raises the same InputErrors."""
    source = resolve(model)
    run = source.open_run()
    if run is None:
        return source.model_file()
    return run.checkpoint_path(run.generator_step())
