"""Directives that write reference pages from the code, so that they cannot disagree with it.

```{settings}                 every setting of Config, by group
```{command-line}             every verb of fashion-gan with its options
```{metrics}                  a table of the metrics for Fashion-MNIST
```{metric-meanings}          the meaning of each of them
```{picture-metrics}          a table of the metrics for pictures of any kind
```{picture-metric-meanings}  the meaning of each of them
```{metrics-of-all-images}    the metrics of all images of a data set, with their meanings
```{protocols}                a table of the protocols for Fashion-MNIST
```{picture-protocols}        a table of the protocols for pictures of any kind
```{presets}                  the settings in which the presets differ
```{renamed-settings}         the names of settings in version 0.1.0
```{formats}                  a table of the export formats
```{modules}                  every module of the package
"""

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import fashion_gan
from fashion_gan.api.train import RESUMABLE, SHARED_SETTINGS
from fashion_gan.cli import VERBS, app
from fashion_gan.cli.help import Option
from fashion_gan.config import GROUPS, PRESETS, READ_FROM_THE_DATA, RENAMED_SETTINGS, Config, describe_range
from fashion_gan.course import notebooks
from fashion_gan.metrics.metric_info import METRICS, read_metric_values
from fashion_gan.metrics.pictures.protocols import KINDS, PICTURE_SETS, Kind
from fashion_gan.metrics.protocols import OF_ALL, PROTOCOLS, SETS
from fashion_gan.saving.formats import FORMATS

DEFINITION = ":   "
"""MyST's mark of a definition's first line."""

EXTRAS = {"": "the base install", "keras": "extra `train`, `gpu` or `torch`", "torch_fidelity": "extra `inception`"}
"""The extra that installs each module that a protocol can need."""

COMPARED_WITH = {
    "ffd10k_test": "the 10,000 test images",
    "classes10k": "the classes of the 10,000 test images",
    "within_classes10k": "the 1,000 test images of the same class",
    "memorisation10k": "all 70,000 images",
    "gan_train10k": "10,000 training images, and the 10,000 test images",
    "two_sample10k_test": "the 10,000 test images, half of them to learn",
    "ffd50k_train": "the 60,000 training images",
    "fid10k_test": "the 10,000 test images",
    "fid50k_train": "the 60,000 training images",
    OF_ALL: "all 70,000 images",
}
"""The real images of each protocol."""

PICTURES_COMPARED_WITH = {
    "distances": "the M real pictures",
    "neighbors": "the M real pictures",
    "patches": "the M real pictures",
    "training_distance": "the training pictures",
    "diversity": "the M real pictures",
    "within_classes": "the real pictures of the same class",
    "memorization": "the training pictures, and the held-out ones",
    "gan_train": "training pictures, and the held-out ones",
    "two_sample": "training and held-out pictures, half of them to learn",
    "inception": "the M real pictures",
    OF_ALL: "all real pictures",
}

SHIPPED_METRICS = Path(fashion_gan.__file__).parent / "pretrained" / "fashion" / "metrics.json"
"""What `fashion-gan evaluate fashion --protocol full` measured, with the values of real images."""

