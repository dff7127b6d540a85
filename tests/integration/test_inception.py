"""The standard scores, by the installed library with random weights instead of the canonical ones."""

import urllib.error

import numpy as np
import pytest

from fashion_gan import InputError
from fashion_gan.metrics import inception

IMAGES = np.random.default_rng(0).integers(0, 256, (24, 28, 28, 1), np.uint8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "cache_folder", lambda: tmp_path)


@pytest.fixture
def weights(torch_fidelity, tmp_path, monkeypatch):
    """Provide a file of random weights and accept it as the canonical one."""
    import torch
    from torch_fidelity import feature_extractor_inceptionv3

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_extractor_inceptionv3, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(feature_extractor_inceptionv3.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        extractor = feature_extractor_inceptionv3.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    for parameter in extractor.parameters():
        if parameter.ndim == 4:  # This scale keeps the activations from vanishing.
            torch.nn.init.kaiming_normal_(parameter)
    torch.save(extractor.state_dict(), tmp_path / "weights.pth")
    monkeypatch.setenv(inception.WEIGHTS_VARIABLE, str(tmp_path / "weights.pth"))
    monkeypatch.setattr(inception, "WEIGHTS_SHA256_START", "")


@pytest.mark.full
def test_scores_of_equal_and_of_different_images(weights):
    same = inception.scores(IMAGES, IMAGES, "same", with_kid_and_is=True)
    assert same["fid"] == pytest.approx(0, abs=1e-3)
    assert same["is"] >= 1
    assert set(same) == {"fid", "kid", "is"}
    different = inception.scores(255 - IMAGES // 4, IMAGES, "same", with_kid_and_is=False)
    assert set(different) == {"fid"}
    assert different["fid"] > 100 * abs(same["fid"])
    assert different["fid"] > 1


def test_a_failed_download_of_the_weights_is_one_line(torch_fidelity, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3

    def no_network(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.delenv(inception.WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setattr(feature_extractor_inceptionv3, "load_state_dict_from_url", no_network)
    with pytest.raises(InputError, match=r"no route to host.*every other metric is measured without"):
        inception.scores(IMAGES, IMAGES, "real", with_kid_and_is=False)


def test_weights_other_than_the_canonical_ones_are_refused(torch_fidelity, tmp_path, monkeypatch):
    (tmp_path / "weights.pth").write_bytes(b"a pickle that runs code")
    monkeypatch.setenv(inception.WEIGHTS_VARIABLE, str(tmp_path / "weights.pth"))
    with pytest.raises(InputError, match="not the file"):
        inception.scores(IMAGES, IMAGES, "real", with_kid_and_is=False)
    monkeypatch.setenv(inception.WEIGHTS_VARIABLE, str(tmp_path / "absent.pth"))
    with pytest.raises(InputError, match=r"absent\.pth' cannot be read"):
        inception.scores(IMAGES, IMAGES, "real", with_kid_and_is=False)
