"""What the integration tests share."""

import pytest

from fashion_gan.training import trainer


@pytest.fixture(autouse=True)
def no_onnx_file(request, monkeypatch):
    """Trainings write no generator.onnx, which takes a second. The shared toy run has one, and tests marked so do."""
    if not request.node.get_closest_marker("onnx_file"):
        monkeypatch.setattr(trainer, "save_onnx", lambda run, generator, path: None)
