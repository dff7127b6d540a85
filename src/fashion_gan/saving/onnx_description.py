"""Names and texts in a generator's ``.onnx`` file, which tell other programs what goes in and what comes out."""

from typing import TYPE_CHECKING, Any

from fashion_gan.generator import INPUT_NAMES
from fashion_gan.version import __version__

if TYPE_CHECKING:
    from fashion_gan.saving.formats import GeneratorInfo

OUTPUT_NAME = "images"  # Version 0.1.0 kept the converter's name. Readers take the only output, whatever its name.
BATCH = "batch"
MODEL_VERSION = 1  # the version of these names and texts
MAX_NAMED_CLASSES = 100  # The configuration in the file has all names.


def describe(model: Any, config: "GeneratorInfo") -> None:
    """Name the output and the batch dimension of an ``onnx.ModelProto``, and document it. The numbers stay as they are.

    Args:
        model: the converter's model, with the inputs "latents" and, if conditional, "labels". It is changed.
        config: the configuration that its network was built from.
    """
    graph = model.graph
    (output,) = graph.output
    if output.name != OUTPUT_NAME:
        _rename_values(graph, {output.name: OUTPUT_NAME, OUTPUT_NAME: f"{OUTPUT_NAME}:inner"})
    _name_batch_dimensions(graph)
    graph.name, graph.doc_string = "generator", ""
    texts = value_texts(config)
    for value in (*graph.input, output):
        value.doc_string = texts[value.name]
    model.producer_name, model.producer_version = "fashion-gan", __version__
    model.model_version = MODEL_VERSION
    model.doc_string = "A GAN's generator. " + " ".join(f"{name}: {text}." for name, text in texts.items())
    for entry in [entry for entry in model.metadata_props if entry.key in texts]:
        model.metadata_props.remove(entry)
    for name, text in texts.items():
        model.metadata_props.add(key=name, value=text)


def value_texts(config: "GeneratorInfo") -> dict[str, str]:
    """What each input and the output holds, by its name. Other formats store these texts too."""
    latents, labels = INPUT_NAMES
    texts = {latents: f"float32 ({BATCH}, {config.latent_dim}), drawn from the standard normal distribution"}
    if config.class_names:
        names = ", ".join(f"{number} {name}" for number, name in enumerate(config.class_names[:MAX_NAMED_CLASSES]))
        more = ", ..." if len(config.class_names) > MAX_NAMED_CLASSES else ""
        texts[labels] = f"int32 ({BATCH},), the class of each image: {names}{more}"
    texts[OUTPUT_NAME] = f"float32 ({BATCH}, height, width, channels), pixels from -1 (black) to 1 (white)"
    return texts


def _rename_values(graph: Any, names: dict[str, str]) -> None:
    """Rename values wherever a graph, or a graph inside it, mentions them."""
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _rename_values(inner, names)


def _name_batch_dimensions(graph: Any) -> None:
    """Give the unknown first dimension of every input and output the same name, in the whole graph."""
    firsts = [value.type.tensor_type.shape.dim[0] for value in (*graph.input, *graph.output)]
    unknown = {dimension.dim_param for dimension in firsts if dimension.dim_param}
    for dimension in firsts:
        if not dimension.HasField("dim_value"):
            dimension.dim_param = BATCH
    for value in graph.value_info:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param in unknown:
                dimension.dim_param = BATCH
