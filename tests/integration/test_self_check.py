"""Every kind of damage makes the metrics that should detect it worse, and worse still at higher strength."""

import numpy as np
import pytest

from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.self_check import DAMAGES, MEMORIZATION_METRICS, Check, SelfCheck, self_check

DETECTED = [(damage.name, metric) for damage in DAMAGES for metric in damage.detected_by]
DETECTED += [("training images copied", metric) for metric in MEMORIZATION_METRICS]


@pytest.fixture(scope="module")
def checks():
    result = self_check(Reference.load(), count=1000)
    return {(check.damage, check.metric): check for check in result.checks}


@pytest.mark.full
@pytest.mark.parametrize(("damage", "metric"), DETECTED)
def test_a_damage_is_detected(checks, damage, metric):
    check = checks[damage, metric]
    assert check.passed, check.values


@pytest.mark.full
def test_all_kinds_of_damage_are_checked(checks):
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
    ("metric", "values", "passed"),
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
def test_a_check_passes_only_if_each_step_is_worse(metric, values, passed):
    assert Check("damage", metric, (1, 2), values).passed is passed


def test_a_self_check_shows_its_checks_and_passes_only_if_all_pass():
    passed = Check("blurred", "ffd10k_test", (1, 2), (0.1, 1.0, 2.0))
    failed = Check("shifted", "ffd10k_test", (1, 2), (0.1, 1.0, 0.5))
    assert SelfCheck((passed,)).passed
    both = SelfCheck((passed, failed))
    assert not both.passed
    assert repr(both) == "<SelfCheck: 1 of 2 checks passed>"
    assert [line.split()[-1] for line in str(both).splitlines()] == ["result", "detected", "DETECTED"]
    assert both._repr_html_().count("<tr>") == 3
