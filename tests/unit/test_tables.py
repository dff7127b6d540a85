"""Tables for the terminal, and text in Markdown."""

import pytest

from fashion_gan.rendering.tables import escape_markdown, format_table, markdown_code


def test_columns_are_aligned_whatever_the_script_of_their_text():
    rows = [["class", "n"], ["服\u3000装", "1"], ["cafe\u0301", "2"], ["Robe\u00a0rouge", "3"]]
    assert format_table(rows, "lr").splitlines() == [
        "class       n",
        "服\u3000装      1",
        "cafe\u0301        2",
        "Robe\u00a0rouge  3",
    ]


@pytest.mark.parametrize(
    "text", ["T-shirt/top", "Ankle boot", "Robe\u00a0rouge", "服装", "No. 5 (new)!", "1+1=2", "#3"]
)
def test_markdown_leaves_ordinary_names_as_they_are(text):
    assert escape_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\](y)"),
        ("**bold** _it_ `code`", r"\*\*bold\*\* \_it\_ \`code\`"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("&lt;", "&amp;lt;"),
        ("\\|", r"\\\|"),
        ("https://evil.example", r"https\://evil.example"),
        ("WWW.evil.example", r"WWW\.evil.example"),
        ("me@evil.example", r"me\@evil.example"),
        ("$x$ ~~no~~", r"\$x\$ \~\~no\~\~"),
        ("two\nlines\u2028three", "two lines three"),
    ],
)
def test_markdown_shows_every_text_as_it_is(text, expected):
    assert escape_markdown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("model", "`model`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("a\nb", "`a b`"), ("<i>|", "`<i>|`")],
)
def test_code_in_markdown_holds_every_text(text, expected):
    assert markdown_code(text) == expected
