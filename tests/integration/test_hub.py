"""Models and data sets on the Hub, on a server of this machine that speaks its protocol."""

import hashlib
import json
import os
import pickle

import numpy as np
import pytest
from hub_server import Repository, connected_hub
from processes import command, refused, run_python
from toys import TOY, TOY_FLAGS

import fashion_gan
from fashion_gan import Generator, InputError, pretrained
from fashion_gan.api.train import plan, plan_resume
from fashion_gan.hub import download
from fashion_gan.hub.address import parse_address

client = pytest.importorskip("huggingface_hub")

SHIPPED = pretrained.folder("fashion")
ONNX = (SHIPPED / "generator.onnx").read_bytes()
MODEL = "models/someone/clothes"
ADDRESS = "hf://someone/clothes"
BOMB = pickle.dumps({"weights": 1})


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The server, and a client with an empty cache."""
    with connected_hub(monkeypatch, tmp_path / "cache") as server:
        yield server


@pytest.fixture
def offline(monkeypatch):
    def go_offline():
        monkeypatch.setattr(client.constants, "HF_HUB_OFFLINE", True)

    return go_offline


def draws(generator):
    return generator.generate(4, seed=3)


def message(call, *arguments, **options) -> str:
    """The one line of the InputError that a call raises."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- Addresses ----


