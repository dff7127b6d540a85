"""The table of protocols: what each measures, on how many images, what its floor is, and what it needs."""

import dataclasses
import importlib.util
from collections.abc import Callable

from fashion_gan.backends import check_backend, default_backend
from fashion_gan.errors import InputError
from fashion_gan.metrics import floors, measures
from fashion_gan.metrics.floors import Measure
from fashion_gan.metrics.measures import Measured
from fashion_gan.metrics.reference import Reference


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One way to measure.

    Attributes:
        name: what ``--protocol`` calls it.
        count: how many images it takes; no fewer will do.
        measure: a sample of so many images, and the real side -> figures.
        work_out_floor: the same figures of real images.
        needs: a module that must be installed, "keras" or "torch_fidelity"; "" where the base install will do.
        needs_labels: whether each image's class must be known.
    """

    name: str
    count: int
    measure: Measure
    work_out_floor: Callable[[Measure, int, Reference], Measured]
    needs: str = ""
    needs_labels: bool = False

    def check(self, count: int, labelled: bool) -> None:
        """Raise InputError where so many images cannot be measured in this way, or not on this machine."""
        if count < self.count:
            raise InputError(
                f"{self.name} needs {self.count:,} images, there are {count:,}: a score of fewer is higher"
            )
        if self.needs_labels and not labelled:
            raise InputError(f"{self.name} needs the class of each image: a conditional model, or --labels")
        if self.needs == "keras":
            try:
                check_backend(default_backend())
            except InputError as error:
                raise InputError(f"{self.name} needs Keras: {error}") from error
        elif self.needs and importlib.util.find_spec(self.needs) is None:
            raise InputError(f"{self.name} needs torch-fidelity: pip install 'fashion-gan[inception]'")

    def floor(self, reference: Reference) -> dict[str, float]:
        """What real images score in this way, kept in the cache."""
        name = f"floor-{self.name}"
        if self.needs == "keras":  # What a network trained here scores depends on the framework.
            fresh_networks = measures.load_fresh_networks()
            name += f"-{fresh_networks.identity()}"
        values = reference.kept(
            name,
            lambda: {
                key: figure.value
                for key, figure in self.work_out_floor(self.measure, self.count, reference).figures.items()
            },
        )
        return {key: float(value) for key, value in values.items()}


# fmt: off
PROTOCOLS = {protocol.name: protocol for protocol in (
    Protocol("ffd10k_test",        10_000, measures.distances_to_test,     floors.by_training_images),
    Protocol("classes10k",         10_000, measures.classes,               floors.of_classes),
    Protocol("within_classes10k",  10_000, measures.within_classes,        floors.by_training_images, "",      True),
    Protocol("memorisation10k",    10_000, measures.copies,                floors.of_memorisation),
    Protocol("gan_train10k",       10_000, measures.gan_train,             floors.of_gan_train,       "keras", True),
    Protocol("two_sample10k_test", 10_000, measures.two_sample,            floors.by_training_images, "keras"),
    Protocol("ffd50k_train",       50_000, measures.distance_to_training,  floors.by_halves),
    Protocol("fid10k_test",        10_000, measures.inception_to_test,     floors.by_training_images, "torch_fidelity"),
    Protocol("fid50k_train",       50_000, measures.inception_to_training, floors.fid_by_halves,      "torch_fidelity"),
)}
# fmt: on
_STANDARD = ("ffd10k_test", "classes10k", "within_classes10k", "memorisation10k")
SETS = {
    "standard": _STANDARD,
    "full": (*_STANDARD, "gan_train10k", "two_sample10k_test", "ffd50k_train"),
}
