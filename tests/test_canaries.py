"""Every damage moves the figures that exist to see it, and more at higher strength."""

import numpy as np
import pytest

from fashion_gan.metrics.canaries import CANARIES, MEMORISATION_FIGURES, Check, self_check
from fashion_gan.metrics.reference import Reference


@pytest.fixture(scope="module")
def checks():
    return {(check.damage, check.figure): check for check in self_check(Reference.load(), count=2000)}


SEEN = [(canary.name, figure) for canary in CANARIES for figure in canary.seen_by]
SEEN += [("training images copied", figure) for figure in MEMORISATION_FIGURES]


@pytest.mark.parametrize(("damage", "figure"), SEEN)
def test_a_damage_is_seen(checks, damage, figure):
    check = checks[damage, figure]
    assert check.passed, check.values


def test_every_damage_asked_for_is_there(checks):
    assert {damage for damage, _ in checks} >= {
        "classes missing",
        "one image repeated",
        "blurred",
        "inverted",
        "JPEG",
        "shifted",
        "noise",
        "training images copied",
    }


@pytest.mark.parametrize(
    ("figure", "values", "passed"),
    [
        ("ffd10k_test", (1.0, 2.0, 3.0), True),
        ("ffd10k_test", (1.0, 2.0, 2.0), False),
        ("ffd10k_test", (3.0, 2.0, 1.0), False),
        ("recall10k_test", (0.9, 0.8, 0.1), True),
        ("copying10k", (0.2, -3.0, -20.0), True),
        ("nearer_train10k", (6 / 7, 0.9, 0.99), True),
        ("nearer_train10k", (6 / 7, np.nan, 0.99), False),
    ],
)
def test_a_check_can_fail(figure, values, passed):
    assert Check("damage", figure, (1, 2), values).passed is passed
