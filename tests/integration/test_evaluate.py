"""Metrics with real baselines, intervals and fingerprints, on a small part of the real data."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from fashion_gan import CLASS_NAMES, InputError, load_fashion_mnist, pretrained
from fashion_gan.api.sources import images_source
from fashion_gan.metrics import protocols
from fashion_gan.metrics.comparison import compare_metrics, read_metrics
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.evaluate import measure
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.report import write_report

FIXTURES = Path(__file__).parents[1] / "fixtures" / "0.1.0"
FAST = ("ffd10k_test", "classes10k", "memorisation10k")


def part(split, count):
    return dataclasses.replace(split, images=split.images[:count], labels=split.labels[:count])


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """3,000 training and 500 test images. The protocols take 500 images, or 1,000 instead of 50,000.

    Classifiers train for 8 epochs instead of 15.
    """
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fashion_gan.metrics.classifiers.EPOCHS", 8)
        for name, protocol in protocols.PROTOCOLS.items():
            count = 500 if protocol.count == 10_000 else 1000
            patch.setitem(protocols.PROTOCOLS, name, dataclasses.replace(protocol, count=count))
        yield Reference(part(train, 3000), part(test, 500), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def other_images():
    """1,500 training images that are not in the reference, and their labels."""
    train = load_fashion_mnist("train")
    return train.images[40_000:41_500], train.labels[40_000:41_500]


def measured(reference, images, labels=None, names=("standard",), **settings):
    source = images_source("images", images, labels)
    return measure(source.draw, reference, names, available=source.available, has_labels=source.has_labels, **settings)


@pytest.fixture(scope="module")
def good(reference, other_images):
    return measured(reference, *other_images, names=("full",))


def blurred(images):
    images = images.astype(float)
    return ((images + np.roll(images, 1, axis=1) + np.roll(images, 1, axis=2)) / 3).astype(np.uint8)


@pytest.fixture(scope="module")
def bad(reference, other_images):
    return measured(reference, blurred(other_images[0]), other_images[1])


def test_every_metric_is_described_has_a_real_baseline_and_lies_in_its_interval(good):
    assert {"ffd10k_test", "ffd50k_train", "gan_train10k", "two_sample10k_test", "copying10k"} <= set(good.metrics)
    for name, metric in good.metrics.items():
        assert metric.real_baseline is not None, name
        assert np.isfinite(metric.value), name
        assert name in METRICS
        if metric.interval is not None:
            assert metric.interval[0] <= metric.value <= metric.interval[1], name
    without_error = {name for name, metric in good.metrics.items() if metric.interval is None}
    assert without_error == {"missing_classes10k"}
    assert not good.left_out


def test_real_images_score_near_the_real_baseline_and_damaged_images_score_worse(good, bad):
    metrics = good.metrics
    assert metrics["ffd10k_test"].value == pytest.approx(metrics["ffd10k_test"].real_baseline, rel=0.5)
    assert metrics["ffd50k_train"].value == pytest.approx(metrics["ffd50k_train"].real_baseline, rel=0.6)
    assert metrics["precision10k_test"].value == pytest.approx(metrics["precision10k_test"].real_baseline, abs=0.05)
    assert metrics["asked_class10k"].value > 0.9
    assert abs(metrics["two_sample10k_test"].value - 0.5) < 0.1
    assert abs(metrics["gan_train10k"].value - metrics["gan_train10k"].real_baseline) < 0.1
    assert metrics["gan_train10k"].value > 0.6
    assert bad.metrics["ffd10k_test"].interval[0] > metrics["ffd10k_test"].interval[1]
    assert bad.metrics["density10k_test"].interval[1] < metrics["density10k_test"].interval[0]


def test_the_two_sample_network_separates_damaged_images(reference, other_images):
    evaluation = measured(reference, 255 - other_images[0], names=("two_sample10k_test",))
    assert evaluation.metrics["two_sample10k_test"].value > 0.9


def test_wrong_labels_teach_a_classifier_nothing(reference, other_images):
    shuffled = np.random.default_rng(0).permutation(other_images[1])
    evaluation = measured(reference, other_images[0], shuffled, names=("gan_train10k",))
    assert evaluation.metrics["gan_train10k"].value < 0.35
    assert evaluation.metrics["gan_test10k"].value < 0.35


def test_the_table_of_classes_has_the_requested_and_the_shown_classes(reference, other_images):
    images, labels = other_images
    evaluation = measured(
        reference, images[labels == 9][:120].repeat(5, axis=0), np.full(600, 9), names=("classes10k",)
    )
    rows = {row["name"]: row for row in evaluation.details["classes"]}
    assert list(rows) == list(CLASS_NAMES)
    assert rows["Ankle boot"]["asked"] == 500
    assert rows["Ankle boot"]["shown"]["value"] > 0.9
    assert "shown" not in rows["Dress"]
    assert evaluation.metrics["missing_classes10k"].value >= 7
    assert evaluation.metrics["class_imbalance10k"].value > 0.8


def test_suspicious_pairs_are_the_copies(reference, other_images):
    images = other_images[0][:600].copy()
    images[:30] = reference.train.images[:30]
    evaluation = measured(reference, images, names=("memorisation10k",))
    pairs = evaluation.details["suspicious"]
    for generated, training in zip(pairs["generated"], pairs["training"], strict=True):
        np.testing.assert_array_equal(evaluation.images[generated], reference.train.images[training])
    assert evaluation.metrics["nearer_train10k"].value > undamaged_share(reference, other_images)


def undamaged_share(reference, other_images):
    return measured(reference, other_images[0][:600], names=("memorisation10k",)).metrics["nearer_train10k"].value


def test_the_same_images_score_the_same(reference, other_images, good):
    repeated = measured(reference, *other_images, names=FAST)
    for name, metric in repeated.metrics.items():
        assert metric == good.metrics[name]


def test_the_cache_is_used_depends_on_the_data_and_replaces_damaged_entries(reference, other_images, monkeypatch):
    first = measured(reference, *other_images, names=("ffd10k_test",))
    fresh = Reference(reference.train, reference.test, reference.cache)
    monkeypatch.setattr("fashion_gan.metrics.features.extract", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(fresh.train_features.vectors, reference.train_features.vectors)
    monkeypatch.undo()

    smaller = Reference(part(reference.train, 2999), reference.test, reference.cache)
    assert smaller.key != reference.key
    for path in reference.cache.glob(f"{reference.key}-*"):
        path.write_bytes(path.read_bytes()[:100])
    repaired = Reference(reference.train, reference.test, reference.cache)
    assert measured(repaired, *other_images, names=("ffd10k_test",)).metrics == first.metrics


def test_a_cache_that_cannot_be_written_is_not_an_error(reference, tmp_path):
    (tmp_path / "file").touch()
    blocked = Reference(reference.train, reference.test, tmp_path / "file" / "cache")
    assert blocked.test_radii.shape == (500,)


def test_the_distance_of_two_samples_of_one_distribution_falls_with_their_number():
    """The real baseline of ``ffd50k_train`` is scaled by this law."""
    vectors = Reference.load().train_features.vectors
    order = np.random.default_rng(1).permutation(len(vectors))

    def times_size(count):
        first, second = vectors[order[:count]], vectors[order[-count:]]
        return frechet_distance(gaussian(first), gaussian(second)) * count / 2

    assert times_size(30_000) == pytest.approx(times_size(10_000), rel=0.15)
    assert times_size(30_000) == pytest.approx(times_size(5_000), rel=0.2)


# ---- Requests that cannot be measured ----


@pytest.mark.full
def test_an_impossible_protocol_is_refused_if_it_is_named_and_left_out_of_a_set(reference, other_images):
    images = other_images[0][:700]
    with pytest.raises(InputError, match="ffd50k_train needs 1,000 images, there are 700"):
        measured(reference, images, names=("ffd50k_train",))
    evaluation = measured(reference, images, names=("full",))
    assert "there are 700" in evaluation.left_out["ffd50k_train"]
    assert "class of each image" in evaluation.left_out["gan_train10k"]
    assert "ffd10k_test" in evaluation.metrics
    with pytest.raises(InputError, match="class of each image"):  # Named itself, together with a set.
        measured(reference, images, names=("standard", "gan_train10k"))
    with pytest.raises(InputError, match="nothing can be measured"):
        measured(reference, images[:20], names=("standard",))


def test_a_missing_library_is_named_with_the_command_that_installs_it(reference, other_images, monkeypatch):
    find_spec, missing = importlib.util.find_spec, ("keras", "torch_fidelity")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else find_spec(name))
    with pytest.raises(InputError, match=r"not installed: pip install .*\[train\]'"):
        measured(reference, *other_images, names=("two_sample10k_test",))
    with pytest.raises(InputError, match=r"needs torch_fidelity: pip install .*\[inception\]'"):
        measured(reference, *other_images, names=("fid10k_test",))
    assert set(measured(reference, *other_images, names=("full",)).left_out) == {"gan_train10k", "two_sample10k_test"}


def test_without_inception_weights_the_other_metrics_are_measured(reference, other_images, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setattr("fashion_gan.system.installation.is_installed", lambda name: True)
    (tmp_path / "weights.pth").write_bytes(b"other weights")
    monkeypatch.setenv("FASHION_GAN_INCEPTION_WEIGHTS", str(tmp_path / "weights.pth"))
    with pytest.raises(InputError, match=r"torch-fidelity|not the file"):
        measured(reference, *other_images, names=("fid10k_test",))
    monkeypatch.setitem(protocols.SETS, "with_fid", ("ffd10k_test", "fid10k_test"))
    evaluation = measured(reference, *other_images, names=("with_fid",))
    assert "ffd10k_test" in evaluation.metrics
    assert "fid10k_test" in evaluation.left_out
    assert "fid10k_test" not in evaluation.metrics


def test_an_unknown_protocol_and_seeds_of_fixed_images_are_refused(reference, other_images):
    with pytest.raises(InputError, match="did you mean 'ffd50k_train'"):
        measured(reference, *other_images, names=("ffd50k_trian",))
    with pytest.raises(InputError, match="seeds=3 is for generators"):
        measured(reference, *other_images, seeds=3)
    with pytest.raises(InputError, match="seeds=0 is out of range"):
        measured(reference, *other_images, seeds=0)
    with pytest.raises(InputError, match="seed=-1 is out of range"):
        measured(reference, *other_images, seed=-1)


# ---- Seeds, comparison, report ----


@pytest.fixture(scope="module")
def over_seeds(reference, other_images):
    def draw(count, seed):
        chosen = np.random.default_rng(seed).permutation(len(other_images[0]))[:count]
        return other_images[0][chosen], other_images[1][chosen]

    return measure(draw, reference, FAST, has_labels=True, seeds=3, seed=5)


def test_over_seeds_a_metric_is_the_mean_with_its_deviation(over_seeds):
    assert over_seeds.source["seeds"] == [5, 6, 7]
    metric = over_seeds.metrics["ffd10k_test"]
    assert len(set(metric.by_seed)) == 3
    assert metric.value == pytest.approx(np.mean(metric.by_seed))
    assert metric.deviation == pytest.approx(np.std(metric.by_seed, ddof=1))


def read(evaluation, folder, reference):
    write_report(evaluation, reference, folder)
    return read_metrics(folder)


def test_metrics_are_the_same_after_writing_and_reading(over_seeds, reference, tmp_path):
    assert read(over_seeds, tmp_path, reference).metrics == over_seeds.metrics


def test_an_evaluation_shows_its_table(good):
    assert repr(good) == f"<Evaluation of images: {len(good.metrics)} metrics on 1,000 images>"
    lines = str(good).splitlines()
    assert lines[0].split() == ["metric", "value", "95%", "interval", "real", "images", "direction"]
    assert [line.split()[0] for line in lines[1:-1]] == list(good.metrics)
    assert "lower is better" in lines[1]
    assert lines[-1].startswith("ffd = ")
    assert good._repr_html_().count("<tr>") == 1 + len(good.metrics)


@pytest.mark.parametrize("path", [FIXTURES / "report", Path(pretrained.__file__).parent / "fashion" / "metrics.json"])
def test_metrics_that_version_0_1_0_wrote_are_read(path):
    stored = read_metrics(path)
    text = (path / "metrics.json" if path.is_dir() else path).read_text()
    figures = json.loads(text)["figures"]
    assert list(stored.metrics) == list(figures)
    for name, metric in stored.metrics.items():
        assert (metric.value, metric.real_baseline) == (figures[name]["value"], figures[name]["floor"])
    assert compare_metrics(stored, stored).verdict == "not distinguishable"


def test_samples_of_one_set_are_not_distinguishable_and_damaged_images_are_worse(
    reference, other_images, bad, tmp_path
):
    first, second = (
        read(measured(reference, other_images[0][half], names=("ffd10k_test",)), tmp_path / name, reference)
        for name, half in (("first", slice(0, 750)), ("second", slice(750, 1500)))
    )
    assert compare_metrics(first, second).verdict == "not distinguishable"
    damaged = read(bad, tmp_path / "bad", reference)
    assert compare_metrics(first, damaged).verdict == "first"
    assert compare_metrics(damaged, first).verdict == "second"


def with_metric(stored, name, **changes):
    """The stored metrics with one metric changed."""
    changed = dataclasses.replace(stored.metrics[name], **changes)
    return dataclasses.replace(stored, metrics={**stored.metrics, name: changed})


def test_if_each_side_is_better_in_some_metric_the_verdict_is_mixed(good, bad, reference, tmp_path):
    first, second = (
        read(evaluation, tmp_path / name, reference) for evaluation, name in ((good, "good"), (bad, "bad"))
    )
    comparison = compare_metrics(with_metric(first, "asked_class10k", value=0.1), second)
    assert comparison.verdict == "mixed"
    assert repr(comparison) == "<Comparison of images and images: mixed: each side is better in some metrics>"
    assert str(comparison).splitlines()[-1] == "verdict  mixed: each side is better in some metrics"
    assert comparison._repr_html_().count("<tr>") == 2 + len(comparison.differences)


def test_metrics_of_other_data_or_features_are_not_compared(good, reference, tmp_path):
    first = read(good, tmp_path, reference)
    for name in ("data_sha256", "features_sha256", "version"):
        second = dataclasses.replace(first, fingerprint={**first.fingerprint, name: "another"})
        with pytest.raises(InputError, match=f"cannot be compared: {name}"):
            compare_metrics(first, second)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"metrics": {"ffd10k_test": 3}}', "[" * 200_000, b"PK\xff\xfe"])
def test_a_file_without_metrics_is_refused(tmp_path, text):
    (tmp_path / "metrics.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match="not a file of metrics") as refusal:
        read_metrics(tmp_path)
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "true", "null", '"3"', "{}", "1" * 400])
@pytest.mark.parametrize("part_name", ["value", "standard_error"])
def test_a_value_that_is_not_a_number_is_refused(good, reference, tmp_path, part_name, value):
    if (part_name, value) == ("standard_error", "null"):
        return  # Some metrics have no standard error.
    write_report(good, reference, tmp_path)
    values = json.loads((tmp_path / "metrics.json").read_text())
    values["metrics"]["ffd10k_test"][part_name] = "@"
    (tmp_path / "metrics.json").write_text(json.dumps(values).replace('"@"', value))
    with pytest.raises(InputError, match="not a file of metrics"):
        read_metrics(tmp_path)


def test_values_at_the_same_distance_from_the_ideal_are_not_distinguishable(good, reference, tmp_path):
    stored, name = read(good, tmp_path, reference), "nearer_train10k"
    stored = dataclasses.replace(stored, metrics={name: stored.metrics[name]})
    below = with_metric(stored, name, value=6 / 7 - 0.05, standard_error=0.002)
    above = with_metric(stored, name, value=6 / 7 + 0.05, standard_error=0.002)
    assert compare_metrics(below, above).verdict == "not distinguishable"


def test_metrics_of_new_networks_are_not_compared(good, reference, tmp_path):
    stored = read(good, tmp_path, reference)
    assert "gan_train10k" in stored.metrics
    names = {difference.name for difference in compare_metrics(stored, stored).differences}
    assert "ffd10k_test" in names
    assert not names & {"gan_train10k", "gan_test10k", "two_sample10k_test"}


def test_the_report_needs_no_other_file(good, reference, tmp_path):
    curve = [{"images": 1000 * n, "ffd5k_validation": 9 / n} for n in (1, 2, 3)] + [{"ffd10k_test": 1.0}]
    page = write_report(good, reference, tmp_path / "report", curve).read_text()
    assert page.count("data:image/png;base64,") == 2
    assert 'src="http' not in page
    assert "href" not in page
    for name in good.metrics:
        assert f"<code>{name}</code>" in page
        assert METRICS[name].title in page
    assert "best 3.000 after 3,000" in page
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["fingerprint"] == good.fingerprint


def test_a_name_that_looks_like_code_is_escaped(good, reference, tmp_path):
    named = dataclasses.replace(good, source={**good.source, "name": "<script>alert(1)</script>"})
    assert "<script" not in write_report(named, reference, tmp_path).read_text()


def test_a_report_that_cannot_be_written_is_refused(good, reference, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_report(good, reference, tmp_path / "file" / "report")
