"""The user's own callbacks in a training, and trackers."""

import json
import types

import numpy as np
import pytest
from processes import refused
from toys import TOY

import fashion_gan
from fashion_gan import Config, InputError, Run
from fashion_gan.rendering.images import save_picture
from fashion_gan.training import trackers
from fashion_gan.training.callbacks import AgreeOnEnd, TrainingState, UserCallback

keras = pytest.importorskip("keras")
FIGURES = {"d_loss": 1.25, "ffd5k_validation": 3.5}


class Recorder(keras.callbacks.Callback):
    """Notes what is called, and fails at a step."""

    def __init__(self, fails_in="", at_step=0, stops_at_epoch=None):
        super().__init__()
        self.calls, self.fails_in, self.at_step, self.stops_at_epoch = [], fails_in, at_step, stops_at_epoch
        self.steps = 0

    def note(self, hook):
        self.calls.append(hook)
        if hook == self.fails_in and self.steps >= self.at_step:
            raise OSError("the user's\ndisk is full")

    def on_train_begin(self, logs=None):
        self.note("on_train_begin")

    def on_train_end(self, logs=None):
        self.note("on_train_end")

    def on_epoch_begin(self, epoch, logs=None):
        self.note("on_epoch_begin")

    def on_epoch_end(self, epoch, logs=None):
        assert {"d_loss", "g_loss"} <= set(logs)
        self.note("on_epoch_end")
        if self.stops_at_epoch == epoch:
            self.model.stop_training = True

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.note("on_train_batch_end")


def newest_state(run):
    return run.load_checkpoint()


def train(toy_folder, out, **settings):
    return fashion_gan.train("fashion", data=toy_folder, out=out, epochs=3, save_interval=1, **{**TOY, **settings})


def test_a_callback_that_fails_leaves_a_checkpoint_from_which_the_run_continues_exactly(toy_run, toy_folder, tmp_path):
    first, second = Recorder("on_train_batch_end", at_step=2), Recorder()
    with pytest.raises(InputError) as caught:
        train(toy_folder, tmp_path, callbacks=[first, second])
    run = Run.open(tmp_path / "0001-fashion")
    step = newest_state(run)[0]
    assert "\n" not in str(caught.value)
    assert (
        f"the callback Recorder failed in on_train_batch_end at step {step} (OSError: the user's disk is full)"
        in str(caught.value)
    )
    assert f"continue with fashion-gan train --resume {run.path}" in str(caught.value)
    assert first.calls[-1] == "on_train_batch_end"
    assert second.calls[-1] == "on_train_end"
    assert 0 < step < 15
    third = Recorder()
    resumed = fashion_gan.resume(run, callbacks=[third])
    assert third.calls.count("on_train_begin") == third.calls.count("on_train_end") == 1
    (step, state), (_, expected) = newest_state(resumed), newest_state(toy_run)
    assert step == 15
    assert {name for name in state if name != "seconds" and not np.array_equal(state[name], expected[name])} == set()


def test_a_callback_may_end_training_and_the_tracker_gets_the_grids(toy_folder, tmp_path):
    run = train(toy_folder, tmp_path, callbacks=[Recorder(stops_at_epoch=1)], tracker="tensorboard")
    assert newest_state(run)[0] == 10
    assert run.generator_path.exists()
    events = b"".join(path.read_bytes() for path in run.tensorboard_folder.rglob("*") if path.is_file())
    assert events.count(b"\x89PNG") == 2
    assert b"base_channels" in events
    assert json.loads(run.tracker_path.read_text())["tracker"] == "tensorboard"


def test_an_error_before_the_first_step_names_its_hook_and_ends_each_call_of_fit():
    class Model:
        stop_training = False

    callback, model = UserCallback(Recorder("on_train_begin"), TrainingState(5, 10, None)), Model()
    callback.set_model(model)
    callback.on_train_begin()
    assert model.stop_training
    model.stop_training = False
    callback.on_train_begin()
    callback.on_train_batch_end(0, logs={})
    callback.end()
    assert model.stop_training
    assert callback.callback.calls == ["on_train_begin"]
    with pytest.raises(InputError, match="the callback Recorder failed in on_train_begin at step 0"):
        callback.raise_failure("")


@pytest.mark.parametrize("callbacks", ["x", 3, [print], [Recorder], {"a": 1}, None])
def test_what_is_no_list_of_callbacks_is_refused(callbacks, toy_folder, tmp_path):
    with pytest.raises(InputError, match="callbacks"):
        train(toy_folder, tmp_path / "runs", callbacks=callbacks)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_or_missing_tracker_is_one_line(capsys, monkeypatch, toy_folder, tmp_path):
    assert "'wand' is not allowed: did you mean 'wandb'?" in refused(capsys, "train", "--tracker", "wand")
    monkeypatch.setattr("fashion_gan.system.installation.is_installed", lambda module: module != "mlflow")
    assert "tracker='mlflow' needs mlflow: pip install" in refused(capsys, "train", "--tracker", "mlflow")


