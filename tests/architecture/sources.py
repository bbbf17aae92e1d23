"""The repository's own sources, as data for the tests that keep its shape."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "layers" / "linkflow" / "python" / "linkflow"
FUNCTIONS = ROOT / "functions"


@dataclass(frozen=True, slots=True)
class Import:
    """`module` as written: `linkflow.execution.events`."""

    path: Path
    line: int
    module: str


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (Import(path, node.lineno, name.name) for name in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield Import(path, node.lineno, module)
                yield from (Import(path, node.lineno, f"{module}.{name.name}") for name in names)
            case _:
                pass