@pytest.mark.parametrize(
    "text",
    [
        "hf://",
        "hf://someone",
        "hf://a/b/c",
        "hf://../b",
        "hf://a/..",
        "hf://a/b@",
        "hf://a/b@../main",
        "hf://a b/c",
        "hf://a/b--c",
        "hf://datasets/a",
        "hf://a/" + "b" * 100,
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_asked(hub, text):
    assert "must be" in message(Generator.from_pretrained, text)
    assert hub.requests == []


def test_a_revision_is_named_once(hub):
    assert "names a revision already" in message(Generator.from_pretrained, f"{ADDRESS}@main", revision="v1")
    assert "is for generators on the Hub" in message(Generator.from_pretrained, "fashion", revision="v1")
    assert str(parse_address(ADDRESS, "v1")) == f"{ADDRESS}@v1"


# ---- Downloads ----


def test_only_the_named_files_of_a_repository_are_downloaded(hub):
    files = {
        "evil__pkl": BOMB,
        "generator__h5": BOMB,
        "generator__keras": BOMB,
        "load__py": b"import os",
        "README__md": b"#",
    }
    hub.add(MODEL, generator__onnx=ONNX, **files)
    assert np.array_equal(draws(Generator.from_pretrained(ADDRESS)), draws(Generator.from_pretrained("fashion")))
    assert set(hub.downloads()) == {"generator.onnx"}


def test_a_repository_with_pickles_only_is_refused_and_nothing_is_downloaded(hub):
    hub.add(MODEL, pytorch_model__bin=BOMB, model__pkl=BOMB)
    assert "holds no generator.onnx, and other files are not opened" in message(Generator.from_pretrained, ADDRESS)
    assert hub.downloads() == []


def test_an_older_revision_is_drawn_and_the_cache_serves_it_without_a_connection(hub, offline):
    first = hub.add(MODEL, generator__onnx=ONNX)
    hub.add(MODEL, generator__onnx=b"another network")
    generator = Generator.from_pretrained(ADDRESS, revision=first)
    asked = len(hub.requests)
    assert np.array_equal(draws(Generator.from_pretrained(f"{ADDRESS}@{first}")), draws(generator))
    assert len(hub.requests) == asked
    assert "cannot be read as ONNX" in message(Generator.from_pretrained, ADDRESS)
    offline()
    assert np.array_equal(draws(Generator.from_pretrained(ADDRESS, revision=first)), draws(generator))


def test_offline_the_newest_downloaded_revision_is_used_and_a_missing_one_is_a_line(hub, offline):
    hub.add(MODEL, generator__onnx=ONNX)
    online = Generator.from_pretrained(ADDRESS)
    hub.add(MODEL, generator__onnx=b"newer")
    offline()
    asked = len(hub.requests)
    assert np.array_equal(draws(Generator.from_pretrained(ADDRESS)), draws(online))
    assert "is not in the cache of the Hub" in message(Generator.from_pretrained, "hf://someone/else")
    assert "HF_HUB_OFFLINE is set" in message(fashion_gan.push, "fashion", "someone/clothes")
    assert len(hub.requests) == asked


def test_files_that_are_too_large_are_refused_before_they_are_downloaded(hub):
    hub.add(MODEL, generator__onnx=ONNX)
    hub.sizes["generator.onnx"] = download.MAX_MODEL_BYTES + 1
    assert "has 2,147,483,649 bytes, and at most 2,147,483,648" in message(Generator.from_pretrained, ADDRESS)
    assert hub.downloads() == []


@pytest.mark.parametrize("path", ["generator.onnx", "config.json"])
def test_a_file_with_a_wrong_checksum_is_refused_and_downloaded_again_the_next_time(hub, path):
    hub.add(MODEL, generator__onnx=ONNX, config__json=b"{}")
    hub.corrupt = {path}
    assert f"{path} arrived damaged" in message(Generator.from_pretrained, ADDRESS)
    hub.corrupt = set()
    assert draws(Generator.from_pretrained(ADDRESS)).shape == (4, 28, 28, 1)


def test_a_cut_download_is_resumed_and_one_that_is_always_cut_is_a_line(hub):
    hub.add(MODEL, generator__onnx=ONNX)
    hub.cuts = 2
    assert draws(Generator.from_pretrained(ADDRESS)).shape == (4, 28, 28, 1)
    hub.add("models/someone/broken", generator__onnx=ONNX)
    hub.cuts = 100
    assert "hf://someone/broken could not be downloaded" in message(Generator.from_pretrained, "hf://someone/broken")
    hub.cuts = 0
    assert draws(Generator.from_pretrained("hf://someone/broken")).shape == (4, 28, 28, 1)


def test_each_refusal_of_the_hub_is_one_line_with_its_remedy(hub, monkeypatch):
    assert "there is no such repository; or it is private" in message(Generator.from_pretrained, "hf://someone/none")
    hub.add(MODEL, generator__onnx=ONNX)
    assert "it has no such revision" in message(Generator.from_pretrained, ADDRESS, revision="v9")
    hub.status = 500
    assert "could not be downloaded (http://127.0.0.1" in message(Generator.from_pretrained, ADDRESS)
    hub.status = 0
    hub.repositories[MODEL].private = True
    assert draws(Generator.from_pretrained(ADDRESS)).shape == (4, 28, 28, 1)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "HF_TOKEN must be set" in message(Generator.from_pretrained, ADDRESS)
    assert "set HF_TOKEN to a token that may do this" in message(fashion_gan.push, "fashion", "someone/clothes")


def test_a_slow_hub_is_a_line(hub):
    hub.add(MODEL, generator__onnx=ONNX)
    hub.seconds = 1.5
    assert "could not be downloaded" in message(Generator.from_pretrained, ADDRESS)


def test_a_server_that_is_not_there_is_a_line(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "could not be downloaded (http://127.0.0.1:9)" in message(Generator.from_pretrained, ADDRESS)


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "--model", ADDRESS],
        ["export", ADDRESS, "--format", "html", "--out", "page.html"],
        ["dataset", "--model", ADDRESS, "--per-class", "1", "--out", "set"],
    ],
)
def test_commands_take_an_address_where_they_take_a_model(hub, tmp_path, words):
    if "html" in words:
        pytest.importorskip("py_mini_racer")
    hub.add(MODEL, generator__onnx=ONNX)
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


# ---- A run, there and back ----


@pytest.fixture(scope="module")
def pushed_files(toy_run, made_once):
    """The files of the toy run as it is pushed, made once."""
    pytest.importorskip("tf2onnx")
    pytest.importorskip("safetensors")

    def make(folder):
        from fashion_gan.api import push
        from fashion_gan.hub.address import HubAddress
        from fashion_gan.saving.origins import resolve

        push._write_model(resolve(toy_run.path), os.fspath(toy_run.path), folder, HubAddress("someone/toy"), best=False)

    folder = made_once("pushed", make)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def add_toy(hub, files) -> str:
    return hub.repositories.setdefault("models/someone/toy", Repository()).commit(files)


