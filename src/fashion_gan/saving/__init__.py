"""Trained generators as files: writing, reading, exporting and importing them."""

MODEL_SUFFIXES = (".onnx", ".keras", ".h5", ".safetensors")
"""Suffixes of the model files that ``load_generator`` reads."""
