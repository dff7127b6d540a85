"""Print the README with full addresses, for a package index. There a link to a file of the repository leads nowhere.

python tools/index_readme.py https://github.com/OWNER/NAME > README.md
"""

import re
import sys
from pathlib import Path

from fashion_gan.version import __version__

README = Path(__file__).parents[1] / "README.md"
FENCED = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r'(!\[[^]]*\]\(|<img\b[^>]*?\bsrc=")(?!https?:)([^)"]+)')
LINK = re.compile(r'((?<!!)\[(?:!\[[^]]*\]\([^)]*\)|[^]])*\]\(|<a\b[^>]*?\bhref=")(?!https?:|mailto:|#)([^)"]+)')


def with_full_addresses(text: str, address: str, tag: str) -> str:
    """The text of a README whose links and pictures lead to a repository's files at a tag. Code stays as it is.

    Args:
        text: the README, with paths that are relative to the repository.
        address: the repository's address, ``https://github.com/OWNER/NAME``.
        tag: the tag or the branch that holds the files.
    """
    address = address.removesuffix("/").removesuffix(".git")
    parts = FENCED.split(text)
    for number in range(0, len(parts), 2):  # Each second part is a block of code.
        part = PICTURE.sub(rf"\g<1>{address}/raw/{tag}/\g<2>", parts[number])
        parts[number] = LINK.sub(rf"\g<1>{address}/blob/{tag}/\g<2>", part)
    return "".join(parts)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not re.fullmatch(r"https://[\w.-]+(/[\w.-]+){2,}/?", arguments[0]):
        print("index_readme.py: name the repository's address: https://github.com/OWNER/NAME", file=sys.stderr)
        return 2
    sys.stdout.write(with_full_addresses(README.read_text(encoding="utf-8"), arguments[0], f"v{__version__}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