def test_a_pushed_run_holds_no_code_no_paths_and_a_card_that_the_hub_takes(hub, pushed_files, toy_run, monkeypatch):
    from fashion_gan.api import push

    monkeypatch.setattr(push, "_write_model", lambda source, model, out, address, best: write_all(out, pushed_files))
    done = command("push", toy_run.path, "someone/toy", "--private")
    assert done.returncode == 0, done.stderr
    (commit,) = hub.repositories["models/someone/toy"].commits
    assert done.stdout == f"pushed   hf://someone/toy@{commit}\n"
    assert hub.repositories["models/someone/toy"].private
    files = hub.newest("models/someone/toy")
    assert files == pushed_files
    assert set(files) == {*download.MODEL_FILES, "README.md", "samples.png"}
    assert not [name for name, content in files.items() if str(toy_run.path.parent.parent).encode() in content]
    card = client.ModelCard(files["README.md"].decode())
    card.validate()
    assert card.data.library_name == "fashion-gan"
    assert "| 1 | right |" in card.text


def write_all(out, files):
    for name, content in files.items():
        (out / name).write_bytes(content)


def test_a_pushed_run_draws_and_training_starts_from_it_at_its_commit(
    hub, offline, pushed_files, toy_run, toy_folder, tmp_path
):
    commit = add_toy(hub, pushed_files)
    address = "hf://someone/toy"
    assert np.array_equal(draws(fashion_gan.load_generator(address)), draws(fashion_gan.load_generator(toy_run)))
    gan, original = fashion_gan.load_gan(address), fashion_gan.load_gan(toy_run)
    for mine, theirs in zip(gan.discriminator.get_weights(), original.discriminator.get_weights(), strict=True):
        assert np.array_equal(mine, theirs)
    words = ["--data", toy_folder, "--out", tmp_path / "runs", "--steps", "2", *TOY_FLAGS]
    done = command("train", "--init-from", address, *words)
    assert done.returncode == 0, done.stderr
    run = fashion_gan.Run.open(tmp_path / "runs" / "0001-fashion")
    assert run.config.init_from == f"{address}@{commit}"
    offline()
    assert plan_resume(run, steps=3)[0].config.init_from == run.config.init_from
    manifest = fashion_gan.make_dataset(tmp_path / "set", 1, model=address)
    assert manifest["model"]["name"] == f"{address}@{commit}"


@pytest.mark.parametrize("damage", ["cut", "other", "shape"])
def test_hostile_weights_of_a_discriminator_are_one_line(hub, pushed_files, damage):
    from safetensors.numpy import load, save

    weights = load(pushed_files["discriminator.safetensors"])
    contents = {
        "cut": pushed_files["discriminator.safetensors"][:100],
        "other": BOMB,
        "shape": save({name: value[None] for name, value in weights.items()}),
    }
    add_toy(hub, {**pushed_files, "discriminator.safetensors": contents[damage]})
    assert "does not hold the weights of its network" in message(fashion_gan.load_gan, "hf://someone/toy")


def test_a_model_without_settings_draws_but_cannot_be_trained_further(hub, toy_folder):
    hub.add(MODEL, generator__onnx=ONNX)
    assert "holds only a generator" in message(fashion_gan.load_gan, ADDRESS)
    words = {"data": toy_folder, "init_from": ADDRESS, **TOY}
    assert "holds no config.json" in message(fashion_gan.train, "fashion", **words)
    assert "only a run's folder has raw weights" in message(fashion_gan.load_generator, ADDRESS, raw=True)


# ---- A data set, there and back ----


@pytest.fixture
def pushed_data(hub, tmp_path):
    pytest.importorskip("pyarrow")
    manifest = fashion_gan.make_dataset(tmp_path / "synth", 2, seed=5)
    address = fashion_gan.push(tmp_path / "synth", "someone/synth")
    return address, manifest, fashion_gan.load_training_images(tmp_path / "synth", 28, 1)


