"""The table of protocols: what each one measures, on how many images, its real baseline, and what it needs."""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from fashion_gan.arrays import Array
from fashion_gan.errors import InputError
from fashion_gan.metrics import measures, real_baselines
from fashion_gan.metrics.values import Result
from fashion_gan.system.backends import check_backend, default_backend
from fashion_gan.system.installation import check_installed


class CachingReference(typing.Protocol):
    """Real images, with a cache of what was computed from them."""

    def cached(self, name: str, compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> dict[str, Array]:
        """Read named arrays from the cache. If they are not there, compute and store them."""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A fixed procedure that measures one or more metrics.

    Attributes:
        name: its name for ``--protocol``.
        count: the number of images that it scores. Fewer are refused.
        measure: a sample of ``count`` images and the reference -> values of metrics.
        measure_real: computes the same metrics for real images.
        needs: a module that must be installed, "keras" or "torch_fidelity"; "" if the base install is enough.
        needs_labels: whether the class of each image must be known.
        too_few: why the reference has too few images for it; "" if it has enough.
        of_all: whether it measures all images of a data set of shards, part by part. ``measure`` then gets a function
            that gives the parts, not a sample, and ``count`` is the number of images that the report shows.
    """

    name: str
    count: int
    measure: Callable[[Any, Any], Result]
    measure_real: Callable[[Any, int, Any], Result]
    needs: str = ""
    needs_labels: bool = False
    too_few: str = ""
    of_all: bool = False

    def check(self, count: int, has_labels: bool, in_shards: bool = False) -> None:
        """Raise InputError if the protocol cannot be measured on these images or on this machine.

        Args:
            count: the number of images.
            has_labels: whether the class of each image is known.
            in_shards: whether the images are a data set of shards.
        """
        if self.of_all and not in_shards:
            raise InputError(
                f"{self.name} is for a data set of shards, which fashion-gan dataset --count … --out writes"
            )
        if count < self.count:
            raise InputError(
                f"{self.name} needs {self.count:,} images, there are {count:,}: the number of images changes the score"
            )
        if self.too_few:
            raise InputError(f"{self.name} cannot be measured: {self.too_few}")
        if self.needs_labels and not has_labels:
            raise InputError(
                f"{self.name} needs the class of each image: use a conditional model, or set labels (--labels)"
            )
        if self.needs == "keras":
            try:
                check_backend(default_backend())
            except InputError as error:
                raise InputError(f"{self.name} needs Keras: {error}") from error
        elif self.needs:
            check_installed(self.needs, self.name, "inception")

    def real_baseline(self, reference: CachingReference) -> dict[str, float]:
        """The values of real images by the metrics' ids, from the cache if they are there."""
        entry = f"floor-{self.name}"  # Version 0.1.0 used this name, and its cached values are still valid.
        if self.needs == "keras":  # The result of a network that is trained here depends on the framework.
            entry += f"-{measures.load_classifiers().framework()}"

        def compute() -> dict[str, float]:
            result = self.measure_real(self.measure, self.count, reference)
            return {name: metric.value for name, metric in result.metrics.items()}

        return {name: float(value) for name, value in reference.cached(entry, compute).items()}


OF_ALL = "all_images"

# fmt: off
PROTOCOLS = {protocol.name: protocol for protocol in (
    Protocol("ffd10k_test",        10_000, measures.distances_to_test,     real_baselines.by_training_images),
    Protocol("classes10k",         10_000, measures.classes,               real_baselines.of_classes),
    Protocol("within_classes10k",  10_000, measures.within_classes,        real_baselines.by_training_images,
             needs_labels=True),
    Protocol("memorisation10k",    10_000, measures.copies,                real_baselines.of_memorization),
    Protocol("gan_train10k",       10_000, measures.gan_train,             real_baselines.of_gan_train,
             needs="keras", needs_labels=True),
    Protocol("two_sample10k_test", 10_000, measures.two_sample,            real_baselines.by_training_images,
             needs="keras"),
    Protocol("ffd50k_train",       50_000, measures.distance_to_training,  real_baselines.by_halves),
    Protocol("fid10k_test",        10_000, measures.inception_to_test,     real_baselines.by_training_images,
             needs="torch_fidelity"),
    Protocol("fid50k_train",       50_000, measures.inception_to_training, real_baselines.fid_by_halves,
             needs="torch_fidelity"),
    Protocol(OF_ALL,               50,     measures.all_images,            real_baselines.of_all_images, of_all=True),
)}
# fmt: on
_STANDARD = ("ffd10k_test", "classes10k", "within_classes10k", "memorisation10k")
SETS = {
    "standard": _STANDARD,
    "full": (*_STANDARD, "gan_train10k", "two_sample10k_test", "ffd50k_train"),
}