BOOTSTRAP = "bootstrap"
# Of each metric: its protocol, and how its interval is computed.
METRIC_FACTS = {
    "ffd10k_test": ("ffd10k_test", BOOTSTRAP),
    "kernel10k_test": ("ffd10k_test", "normal"),
    "precision10k_test": ("ffd10k_test", BOOTSTRAP),
    "recall10k_test": ("ffd10k_test", BOOTSTRAP),
    "density10k_test": ("ffd10k_test", BOOTSTRAP),
    "coverage10k_test": ("ffd10k_test", BOOTSTRAP),
    "ffd50k_train": ("ffd50k_train", BOOTSTRAP),
    "class_imbalance10k": ("classes10k", "resampled shares"),
    "missing_classes10k": ("classes10k", "none"),
    "asked_class10k": ("classes10k", "Wilson"),
    "class_recall10k_test": ("within_classes10k", BOOTSTRAP),
    "class_coverage10k_test": ("within_classes10k", BOOTSTRAP),
    "copying10k": ("memorisation10k", "normal"),
    "nearer_train10k": ("memorisation10k", BOOTSTRAP),
    "gan_train10k": ("gan_train10k", "Wilson"),
    "gan_test10k": ("gan_train10k", "Wilson"),
    "two_sample10k_test": ("two_sample10k_test", "Wilson"),
    "fid10k_test": ("fid10k_test", "none"),
    "kid10k_test": ("fid10k_test", "none"),
    "is10k": ("fid10k_test", "none"),
    "fid50k_train": ("fid50k_train", "none"),
}
# The same for pictures of any kind.
PICTURE_FACTS = {
    "frechet": ("distances", BOOTSTRAP),
    "kernel": ("distances", "normal"),
    "precision": ("neighbors", BOOTSTRAP),
    "recall": ("neighbors", BOOTSTRAP),
    "density": ("neighbors", BOOTSTRAP),
    "coverage": ("neighbors", BOOTSTRAP),
    "patches": ("patches", BOOTSTRAP),
    "patches_scale1": ("patches", BOOTSTRAP),
    "patches_scale2": ("patches", BOOTSTRAP),
    "patches_scale4": ("patches", BOOTSTRAP),
    "patches_scale8": ("patches", BOOTSTRAP),
    "frechet_train": ("training_distance", BOOTSTRAP),
    "diversity": ("diversity", "Student's t"),
    "class_recall": ("within_classes", BOOTSTRAP),
    "class_coverage": ("within_classes", BOOTSTRAP),
    "copying": ("memorization", "normal"),
    "closer_than_real": ("memorization", BOOTSTRAP),
    "nearer_train": ("memorization", BOOTSTRAP),
    "gan_train": ("gan_train", "Wilson"),
    "gan_test": ("gan_train", "Wilson"),
    "two_sample": ("two_sample", "Wilson"),
    "fid": ("inception", "none"),
    "kid": ("inception", "none"),
    "is": ("inception", "none"),
}

# The same for all images of a data set of shards.
ALL_FACTS = {
    "frechet_all": (OF_ALL, "none"),
    "precision_all": (OF_ALL, "normal"),
    "density_all": (OF_ALL, "normal"),
    "coverage_all": (OF_ALL, "none"),
    "nearer_train_all": (OF_ALL, "normal"),
}

FIGURES = "../explanation/figures/"
# The page that explains each metric. It is found by the metric's id without the number and the set of its images.
FIGURE_PAGES = {
    "frechet_distance": ("ffd", "ffd_train", "frechet", "frechet_train"),
    "kernel_distance": ("kernel",),
    "precision_and_recall": ("precision", "recall"),
    "density_and_coverage": ("density", "coverage"),
    "patches": ("patches", "patches_scale1", "patches_scale2", "patches_scale4", "patches_scale8"),
    "diversity": ("diversity",),
    "within_classes": ("class_recall", "class_coverage"),
    "data_copying": ("copying", "closer_than_real", "nearer_train"),
    "gan_train_and_gan_test": ("gan_train", "gan_test"),
    "two_sample_test": ("two_sample",),
    "fid_kid_and_inception_score": ("fid", "fid_train", "kid", "is"),
}


class FromCode(SphinxDirective):
    """A directive whose content is MyST markdown that the code's own tables yield."""

    def run(self) -> list[nodes.Node]:
        self.state.document.settings.record_dependencies.add(__file__)
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def lines(self) -> Iterator[str]:
        raise NotImplementedError


class Settings(FromCode):
    """Each setting: name, what it does, type, unit, range, default by preset, and when it can be set."""

    def lines(self) -> Iterator[str]:
        for group, heading in GROUPS.items():
            yield from ("", f"## {heading}", "")
            for field in dataclasses.fields(Config):
                if field.metadata["group"] == group:
                    yield from self.describe(field)

    @classmethod
    def describe(cls, field: "dataclasses.Field[object]") -> Iterator[str]:
        name = str(field.type).removeprefix("<class '").removesuffix("'>").replace("|", "or")
        yield from (f"(setting-{field.name.replace('_', '-')})=", f"`{field.name}`")
        yield DEFINITION + field.metadata["text"]
        details = {
            "Type": name,
            "Unit": field.metadata["unit"],
            "Range": describe_range(field),
            "Default": cls.defaults(field),
        }
        facts = [f"{name}: {text}." for name, text in details.items() if text]
        yield from ("", "    " + " ".join([*facts, *cls.limits(field.name)]), "")

    @staticmethod
    def defaults(field: "dataclasses.Field[object]") -> str:
        """The default. If the presets have different ones, the default of each preset."""
        if field.name in READ_FROM_THE_DATA:
            return ""
        if field.name == "backend":
            return "`KERAS_BACKEND`, or the first that is installed"
        values = {preset: repr(settings.get(field.name, field.default)) for preset, settings in PRESETS.items()}
        if len(set(values.values())) == 1:
            return f"`{field.default!r}`"
        presets_of: dict[str, list[str]] = {}
        for preset, value in values.items():
            presets_of.setdefault(value, []).append(preset)
        return ", ".join(f"`{value}` ({', '.join(presets)})" for value, presets in presets_of.items())

    @staticmethod
    def limits(name: str) -> Iterator[str]:
        """Sentences that say when a setting cannot be set."""
        if name in READ_FROM_THE_DATA:
            yield "It cannot be set."
        if name in RESUMABLE:
            yield "A resumed run may change it."
        if name in SHARED_SETTINGS:
            yield "With `init_from` it must be that of the model."


