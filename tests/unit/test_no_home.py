"""A user without a home folder, as in ``docker run --user 12345``, has no cache."""

from unittest import mock

import platformdirs
import pytest

from fashion_gan.datasets import cache_folder, fashion_mnist
from fashion_gan.metrics.cache import cached, metrics_cache_folder


@pytest.fixture(params=["~/.cache/fashion-gan", RuntimeError("Could not determine home directory.")])
def no_home(request, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", mock.Mock(side_effect=lambda name: _answer(request.param)))


def _answer(value):
    if isinstance(value, Exception):
        raise value
    return value


def test_there_is_no_cache_and_no_folder_is_made(no_home, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cache_folder() is None
    assert metrics_cache_folder() is None
    assert cached(metrics_cache_folder(), "entry", lambda: {"a": [1, 2]})["a"].tolist() == [1, 2]
    assert not list(tmp_path.iterdir())


def test_a_download_is_read_from_a_temporary_folder(no_home, monkeypatch, tmp_path):
    folders = []

    def fetch(url, path):
        path.touch()
        folders.append(path.parent)

    monkeypatch.setattr(fashion_mnist, "_fetch", fetch)
    monkeypatch.setattr(fashion_mnist, "_read_verified", lambda path, name, place: place)
    assert fashion_mnist._download("http://mirror/", "train") == "http://mirror/train.gz"
    assert not folders[0].exists()