def test_several_calls_of_fit_have_one_beginning_and_one_end():
    callback = UserCallback(Recorder(), TrainingState(5, 10, None))
    for _ in range(2):
        callback.on_train_begin()
        callback.on_epoch_begin(0)
        callback.on_train_end()
    callback.end()
    assert callback.callback.calls == ["on_train_begin", "on_epoch_begin", "on_epoch_begin", "on_train_end"]


# ---- Each tracker, on this machine ----


class Step:
    """The progress of a training that is not run."""

    def __init__(self):
        self.step, self.epoch, self.epoch_is_over = 50, 1, True


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A new run with a sample grid. Everything that a tracker writes is below the test's folder."""
    monkeypatch.chdir(tmp_path)
    run = Run.create(tmp_path / "runs", Config.from_preset("fashion", steps=100, class_names=("a", "b")), "x")
    save_picture(run.sample_path(1), np.full((8, 8, 1), 200, np.uint8))
    return run


def track(run, kind):
    """Send two figures at two steps, and a grid; then resume, and send one more. Return the id."""
    state = Step()
    for figures in (FIGURES, {"d_loss": 0.5}):
        tracking = trackers.Tracking(run, state, kind)
        tracking.open()
        assert tracking.tracker is not None
        for name, value in figures.items():
            tracking.scalar(name, value)
        tracking.on_train_batch_end(0)
        tracking.close()
        state.step += 50
    return json.loads(run.tracker_path.read_text())["id"]


@pytest.mark.filterwarnings("default")
def test_mlflow_gets_figures_settings_and_grids_in_a_local_store(run, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    stored = track(run, "mlflow")
    client = mlflow.MlflowClient()
    found = client.get_run(stored)
    assert found.data.metrics == {"d_loss": 0.5, "ffd5k_validation": 3.5}
    losses = [(point.step, point.value) for point in client.get_metric_history(stored, "d_loss")]
    assert losses == [(50, 1.25), (100, 0.5)]
    assert found.data.params["batch_size"] == str(run.config.batch_size)
    assert [file.path for file in client.list_artifacts(stored, "samples")] == [
        "samples/step_000000050.png",
        "samples/step_000000100.png",
    ]


@pytest.mark.filterwarnings("default")
def test_weights_and_biases_keeps_figures_settings_and_grids_offline(run, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    track(run, "wandb")
    stored = b"".join(path.read_bytes() for path in run.path.rglob("*.wandb"))
    for text in (b"d_loss", b"ffd5k_validation", b"batch_size", b"samples"):
        assert text in stored
    assert list(run.path.rglob("media/images/samples_50_*.png"))


@pytest.mark.filterwarnings("default")
def test_aim_gets_figures_settings_and_grids_in_its_repository(run, tmp_path):
    aim = pytest.importorskip("aim")
    index_manager = pytest.importorskip("aim.sdk.index_manager")
    identity = track(run, "aim")
    repository = aim.Repo.from_path(str(tmp_path))
    index_manager.RepoIndexManager.get_index_manager(repository).index(identity)  # As Aim's own server does.
    stored = aim.Repo(str(tmp_path)).get_run(identity)
    assert stored["settings"]["batch_size"] == run.config.batch_size
    (losses,) = [metric for metric in stored.metrics() if metric.name == "d_loss"]
    table = losses.dataframe()
    assert list(zip(table["step"], table["value"], strict=True)) == [(50, 1.25), (100, 0.5)]
    images = stored.get_image_sequence("samples", aim.storage.context.Context({}))
    assert list(images.data.indices_list()) == [50, 100]


def test_a_tracker_that_fails_is_told_once_and_training_goes_on(run, monkeypatch, capsys):
    class Broken:
        id = "1"

        def __init__(self, *arguments):
            pass

        def scalar(self, *arguments):
            raise RuntimeError("its server\nis gone")

    monkeypatch.setitem(trackers.KINDS, "wandb", Broken)
    tracking = trackers.Tracking(run, TrainingState(5, 10, None), "wandb")
    tracking.open()
    tracking.scalar("d_loss", 1.0)
    tracking.scalar("d_loss", 2.0)
    tracking.close()
    told = capsys.readouterr().err
    assert told.count("the tracker wandb failed, and training goes on without it: its server is gone") == 1


@pytest.mark.parametrize("other_stops", [False, True])
def test_a_callback_that_ends_one_process_ends_all_after_the_same_step(other_stops):
    for hook in ("on_train_batch_end", "on_epoch_end"):
        for stops in (False, True):
            group = types.SimpleNamespace(gather=lambda value: np.array([[value], [other_stops]], np.float32))
            agree = AgreeOnEnd(group)
            agree.set_model(types.SimpleNamespace(stop_training=stops))
            getattr(agree, hook)(0)
            assert agree.model.stop_training is (stops or other_stops)
