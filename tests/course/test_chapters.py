"""Each chapter runs from top to bottom, its blanks give the right hints, and its answers pass the checks.

The modules ``chapter_N.py`` of this folder say how each chapter is shortened, and what must hold at its end.
"""

import ast
import importlib.util
import os
import re
from pathlib import Path

import pytest

from fashion_gan.course import notebooks

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("jupytext")
pytest.importorskip("ipykernel")

CHAPTERS = [path for path in notebooks.sources() if path.parent == notebooks.FOLDER]
FAST = "2"
CELL_SECONDS = 240
LONGEST_CELL, LONGEST_TEXT = 25, 8
EXERCISES = 3

# zmq and asyncio warn in the thread that talks to the kernel.
pytestmark = pytest.mark.filterwarnings("default")


def number(chapter: Path) -> str:
    return chapter.stem.split("_")[1]


def answers(chapter: Path) -> Path:
    return chapter.parent / "answers" / f"chapter_{number(chapter)}.py"


def settings(chapter: Path):
    """The module of this folder with PARAMETERS, HINTS and ASSERTS of a chapter."""
    spec = importlib.util.spec_from_file_location("settings", Path(__file__).with_name(f"chapter_{number(chapter)}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(source: Path, tag: str = "", kind: str = "code"):
    return [
        cell
        for cell in notebooks.notebook(source, "library").cells
        if cell.cell_type == kind and (not tag or tag in cell.metadata.get("tags", []))
    ]


def exercise_headings(source: Path) -> list[str]:
    texts = (cell.source for cell in cells(source, kind="markdown"))
    return [match[1] for text in texts if (match := re.match(r"## (Exercise \d\.\d: .+)", text))]


def shortened(chapter: Path, parameters: dict[str, object]):
    """The chapter and its answers as one notebook, with other values in the cell of parameters."""
    together = notebooks.notebook(chapter, "library")
    (cell,) = (cell for cell in together.cells if "parameters" in cell.metadata.get("tags", []))
    names = {target.id for node in ast.parse(cell.source).body for target in node.targets}
    assert set(parameters) <= names, "a shortened parameter is not one of the chapter"
    cell.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    together.cells += cells(answers(chapter))
    together.cells.append(nbformat.v4.new_code_cell(settings(chapter).ASSERTS))
    return together


def printed(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "chapter",
    [pytest.param(path, marks=[] if number(path) == FAST else pytest.mark.full, id=path.stem) for path in CHAPTERS],
)
def test_a_chapter_runs_its_blanks_give_hints_and_its_answers_are_correct(chapter, tmp_path):
    expected = settings(chapter)
    notebook = shortened(chapter, expected.PARAMETERS)
    client = nbclient.NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env={**os.environ, **notebooks.QUIET})

    blanks = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    solved = notebook.cells[-1 - len(cells(answers(chapter))) : -1]
    verdicts = re.findall(r"^(?:Correct|Not yet): .*$", "".join(map(printed, solved)), re.MULTILINE)
    for cell, hint in zip(blanks, expected.HINTS, strict=True):
        assert re.fullmatch(rf"Not yet: [^\n]+ Hint: [^\n]*{re.escape(hint)}[^\n]*\n", printed(cell))
    assert len(verdicts) >= EXERCISES
    assert not [line for line in verdicts if not line.startswith("Correct: ")]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
class TestForm:
    def test_a_chapter_has_one_cell_of_constants_that_the_tests_shorten(self, chapter):
        (cell,) = cells(chapter, "parameters")
        for node in ast.parse(cell.source).body:
            assert isinstance(node, ast.Assign)
            ast.literal_eval(node.value)

    def test_three_exercises_have_a_hint_blanks_a_check_and_an_answer(self, chapter):
        texts = [cell.source for cell in cells(chapter, kind="markdown") if cell.source.startswith("## Exercise ")]
        assert len(texts) == EXERCISES
        assert all("<details><summary>Hint</summary>" in text for text in texts)
        blanks = [cell.source for cell in cells(chapter, "exercise")]
        assert len(blanks) == EXERCISES
        assert all("..." in code and re.fullmatch(r"check\.\w+\(.*\)", code.splitlines()[-1]) for code in blanks)
        assert exercise_headings(chapter) == exercise_headings(answers(chapter))
        assert all("..." not in re.sub(r"\[\.\.\.", "", cell.source) for cell in cells(answers(chapter)))

    def test_cells_and_paragraphs_are_short(self, chapter):
        code = [cell.source for cell in cells(chapter)]
        assert not [text for text in code if len(text.splitlines()) > LONGEST_CELL]
        paragraphs = [part for cell in cells(chapter, kind="markdown") for part in cell.source.split("\n\n")]
        assert not [part for part in paragraphs if len(part.splitlines()) > LONGEST_TEXT]

    def test_a_prediction_is_asked_for_before_the_runs_and_the_result_is_explained(self, chapter):
        text = "\n".join(cell.source for cell in cells(chapter, kind="markdown"))
        sections = len(re.findall(r"^## \d\.\d ", text, re.MULTILINE))
        assert text.count("> **Predict.** ") >= sections >= 3
        assert text.count("**What happened.**") >= sections
        assert "**Questions that arise here**" in text

    def test_the_links_lead_to_files(self, chapter):
        for source in (chapter, answers(chapter)):
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", source.read_text(encoding="utf-8")):
                assert (source.parent / link).exists(), link

    def test_it_ends_with_the_library_and_the_glossary(self, chapter):
        text = chapter.read_text(encoding="utf-8")
        assert "# ## The same in the library" in text
        assert "](glossary.md)" in text
        assert notebooks.linked_modules(chapter)


def test_the_shown_notebooks_are_those_of_the_chapters():
    import make_course

    assert not [str(notebooks.place(source)) for source in notebooks.sources() if not make_course.is_current(source)]


def test_a_chapter_that_does_not_exist_is_refused(monkeypatch, capsys):
    import make_course

    monkeypatch.setattr("sys.argv", ["make_course.py", "9"])
    with pytest.raises(SystemExit):
        make_course.main()
    assert "there is no chapter 9: the chapters are 1 to 7" in capsys.readouterr().err


def test_a_changed_chapter_is_noticed(tmp_path, monkeypatch):
    import make_course

    source = CHAPTERS[-1]
    written = nbformat.read(make_course.DOCS / notebooks.place(source), as_version=4)
    written.cells[-1].source += " changed"
    nbformat.write(written, tmp_path / notebooks.place(source))
    monkeypatch.setattr(make_course, "DOCS", tmp_path)
    assert not make_course.is_current(source)


def test_new_text_keeps_the_outputs_and_new_code_needs_a_run(tmp_path, monkeypatch):
    import make_course

    source = CHAPTERS[-1]
    path = tmp_path / notebooks.place(source)
    written = nbformat.read(make_course.DOCS / notebooks.place(source), as_version=4)
    outputs = [cell.outputs for cell in written.cells if cell.cell_type == "code"]
    written.cells[0].source += " old"
    nbformat.write(written, path)
    monkeypatch.setattr(make_course, "DOCS", tmp_path)
    make_course.renew_text(source)
    renewed = nbformat.read(path, as_version=4)
    assert make_course.is_current(source)
    assert [cell.outputs for cell in renewed.cells if cell.cell_type == "code"] == outputs
    next(cell for cell in written.cells if cell.cell_type == "code").source += "\npass"
    nbformat.write(written, path)
    with pytest.raises(SystemExit, match="its code has changed"):
        make_course.renew_text(source)
