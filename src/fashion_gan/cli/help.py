"""Help pages: options in groups under headings, summaries in full, and examples at the end."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

WIDEST_PAGE = 120
"""Columns of the widest help page. A narrower terminal sets the width itself."""

_WIDEST_FLAG = 26
"""Columns for flags. The help of a longer flag starts on the next line."""


class Option(click.Option):
    """An option that knows its group.

    Args:
        group: the heading that the help lists the option under.
    """

    def __init__(self, *arguments: Any, group: str = "Options", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.group = group

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The flags and their help. A switch is shown as ``--[no-]switch``, which takes less space."""
        record = super().get_help_record(ctx)
        if record is not None and self.secondary_opts:
            return f"--[no-]{self.opts[0].removeprefix('--')}", record[1]
        return record


class Verb(click.Command):
    """A command of fashion-gan.

    Args:
        examples: command lines that the help ends with. They are printed as they are.
        renamed: the present names of settings that were renamed, by their old names.
    """

    def __init__(
        self, *arguments: Any, examples: Sequence[str] = (), renamed: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples = tuple(examples)
        self.renamed = dict(renamed or {})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. If an option's old name is given, raise an error with the present name."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            prefix = "--no-" if error.option_name.startswith("--no-") else "--"
            old_name = error.option_name.removeprefix(prefix).replace("-", "_")
            if old_name not in self.renamed:
                raise
            flag = prefix + self.renamed[old_name].replace("_", "-")
            raise click.UsageError(f"{error.option_name} is now called {flag}", ctx) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                group = getattr(parameter, "group", "Other options" if groups else "Options")
                groups.setdefault(group, []).append((record[0], " ".join(record[1].split())))
        _write_groups(formatter, groups)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            write_lines(formatter, "Examples", self.examples)


class VerbGroup(click.Group):
    """The command ``fashion-gan``: its help lists the verbs under headings, each with its whole summary.

    Args:
        verbs: the verbs, by the heading that the help lists them under.
        notes: lines that the help ends with, by their heading. They are printed as they are.
    """

    def __init__(
        self,
        *arguments: Any,
        verbs: Mapping[str, Sequence[click.Command]],
        notes: Mapping[str, Sequence[str]],
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.verbs, self.notes = verbs, notes
        for group in verbs.values():
            for verb in group:
                self.add_command(verb)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs' names, in the order of the help."""
        return [str(verb.name) for group in self.verbs.values() for verb in group]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs, each with the first paragraph of its help."""
        rows = {
            heading: [(str(verb.name), _first_paragraph(verb)) for verb in group]
            for heading, group in self.verbs.items()
        }
        _write_groups(formatter, rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the notes."""
        for heading, lines in self.notes.items():
            write_lines(formatter, heading, lines)


def write_lines(formatter: click.HelpFormatter, heading: str, lines: Iterable[str]) -> None:
    """Write lines under a heading. They are not wrapped, so that they can be copied."""
    with formatter.section(heading):
        for line in lines:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _write_groups(formatter: click.HelpFormatter, groups: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Write tables of two columns under headings. The second column starts at the same place in all of them."""
    flags = [flag for rows in groups.values() for flag, _ in rows]
    column = 2 + max((len(flag) for flag in flags if len(flag) <= _WIDEST_FLAG), default=0)
    for heading, rows in groups.items():
        with formatter.section(heading):
            indent = " " * formatter.current_indent
            for flag, text in rows:
                first, *others = _wrap(text, formatter.width - len(indent) - column) or [""]
                too_wide = len(flag) > column - 2
                lines = [flag, " " * column + first] if too_wide else [flag.ljust(column) + first]
                lines += [" " * column + line for line in others]
                formatter.write("".join(f"{indent}{line}".rstrip() + "\n" for line in lines))


def _wrap(text: str, width: int) -> list[str]:
    """Break a text into lines between words only: never within ``leaky-minimax`` or ``default: 64``."""
    defaults_kept_together = re.sub(r"\[[^]]*\]$", lambda match: match[0].replace(": ", ":\xa0"), text)
    lines = textwrap.wrap(defaults_kept_together, width, break_on_hyphens=False, break_long_words=False)
    return [line.replace("\xa0", " ") for line in lines]


def _first_paragraph(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())