class Presets(FromCode):
    """A table of the settings in which the presets differ."""

    def lines(self) -> Iterator[str]:
        names = next(iter(PRESETS.values())).keys()
        differ = [name for name in names if len({settings[name] for settings in PRESETS.values()}) > 1]
        yield from table(
            ["setting", *PRESETS],
            ([f"`{name}`", *(str(settings[name]) for settings in PRESETS.values())] for name in differ),
        )


class CommandLine(FromCode):
    """Each verb: its help, its arguments and options by group, and its examples."""

    def lines(self) -> Iterator[str]:
        for heading, verbs in VERBS.items():
            yield from ("", f"## {heading}", "")
            for verb in verbs:
                yield from self.describe(verb)

    @staticmethod
    def describe(verb: click.Command) -> Iterator[str]:
        context = click.Context(verb, info_name=f"fashion-gan {verb.name}", **app.context_settings)
        yield from ("", f"### {verb.name}", "")
        yield from ("```text", context.get_usage().removeprefix("Usage: "), "```", "")
        yield from inspect.cleandoc(verb.help or "").splitlines()
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in verb.get_params(context):
            record = parameter.get_help_record(context)
            # The usage line shows the arguments, and the page itself says that every verb has --help.
            if record and isinstance(parameter, Option):
                groups.setdefault(parameter.group, []).append(record)
        for group, records in groups.items():
            yield from ("", f"**{group}**", "")
            for flags, text in records:
                yield from (f"`{flags}`", DEFINITION + escaped(" ".join(text.split())), "")
        examples = getattr(verb, "examples", ())
        if examples:
            yield from ("", "**Examples**", "", "```bash", *examples, "```", "")


class Metrics(FromCode):
    """A table of Fashion-MNIST's metrics: id, name, direction, number of images, real images, and the interval."""

    def lines(self) -> Iterator[str]:
        assert METRIC_FACTS.keys() | PICTURE_FACTS.keys() | ALL_FACTS.keys() == METRICS.keys()
        measured = read_metric_values(json.loads(SHIPPED_METRICS.read_text()))
        rows = []
        for name, (protocol, interval) in METRIC_FACTS.items():
            info = METRICS[name]
            count = f"{PROTOCOLS[protocol].count:,}"
            baseline = info.show(measured[name].real_baseline) if name in measured else "not measured"
            rows.append([f"`{name}`", info.title, info.direction, count, baseline.replace("-", "−"), interval])
        yield from table(["id", "name", "direction", "images", "real images", "95% interval"], rows)


class MetricMeanings(FromCode):
    """The meaning of each of Fashion-MNIST's metrics, its protocol, and its page."""

    def lines(self) -> Iterator[str]:
        yield from meanings(METRIC_FACTS)


class PictureMetrics(FromCode):
    """A table of the metrics for pictures of any kind: id, name, direction, protocol, and the interval."""

    def lines(self) -> Iterator[str]:
        yield from table(
            ["id", "name", "direction", "protocol", "95% interval"],
            (
                [f"`{name}`", METRICS[name].title, METRICS[name].direction, f"`{protocol}`", interval]
                for name, (protocol, interval) in PICTURE_FACTS.items()
            ),
        )


class PictureMetricMeanings(FromCode):
    """The meaning of each metric for pictures of any kind, its protocol, and its page."""

    def lines(self) -> Iterator[str]:
        yield from meanings(PICTURE_FACTS)


class MetricsOfAllImages(FromCode):
    """The meaning of each metric of all images, and its page."""

    def lines(self) -> Iterator[str]:
        yield from meanings(ALL_FACTS)