def test_a_pushed_data_set_trains_and_its_commit_is_in_the_settings(hub, offline, pushed_data, tmp_path):
    address, _, original = pushed_data
    name, _, commit = address.partition("@")
    assert name == "hf://datasets/someone/synth"
    loaded = fashion_gan.load_training_images(name, 28, 1)
    assert (loaded.fingerprint, loaded.class_names) == (original.fingerprint, original.class_names)
    assert set(hub.downloads()) == {"data/train-00000-of-00001.parquet"}
    done = command("data", "--data", name, cwd=tmp_path)
    assert "Ankle boot" in done.stdout
    config, dataset = plan("fashion", data=name, steps=2, **TOY)
    assert config.data == f"{name}@{commit}"
    run = fashion_gan.Run.create(tmp_path / "runs", config, dataset.fingerprint)
    offline()
    assert plan_resume(run.path)[1].fingerprint == dataset.fingerprint


def test_the_files_of_a_pushed_data_set_fit_their_manifest_and_its_card_names_the_classes(hub, pushed_data):
    _, manifest, original = pushed_data
    files = hub.newest("datasets/someone/synth")
    pushed = json.loads(files["manifest.json"])
    assert pushed["model"] == manifest["model"]
    assert pushed["files"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    card = client.DatasetCard(files["README.md"].decode())
    card.validate()
    feature = card.data.dataset_info["features"][1]["dtype"]["class_label"]["names"]
    assert feature == {str(label): name for label, name in enumerate(original.class_names)}
    assert 'load_dataset("someone/synth", split="train")' in card.text


LOAD = """
import sys, datasets
data = datasets.load_dataset("someone/synth", split="train")
assert data.features["label"].names[9] == "Ankle boot", data.features
assert type(data.features["image"]).__name__ == "Image"
print(len(data), data[9]["label"], data[9]["image"].size)
"""


def test_the_library_datasets_loads_a_pushed_set_with_its_features(hub, pushed_data, tmp_path):
    pytest.importorskip("datasets")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    assert run_python(LOAD, env=environment) == "20 9 (28, 28)\n"


def test_a_model_is_no_data_set_and_a_data_set_is_no_model(hub, pushed_data):
    hub.add(MODEL, generator__onnx=ONNX)
    assert "is a model; a data set's address is hf://datasets/" in message(
        fashion_gan.load_training_images, ADDRESS, 28, 1
    )
    assert "is a data set, not a model" in message(fashion_gan.load_generator, "hf://datasets/someone/synth")
    hub.add("datasets/someone/code", load__py=b"import os", data__pkl=BOMB)
    assert "holds no *.parquet" in message(fashion_gan.load_training_images, "hf://datasets/someone/code", 28, 1)


# ---- What is asked, and what is missing ----


def test_no_request_reports_the_use_of_the_client(hub, pushed_data):
    hub.add(MODEL, generator__onnx=ONNX)
    Generator.from_pretrained(ADDRESS)
    known = ("/api/models/someone", "/api/datasets/someone", "/someone/", "/datasets/someone/", "/lfs/")
    known = (*known, "/api/repos/create", "/api/validate-yaml")
    assert [path for _, path in hub.requests if not path.startswith(known)] == []


def test_without_the_client_a_line_names_the_extra(capsys, monkeypatch):
    monkeypatch.setattr("fashion_gan.system.installation.is_installed", lambda module: module != "huggingface_hub")
    assert "needs huggingface_hub: pip install" in refused(capsys, "generate", "--model", ADDRESS)
    assert "[hub]" in refused(capsys, "push", "fashion", "someone/clothes")


def test_what_cannot_be_pushed_is_one_line(hub, capsys, tmp_path):
    (tmp_path / "x.onnx").write_bytes(ONNX)
    assert "x.onnx is a file: push takes" in refused(capsys, "push", tmp_path / "x.onnx", "a/b")
    assert "nothing of that name exists" in refused(capsys, "push", "nowhere", "a/b")
    assert hub.requests == []
