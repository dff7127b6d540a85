"""Directives that write reference pages from the code, so that they cannot disagree with it.

```{settings}          every setting of Config, by group
```{command-line}      every verb of fashion-gan with its options
```{metrics}           every metric
```{protocols}         every protocol
```{presets}           every preset's settings
```{modules}           every module of the package
"""

import ast
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import fashion_gan
from fashion_gan.cli import VERBS, app
from fashion_gan.config import GROUPS, PRESETS, Config, describe_range
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.protocols import PROTOCOLS, SETS

DEFINITION = ":   "
"""MyST's mark of a definition's first line."""

EXTRAS = {"": "the base install", "keras": "extra `train`, `gpu` or `torch`", "torch_fidelity": "extra `inception`"}
"""The extra that installs each module that a protocol can need."""


class FromCode(SphinxDirective):
    """A directive whose content is MyST markdown that the code's own tables yield."""

    def run(self) -> list[nodes.Node]:
        self.state.document.settings.record_dependencies.add(__file__)
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def lines(self) -> Iterator[str]:
        raise NotImplementedError


class Settings(FromCode):
    """Each setting: name, type, what it does, unit, range, default, and the presets with another default."""

    def lines(self) -> Iterator[str]:
        for group, heading in GROUPS.items():
            yield from ("", f"## {heading}", "")
            for field in dataclasses.fields(Config):
                if field.metadata["group"] == group:
                    yield from self.describe(field)

    @staticmethod
    def describe(field: "dataclasses.Field[object]") -> Iterator[str]:
        name = str(field.type).removeprefix("<class '").removesuffix("'>").replace("|", "or")
        yield from (f"(setting-{field.name.replace('_', '-')})=", f"`{field.name}` ({name})")
        yield DEFINITION + field.metadata["text"]
        others = [
            f"{preset} `{settings[field.name]!r}`"
            for preset, settings in PRESETS.items()
            if settings.get(field.name, field.default) != field.default
        ]
        details = [
            f"Unit: {field.metadata['unit']}." if field.metadata["unit"] else "",
            f"Allowed: {describe_range(field)}." if describe_range(field) else "",
            f"Default: `{field.default!r}`." if field.name != "backend" else "Default: the first that is installed.",
            f"Presets with another default: {', '.join(others)}." if others else "",
        ]
        yield from ("", "    " + " ".join(filter(None, details)), "")


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
        yield from (verb.help or "").splitlines()
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in verb.get_params(context):
            record = parameter.get_help_record(context)
            if record and isinstance(parameter, click.Option):  # The usage line shows the arguments.
                groups.setdefault(getattr(parameter, "group", "Other options"), []).append(record)
        for group, records in groups.items():
            yield from ("", f"**{group}**", "")
            for flags, text in records:
                yield from (f"`{flags}`", DEFINITION + escaped(" ".join(text.split())), "")
        examples = getattr(verb, "examples", ())
        if examples:
            yield from ("", "**Examples**", "", "```bash", *examples, "```", "")


class Metrics(FromCode):
    """Each metric: its id, title, direction and meaning."""

    def lines(self) -> Iterator[str]:
        for name, info in METRICS.items():
            yield from (f"`{name}`: {info.title}", f"{DEFINITION}*{info.direction}.* {info.description}", "")


class Protocols(FromCode):
    """A table of the protocols."""

    def lines(self) -> Iterator[str]:
        yield from table(
            ["protocol", "images", "needs", "needs classes", "in the sets"],
            (
                [
                    f"`{protocol.name}`",
                    f"{protocol.count:,}",
                    EXTRAS[protocol.needs],
                    "yes" if protocol.needs_labels else "no",
                    ", ".join(f"`{name}`" for name, members in SETS.items() if protocol.name in members),
                ]
                for protocol in PROTOCOLS.values()
            ),
        )


class Modules(FromCode):
    """A table of the modules, in the order of their names, with the first sentence of each docstring."""

    def lines(self) -> Iterator[str]:
        package = Path(fashion_gan.__file__).parent
        yield from table(
            ["module", "what it does"], (self.row(path, package) for path in sorted(package.rglob("*.py")))
        )

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
    for directive in (Settings, Presets, CommandLine, Metrics, Protocols, Modules):
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in directive.__name__)
        app.add_directive(words.lstrip("-"), directive)
    return {"parallel_read_safe": True}