def meanings(facts: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """A list of metrics with their meanings, protocols and pages."""
    for name, (protocol, _) in facts.items():
        info = METRICS[name]
        yield from (f"`{name}`: {info.title}", DEFINITION + info.description, "")
        yield from (f"    {info.direction.capitalize()}. Protocol: `{protocol}`.{link_to_page(name)}", "")


def link_to_page(metric: str) -> str:
    """A sentence with a link to the page that explains a metric. Empty for the metrics of Fashion-MNIST's classes."""
    idea = re.sub(r"\d+k(_test)?|_all", "", metric)
    pages = [page for page, ideas in FIGURE_PAGES.items() if idea in ideas]
    assert pages or METRIC_FACTS[metric][0] == "classes10k", metric
    return "".join(f" [Idea, formula, and when it lies]({FIGURES}{page}.md)." for page in pages)


class Protocols(FromCode):
    """A table of the protocols for Fashion-MNIST."""

    def lines(self) -> Iterator[str]:
        yield from table(
            ["protocol", "images", "compared with", "needs", "needs classes", "in the sets"],
            (
                [
                    f"`{protocol.name}`",
                    "all" if protocol.of_all else f"{protocol.count:,}",
                    COMPARED_WITH[protocol.name],
                    EXTRAS[protocol.needs],
                    "yes" if protocol.needs_labels else "no",
                    sets_with(protocol.name, SETS),
                ]
                for protocol in PROTOCOLS.values()
            ),
        )


class PictureProtocols(FromCode):
    """A table of the protocols for pictures of any kind."""

    def lines(self) -> Iterator[str]:
        facts = {**PICTURE_FACTS, **ALL_FACTS}
        yield from table(
            ["protocol", "metrics", "pictures", "compared with", "needs", "in the sets"],
            (
                [
                    f"`{name}`",
                    ", ".join(f"`{metric}`" for metric, (protocol, _) in facts.items() if protocol == name),
                    "all" if kind.of_all else "N, at most M" if kind.at_most_real else "N",
                    PICTURES_COMPARED_WITH[name],
                    ", ".join(self.needs(kind)),
                    sets_with(name, PICTURE_SETS),
                ]
                for name, kind in KINDS.items()
            ),
        )

    @staticmethod
    def needs(kind: Kind) -> Iterator[str]:
        yield EXTRAS[kind.needs]
        if kind.needs_labels:
            yield "classes"
        if kind.needs_held_out:
            yield "held-out pictures"
        if kind.of_all:
            yield "shards"


def sets_with(protocol: str, sets: Mapping[str, Collection[str]]) -> str:
    """The names of the sets that hold a protocol."""
    return ", ".join(f"`{name}`" for name, members in sets.items() if protocol in members) or "none"


class RenamedSettings(FromCode):
    """A table of the settings that have another name in version 0.1.0."""

    def lines(self) -> Iterator[str]:
        yield from table(
            ["name in 0.1.0", "name now"], ([f"`{old}`", f"`{new}`"] for old, new in RENAMED_SETTINGS.items())
        )


class Formats(FromCode):
    """A table of the export formats: what is written, and the packages that the format needs by Keras backend."""

    def lines(self) -> Iterator[str]:
        yield from table(
            ["format", "what is written", "Keras on", "packages"],
            (
                [
                    f"`{name}`",
                    f"a folder: {', '.join(f'`{file}`' for file in row.folder_files)}"
                    if row.folder_files
                    else f"a `{row.suffix}` file",
                    ", ".join(row.packages),
                    self.packages(row.packages),
                ]
                for name, row in FORMATS.items()
            ),
        )

    @staticmethod
    def packages(by_backend: Mapping[str, tuple[str, ...]]) -> str:
        """The packages, once if all backends need the same ones."""
        if len(set(by_backend.values())) == 1:
            return ", ".join(next(iter(by_backend.values()))) or "none"
        return "; ".join(f"{backend}: {', '.join(names)}" for backend, names in by_backend.items())


class Modules(FromCode):
    """A table of the modules, in the order of their names, with the first sentence of each docstring."""

    def lines(self) -> Iterator[str]:
        package = Path(fashion_gan.__file__).parent
        modules = sorted(set(package.rglob("*.py")) - set(notebooks.sources()))
        yield from table(["module", "what it does"], (self.row(path, package) for path in modules))

    @staticmethod
    def row(path: Path, package: Path) -> list[str]:
        parts = path.relative_to(package).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
        return [f"`{'.'.join(('fashion_gan', *parts))}`", " ".join(text.replace("``", "`").split())]


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield from ("", f"| {' | '.join(head)} |", "|---" * len(head) + "|")
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
    yield ""


def escaped(text: str) -> str:
    """A text whose special characters Markdown shows as they are."""
    return text.replace("|", "\\|").replace("[", "\\[").replace("*", "\\*").replace("<", "&lt;")


def setup(app: Sphinx) -> dict[str, bool]:
    for directive in FromCode.__subclasses__():
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in directive.__name__)
        app.add_directive(words.lstrip("-"), directive)
    return {"parallel_read_safe": True}
