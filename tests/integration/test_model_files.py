"""Model files are read back exactly, plain Keras reads them too, and no code in them is run."""

import copy
import dataclasses
import errno
import json
import multiprocessing
import os
import pickle
import shutil
import zipfile

import h5py
import jobs
import keras
import numpy as np
import pytest

from fashion_gan.api.load import load_generator
from fashion_gan.errors import InputError
from fashion_gan.latents import draw_latents
from fashion_gan.saving import model_files
from fashion_gan.saving.keras2.importer import import_generator

SUFFIXES = ("keras", "h5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_draws_the_images_of_its_run(toy_run, suffix):
    expected = load_generator(toy_run.path).generate(20, seed=4)
    assert np.array_equal(load_generator(toy_run.path / f"generator.{suffix}").generate(20, seed=4), expected)


def test_a_generator_of_a_run_can_be_copied_also_into_another_process(toy_run):
    generator = load_generator(toy_run.path)
    expected = generator.generate(40, seed=2)
    for twin in (pickle.loads(pickle.dumps(generator)), copy.deepcopy(generator)):
        assert twin.predict.model is not generator.predict.model
        np.testing.assert_array_equal(twin.generate(40, seed=2), expected)
    assert copy.deepcopy(generator.predict)(generator_inputs(generator)).shape == (4, 16, 16, 1)


def generator_inputs(generator):
    return [generator.latents(4), generator.labels(4)]


@pytest.mark.full
def test_a_spawned_process_draws_with_a_keras_generator(toy_run):
    generator = load_generator(toy_run.path)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=jobs.draw_and_send, args=(generator, sender), daemon=True)
    process.start()
    sender.close()
    np.testing.assert_array_equal(receiver.recv(), generator.generate(40, seed=2))
    process.join()


def test_a_keras_generator_in_a_forked_process_is_an_error_and_does_not_hang(toy_run, monkeypatch):
    generator = load_generator(toy_run.path)
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(
        InputError, match="cannot draw in a forked process: start the process with multiprocessing's 'spawn'"
    ):
        generator.generate(4)


def test_raw_and_averaged_weights_draw_different_images(toy_run):
    averaged, raw = (load_generator(toy_run.path, raw=raw).generate(20) for raw in (False, True))
    assert not np.array_equal(averaged, raw)


def test_raw_weights_of_a_file_are_refused(toy_run):
    with pytest.raises(InputError, match="only a run's folder"):
        load_generator(toy_run.path / "generator.h5", raw=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_plain_keras_loads_the_file_and_draws_the_same(toy_run, suffix):
    path = toy_run.path / f"generator.{suffix}"
    model = keras.models.load_model(path, compile=False)
    latents, labels = draw_latents(6, toy_run.config.latent_dim, 0), np.arange(6, dtype=np.int32) % 2
    images = np.asarray(model([latents, labels], training=False))
    pixels = load_generator(path).decode(latents, labels)
    assert np.abs(np.rint(images * 127.5 + 127.5) - pixels).max() <= 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_code_in_a_file_is_run(toy_run, tmp_path, suffix, monkeypatch):
    """The file has a valid configuration and an architecture that would run code. Only its weights are read."""
    path = tmp_path / f"evil.{suffix}"
    shutil.copy(toy_run.path / f"generator.{suffix}", path)
    proof = tmp_path / "ran"
    if suffix == "h5":
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Lambda", "config": {"function": f"open({proof})"}})
    else:
        rewrite(
            path, "config.json", b'{"module": "os", "class_name": "mkdir", "config": {"path": "%s"}}' % bytes(proof)
        )

    def run_code(*arguments, **keywords):
        raise AssertionError("the file's own architecture was read")

    monkeypatch.setattr(keras.saving, "deserialize_keras_object", run_code)
    monkeypatch.setattr(keras.models, "load_model", run_code)
    assert load_generator(path).generate(2).shape == (2, 16, 16, 1)
    assert not proof.exists()


def rewrite(path, member, content):
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in {**members, member: content}.items():
            new.writestr(name, data)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_another_program_is_refused_with_a_hint_to_import_it(tmp_path, suffix):
    path = tmp_path / f"other.{suffix}"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(InputError, match=r"not written by fashion-gan.*fashion_gan\.Generator"):
        load_generator(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_file_is_refused(toy_run, tmp_path, suffix):
    path = tmp_path / f"cut.{suffix}"
    whole = (toy_run.path / f"generator.{suffix}").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=str(path)):
        load_generator(path)


@pytest.mark.parametrize("content", [b"", b"PNG or so", b"\x80\x04\x95pickle"])
def test_a_file_that_is_not_a_model_is_refused(tmp_path, content):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a model file"):
        load_generator(path)


@pytest.mark.parametrize("read", [load_generator, lambda path: import_generator(path, path.with_suffix(".onnx"))])
def test_a_pipe_or_a_file_without_permission_is_refused_with_its_reason(toy_run, tmp_path, monkeypatch, read):
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(InputError, match=r"pipe\.keras is not a file"):
        read(tmp_path / "pipe.keras")

    def fail(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(model_files, "open", fail, raising=False)
    with pytest.raises(InputError, match=r"generator\.keras cannot be read: Permission denied"):
        read(toy_run.path / "generator.keras")


def test_a_member_that_is_compressed_in_another_way_is_refused(toy_run, tmp_path):
    """Keras stores or deflates members. The decompressor of LZMA takes as much memory as a file asks for."""
    whole, path = toy_run.path / "generator.keras", tmp_path / "lzma.keras"
    with zipfile.ZipFile(whole) as file, zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as compressed:
        for name in file.namelist():
            compressed.writestr(name, file.read(name))
    with pytest.raises(InputError, match="compressed in a way other than deflate"):
        load_generator(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing of that name"):
        load_generator(tmp_path / "absent.keras")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_weights_of_another_architecture_are_refused(toy_run, tmp_path, suffix):
    path = tmp_path / f"other.{suffix}"
    shutil.copy(toy_run.path / f"generator.{suffix}", path)
    text = dataclasses.replace(toy_run.config, architecture="dcgan", base_channels=8).to_json()
    if suffix == "h5":
        with h5py.File(path, "a") as file:
            file.attrs["fashion_gan"] = text
    else:
        rewrite(path, "fashion_gan.json", text.encode())
    with pytest.raises(InputError, match="does not hold the weights"):
        load_generator(path)


@pytest.mark.parametrize("storage", ["external link", "soft link", "external data", "virtual data"])
def test_weights_stored_in_other_files_or_behind_links_are_refused(toy_run, tmp_path, storage):
    path, secret = tmp_path / "reaching.h5", tmp_path / "secret"
    shutil.copy(toy_run.path / "generator.h5", path)
    secret.write_bytes(os.urandom(64))
    with h5py.File(path, "a") as file:
        if storage == "external link":
            file["model_weights/more"] = h5py.ExternalLink(str(secret), "/")
        elif storage == "soft link":
            file["model_weights/more"] = h5py.SoftLink("/model_weights")
        elif storage == "external data":
            file.create_dataset("model_weights/more", (16,), "float32", external=[(str(secret), 0, 64)])
        else:
            layout = h5py.VirtualLayout((4,), "float32")
            layout[:] = h5py.VirtualSource(str(secret), "data", (4,))
            file.create_virtual_dataset("model_weights/more", layout)
    with pytest.raises(InputError, match="plain weights"):
        load_generator(path)


def test_an_implausibly_large_member_is_refused_without_reading_it(toy_run, tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(InputError, match="over 1,000 bytes"):
        load_generator(toy_run.path / "generator.keras")
