"""What only a command in its own process can show: the libraries' output, its memory, and how a signal ends it."""

import re
import signal
import socket

import keras
import pytest
from processes import command_in_a_process, run_python, start_command

from fashion_gan.explorer import security


@pytest.mark.full
def test_the_command_prints_one_line_and_no_output_of_the_libraries(toy_run, tmp_path):
    done = command_in_a_process("export", toy_run.path, "--format", "litert", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(f"{toy_run.path.name}.tflite: pixels in [-1, 1] differ by at most ")
    assert [path.name for path in tmp_path.iterdir()] == [f"{toy_run.path.name}.tflite"]


@pytest.mark.full
def test_an_import_prints_no_output_of_the_libraries(tmp_path):
    layers = [keras.Input((4,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Reshape((4, 4, 1))]
    keras.Sequential(layers).save(tmp_path / "old_generator.h5")
    done = command_in_a_process("import", "old_generator.h5", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "old_generator.onnx: latents of 4 numbers -> 4×4×1 images" in done.stdout


LOAD_TRAINING_SPLIT = """
import re
from fashion_gan.datasets import load_fashion_mnist
def peak_bytes():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = peak_bytes()
data = load_fashion_mnist("train")
print(peak_bytes() - before)
"""


def test_loading_the_training_split_adds_less_than_150_megabytes_to_the_peak():
    # VmHWM, because a process inherits ru_maxrss from the one that runs the tests, which may be larger.
    added_bytes = int(run_python(LOAD_TRAINING_SPLIT))
    assert 47e6 < added_bytes < 150e6  # The images take 47 MB. A lower number means that the measurement failed.


def test_ctrl_c_does_not_wait_for_an_incomplete_request():
    with start_command("explore", "--port", "0") as process:
        port = int(re.search(r":(\d+)/", process.stdout.readline()).group(1))
        with socket.create_connection(("127.0.0.1", port)) as client:
            head = "POST /api/draw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            client.sendall(f"{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode())
            assert b"100 Continue" in client.recv(100)  # The server is now reading the request.
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=security.BODY_SECONDS - 2) == 130
        assert process.stderr.read().strip() == "fashion-gan: stopped"
