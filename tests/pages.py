"""The project's pages: their blocks of code, commands, links and headings."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
CARDS = sorted((ROOT / "src").rglob("pretrained/*/README.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCS, *CARDS, ROOT / "tools" / "card.md.jinja"]

_FENCED = re.compile(r"^([ ]*)```([^\n`]*)\n(.*?)^\1```[ ]*$", re.DOTALL | re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(?<!\\)\]\(\s*<?([^)\s>]+)>?[^)]*\)|\b(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^(#{1,6})[ ]+(.+?)[ ]*#*$", re.MULTILINE)


def name_of(page: Path) -> str:
    """The path of a page in the repository, as the name of its tests."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[tuple[str, str]]:
    """The language and the content of each block of code, indented ones too."""
    return [(language.strip(), textwrap.dedent(content)) for _, language, content in _FENCED.findall(text)]


def commands(text: str) -> list[str]:
    """The lines of the blocks of commands, without their comments. A line that ends in a backslash continues."""
    joined = "\n".join(content for language, content in blocks(text) if language == "bash").replace("\\\n", " ")
    lines = [re.sub(r"(^|\s+)#.*", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if line]


def programs(text: str) -> list[str]:
    """The blocks of Python code."""
    return [content for language, content in blocks(text) if language == "python"]


def words_of(command: str) -> list[str]:
    """The words of a command, without the environment variables before it."""
    words = shlex.split(command)
    while words and re.match(r"[A-Z]\w*=", words[0]):
        words.pop(0)
    return words


def code_spans(text: str) -> list[str]:
    """The pieces of code in sentences and tables."""
    return [content for _, content in _CODE_SPAN.findall(_FENCED.sub("", text))]


def links(text: str) -> list[str]:
    """The targets of links and pictures, except those on the web."""
    prose = _CODE_SPAN.sub("", _FENCED.sub("", text))
    targets = [markdown or html for markdown, html in _LINK.findall(prose)]
    return [target for target in targets if not re.match(r"(https?|mailto):", target)]


def anchors(text: str, deepest: int = 6) -> set[str]:
    """The names by which links find the headings down to a level. GitHub and MyST make them in the same way."""
    found: set[str] = set()
    for marks, heading in _HEADING.findall(_FENCED.sub("", text)):
        shown = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        number = next(number for number in range(1000) if (f"{slug}-{number}" if number else slug) not in found)
        if len(marks) <= deepest:
            found.add(f"{slug}-{number}" if number else slug)
    return found


def first_of_each_verb(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Each command, and whether it is the first of its verb."""
    seen: set[str] = set()
    for line in lines:
        verb = words_of(line)[1]
        yield line, verb not in seen
        seen.add(verb)
