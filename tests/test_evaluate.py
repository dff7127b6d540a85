"""Figures with floors, intervals and fingerprints, on a small part of the real data."""

import dataclasses
import json

import numpy as np
import pytest

from fashion_gan import CLASS_NAMES, InputError, load_fashion_mnist
from fashion_gan.metrics import evaluate as metrics
from fashion_gan.metrics import protocols
from fashion_gan.metrics.comparison import compare, read_metrics
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.figures import MEANINGS
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.report import write_report
from fashion_gan.sources import of_images

FAST = ("ffd10k_test", "classes10k", "memorisation10k")


def part(split, count):
    return dataclasses.replace(split, images=split.images[:count], labels=split.labels[:count])


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """3,000 training and 500 test images, and protocols that take 500, or 1,000 where they took 50,000."""
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    with pytest.MonkeyPatch.context() as patch:
        for name, protocol in protocols.PROTOCOLS.items():
            count = 500 if protocol.count == 10_000 else 1000
            patch.setitem(protocols.PROTOCOLS, name, dataclasses.replace(protocol, count=count))
        yield Reference(part(train, 3000), part(test, 500), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def others():
    """Images that are in neither part: 1,500 training images from further back."""
    train = load_fashion_mnist("train")
    return train.images[40_000:41_500], train.labels[40_000:41_500]


def measured(reference, images, labels=None, names=("standard",), **settings):
    source = of_images("images", images, labels)
    return metrics.evaluate(
        source.draw, reference, names, available=source.available, labelled=source.labelled, **settings
    )


@pytest.fixture(scope="module")
def good(reference, others):
    return measured(reference, *others, names=("full",))


def blurred(images):
    images = images.astype(float)
    return ((images + np.roll(images, 1, axis=1) + np.roll(images, 1, axis=2)) / 3).astype(np.uint8)


@pytest.fixture(scope="module")
def bad(reference, others):
    return measured(reference, blurred(others[0]), others[1])


def test_every_figure_has_a_meaning_a_floor_and_lies_in_its_interval(good):
    assert {"ffd10k_test", "ffd50k_train", "gan_train10k", "two_sample10k_test", "copying10k"} <= set(good.figures)
    for name, figure in good.figures.items():
        assert figure.floor is not None, name
        assert np.isfinite(figure.value), name
        assert name in MEANINGS
        if figure.interval is not None:
            assert figure.interval[0] <= figure.value <= figure.interval[1], name
    without_error = {name for name, figure in good.figures.items() if figure.interval is None}
    assert without_error == {"missing_classes10k"}
    assert not good.left_out


def test_real_images_score_about_the_floor_and_damaged_ones_worse(good, bad):
    figures = good.figures
    assert figures["ffd10k_test"].value == pytest.approx(figures["ffd10k_test"].floor, rel=0.5)
    assert figures["ffd50k_train"].value == pytest.approx(figures["ffd50k_train"].floor, rel=0.6)
    assert figures["precision10k_test"].value == pytest.approx(figures["precision10k_test"].floor, abs=0.05)
    assert figures["asked_class10k"].value > 0.9
    assert abs(figures["two_sample10k_test"].value - 0.5) < 0.1
    assert abs(figures["gan_train10k"].value - figures["gan_train10k"].floor) < 0.1
    assert figures["gan_train10k"].value > 0.6
    assert bad.figures["ffd10k_test"].interval[0] > figures["ffd10k_test"].interval[1]
    assert bad.figures["density10k_test"].interval[1] < figures["density10k_test"].interval[0]


def test_the_two_sample_network_tells_damaged_images_apart(reference, others):
    found = measured(reference, 255 - others[0], names=("two_sample10k_test",))
    assert found.figures["two_sample10k_test"].value > 0.9


def test_generated_labels_that_are_wrong_teach_nothing(reference, others):
    shuffled = np.random.default_rng(0).permutation(others[1])
    found = measured(reference, others[0], shuffled, names=("gan_train10k",))
    assert found.figures["gan_train10k"].value < 0.35
    assert found.figures["gan_test10k"].value < 0.35


def test_the_table_of_classes_is_of_what_was_asked_and_what_is_seen(reference, others):
    images, labels = others
    found = measured(reference, images[labels == 9][:120].repeat(5, axis=0), np.full(600, 9), names=("classes10k",))
    rows = {row["name"]: row for row in found.details["classes"]}
    assert list(rows) == list(CLASS_NAMES)
    assert rows["Ankle boot"]["asked"] == 500
    assert rows["Ankle boot"]["shown"]["value"] > 0.9
    assert "shown" not in rows["Dress"]
    assert found.figures["missing_classes10k"].value >= 7
    assert found.figures["class_imbalance10k"].value > 0.8


def test_suspicious_pairs_are_the_copies(reference, others):
    images = others[0][:600].copy()
    images[:30] = reference.train.images[:30]
    found = measured(reference, images, names=("memorisation10k",))
    pairs = found.details["suspicious"]
    for generated, training in zip(pairs["generated"], pairs["training"], strict=True):
        np.testing.assert_array_equal(found.images[generated], reference.train.images[training])
    assert found.figures["nearer_train10k"].value > good_share(reference, others)


def good_share(reference, others):
    return measured(reference, others[0][:600], names=("memorisation10k",)).figures["nearer_train10k"].value


def test_the_same_images_score_the_same(reference, others, good):
    again = measured(reference, *others, names=FAST)
    for name, figure in again.figures.items():
        assert figure == good.figures[name]


def test_the_cache_is_used_found_by_content_and_survives_damage(reference, others, monkeypatch):
    first = measured(reference, *others, names=("ffd10k_test",))
    fresh = Reference(reference.train, reference.test, reference.cache)
    monkeypatch.setattr("fashion_gan.metrics.features.extract", lambda *_: pytest.fail("worked out again"))
    np.testing.assert_array_equal(fresh.train_features.vectors, reference.train_features.vectors)
    monkeypatch.undo()

    other = Reference(part(reference.train, 2999), reference.test, reference.cache)
    assert other.key != reference.key
    for path in reference.cache.glob(f"{reference.key}-*"):
        path.write_bytes(path.read_bytes()[:100])
    anew = Reference(reference.train, reference.test, reference.cache)
    assert measured(anew, *others, names=("ffd10k_test",)).figures == first.figures


def test_a_cache_that_cannot_be_written_costs_only_time(reference, tmp_path):
    (tmp_path / "file").touch()
    blocked = Reference(reference.train, reference.test, tmp_path / "file" / "cache")
    assert blocked.test_radii.shape == (500,)


def test_the_distance_of_two_samples_of_one_distribution_falls_with_their_number():
    """What the floor of ``ffd50k_train`` is scaled by."""
    vectors = Reference.load().train_features.vectors
    order = np.random.default_rng(1).permutation(len(vectors))

    def times_size(count):
        one, other = vectors[order[:count]], vectors[order[-count:]]
        return frechet_distance(gaussian(one), gaussian(other)) * count / 2

    assert times_size(30_000) == pytest.approx(times_size(10_000), rel=0.15)
    assert times_size(30_000) == pytest.approx(times_size(5_000), rel=0.2)


# ---- What cannot be measured ----


def test_too_few_images_are_refused_by_name_and_left_out_of_a_set(reference, others):
    images = others[0][:700]
    with pytest.raises(InputError, match="ffd50k_train needs 1,000 images, there are 700"):
        measured(reference, images, names=("ffd50k_train",))
    found = measured(reference, images, names=("full",))
    assert "there are 700" in found.left_out["ffd50k_train"]
    assert "class of each image" in found.left_out["gan_train10k"]
    assert "ffd10k_test" in found.figures
    with pytest.raises(InputError, match="class of each image"):  # By its own name, also beside a set.
        measured(reference, images, names=("standard", "gan_train10k"))
    with pytest.raises(InputError, match="nothing can be measured"):
        measured(reference, images[:20], names=("standard",))


def test_a_missing_library_is_named_with_the_way_to_get_it(reference, others, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed: pip install 'fashion-gan\[train\]'"):
        measured(reference, *others, names=("two_sample10k_test",))
    with pytest.raises(InputError, match=r"fashion-gan\[inception\]"):
        measured(reference, *others, names=("fid10k_test",))
    assert set(measured(reference, *others, names=("full",)).left_out) == {"gan_train10k", "two_sample10k_test"}


def test_inception_without_its_weights_says_so_and_the_rest_is_measured(reference, others, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    (tmp_path / "weights.pth").write_bytes(b"other weights")
    monkeypatch.setenv("FASHION_GAN_INCEPTION_WEIGHTS", str(tmp_path / "weights.pth"))
    with pytest.raises(InputError, match=r"torch-fidelity|not the file"):
        measured(reference, *others, names=("fid10k_test",))
    monkeypatch.setitem(protocols.SETS, "with_fid", ("ffd10k_test", "fid10k_test"))
    found = measured(reference, *others, names=("with_fid",))
    assert "ffd10k_test" in found.figures
    assert "fid10k_test" in found.left_out
    assert "fid10k_test" not in found.figures


def test_an_unknown_protocol_and_seeds_of_fixed_images_are_refused(reference, others):
    with pytest.raises(InputError, match="did you mean 'ffd50k_train'"):
        measured(reference, *others, names=("ffd50k_trian",))
    with pytest.raises(InputError, match="seeds=3 is for generators"):
        measured(reference, *others, seeds=3)
    with pytest.raises(InputError, match="seeds=0 is out of range"):
        measured(reference, *others, seeds=0)
    with pytest.raises(InputError, match="seed=-1 is out of range"):
        measured(reference, *others, seed=-1)


# ---- Seeds, comparison, report ----


@pytest.fixture(scope="module")
def over_seeds(reference, others):
    def draw(count, seed):
        chosen = np.random.default_rng(seed).permutation(len(others[0]))[:count]
        return others[0][chosen], others[1][chosen]

    return metrics.evaluate(draw, reference, FAST, labelled=True, seeds=3, seed=5)


def test_over_seeds_a_figure_is_the_mean_with_its_deviation(over_seeds):
    assert over_seeds.source["seeds"] == [5, 6, 7]
    figure = over_seeds.figures["ffd10k_test"]
    assert len(set(figure.by_seed)) == 3
    assert figure.value == pytest.approx(np.mean(figure.by_seed))
    assert figure.deviation == pytest.approx(np.std(figure.by_seed, ddof=1))


def read(evaluation, folder, reference):
    write_report(evaluation, reference, folder)
    return read_metrics(folder)


def test_figures_survive_their_file(over_seeds, reference, tmp_path):
    assert read(over_seeds, tmp_path, reference)["figures"] == over_seeds.figures


def test_draws_of_the_same_images_are_not_distinguishable_and_damaged_ones_are_worse(reference, others, bad, tmp_path):
    half = {
        side: read(measured(reference, others[0][part], names=("ffd10k_test",)), tmp_path / side, reference)
        for side, part in (("one", slice(0, 750)), ("other", slice(750, 1500)))
    }
    assert compare(half["one"], half["other"]).verdict == "not distinguishable"
    damaged = read(bad, tmp_path / "bad", reference)
    assert compare(half["one"], damaged).verdict == "first"
    assert compare(damaged, half["one"]).verdict == "second"


def test_each_side_better_in_something_is_mixed(good, bad, reference, tmp_path):
    ours, theirs = (read(one, tmp_path / name, reference) for one, name in ((good, "good"), (bad, "bad")))
    worse = dataclasses.replace(ours["figures"]["asked_class10k"], value=0.1)
    ours["figures"]["asked_class10k"] = worse
    assert compare(ours, theirs).verdict == "mixed"


def test_figures_of_other_data_or_features_are_not_compared(good, reference, tmp_path):
    ours = read(good, tmp_path, reference)
    for part_of_it in ("data_sha256", "features_sha256", "version"):
        theirs = {**ours, "fingerprint": {**ours["fingerprint"], part_of_it: "another"}}
        with pytest.raises(InputError, match=f"cannot be compared: {part_of_it}"):
            compare(ours, theirs)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": {"ffd10k_test": 3}}', "[" * 200_000, b"PK\xff\xfe"])
def test_a_file_that_holds_no_figures_is_refused(tmp_path, text):
    (tmp_path / "metrics.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match="not a file of figures") as refusal:
        read_metrics(tmp_path)
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize("value", ["NaN", "Infinity", "true", "null", '"3"', "{}", "1" * 400])
@pytest.mark.parametrize("part_of_it", ["value", "standard_error"])
def test_a_figure_that_is_no_number_is_refused(good, reference, tmp_path, part_of_it, value):
    if (part_of_it, value) == ("standard_error", "null"):
        return  # There are figures without one.
    write_report(good, reference, tmp_path)
    values = json.loads((tmp_path / "metrics.json").read_text())
    values["figures"]["ffd10k_test"][part_of_it] = "@"
    (tmp_path / "metrics.json").write_text(json.dumps(values).replace('"@"', value))
    with pytest.raises(InputError, match="not a file of figures"):
        read_metrics(tmp_path)


def test_values_as_far_from_the_best_one_on_either_side_are_not_distinguishable(good, reference, tmp_path):
    ours, theirs = (read(good, tmp_path, reference) for _ in range(2))
    for side, value in ((ours, 6 / 7 - 0.05), (theirs, 6 / 7 + 0.05)):
        figure = dataclasses.replace(side["figures"]["nearer_train10k"], value=value, standard_error=0.002)
        side["figures"] = {"nearer_train10k": figure}
    assert compare(ours, theirs).verdict == "not distinguishable"


def test_figures_of_fresh_networks_have_no_say_in_the_verdict(good, reference, tmp_path):
    ours = read(good, tmp_path, reference)
    assert "gan_train10k" in ours["figures"]
    named = {difference.name for difference in compare(ours, ours).differences}
    assert "ffd10k_test" in named
    assert not named & {"gan_train10k", "gan_test10k", "two_sample10k_test"}


def test_the_report_is_one_page_that_needs_nothing_else(good, reference, tmp_path):
    curve = [{"images": 1000 * n, "ffd5k_validation": 9 / n} for n in (1, 2, 3)] + [{"ffd10k_test": 1.0}]
    page = write_report(good, reference, tmp_path / "report", curve).read_text()
    assert page.count("data:image/png;base64,") == 2
    assert 'src="http' not in page
    assert "href" not in page
    for name in good.figures:
        assert f"<code>{name}</code>" in page
        assert MEANINGS[name].title in page
    assert "best 3.000 after 3,000" in page
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["fingerprint"] == good.fingerprint


def test_a_name_that_looks_like_code_is_shown_as_text(good, reference, tmp_path):
    named = dataclasses.replace(good, source={**good.source, "name": "<script>alert(1)</script>"})
    assert "<script" not in write_report(named, reference, tmp_path).read_text()


def test_a_report_that_cannot_be_written_is_told_in_one_line(good, reference, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_report(good, reference, tmp_path / "file" / "report")
