"""Print constraints that pin each requirement to its lower bound, for ``make test-lowest``.

python tools/lower_bounds.py > lower-bounds.txt && pip install --constraint lower-bounds.txt ".[train]"
"""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lower_bounds(pyproject=PYPROJECT):
    """The lower bound of each requirement that applies to this system, by the package's name."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    bounds = {}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate():
            for specifier in requirement.specifier:
                if specifier.operator == ">=":
                    bounds[requirement.name] = specifier.version
    return bounds


if __name__ == "__main__":
    for name, version in sorted(lower_bounds().items()):
        print(f"{name}=={version}")
