"""Imports of the libraries that report their use to their makers. They are imported with that turned off."""

import importlib
import os
import sys
from types import ModuleType

from fashion_gan.system.library_settings import environment_variables

ONNX_RUNTIME_VARIABLE = "ORT_DISABLE_TELEMETRY"
HUB_VARIABLE = "HF_HUB_DISABLE_TELEMETRY"


def import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime without its telemetry. A value that the user gave the variable is kept.

    From version 1.32 on, ONNX Runtime writes a device id into the home folder and looks up a server, unless this
    variable is set during the import. A later call of its ``disable_telemetry_events`` prevents neither.
    """
    with environment_variables({ONNX_RUNTIME_VARIABLE: os.environ.get(ONNX_RUNTIME_VARIABLE, "1")}):
        return importlib.import_module("onnxruntime")


def import_hub() -> ModuleType:
    """Import ``huggingface_hub``, which then sends no facts about its use. It reads the variable at its import."""
    with environment_variables({HUB_VARIABLE: "1"}):
        for part in ("constants", "errors"):  # The package itself imports its parts only when they are used.
            importlib.import_module(f"huggingface_hub.{part}")
        return sys.modules["huggingface_hub"]


def import_datasets() -> ModuleType:
    """Import the Hugging Face library ``datasets``, which reports its use through ``huggingface_hub``."""
    import_hub()
    return importlib.import_module("datasets")


def import_mlflow() -> ModuleType:
    """Import MLflow, which then sends nothing about its use to its makers."""
    with environment_variables({"MLFLOW_DISABLE_TELEMETRY": "true"}):
        return importlib.import_module("mlflow")


def import_wandb() -> ModuleType:
    """Import Weights & Biases, which then reports no errors to its makers."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # Its processes read it later.
    return importlib.import_module("wandb")


def import_aim() -> ModuleType:
    """Import Aim."""
    return importlib.import_module("aim")


def import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which writes into the home folder and looks up a server at the import."""
    if "openvino" in sys.modules or "openvino_telemetry" in sys.modules:
        return importlib.import_module("openvino")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # OpenVINO then uses a stub of its own.
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules["openvino_telemetry"]
