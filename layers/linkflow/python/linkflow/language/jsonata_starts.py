"""Where in its document an expression's paths start: enough to find a name that is misspelt."""

from dataclasses import fields, is_dataclass

from jsonata2py.parser.ast_nodes import (
    ArraySubscript,
    AstNode,
    ChainExpr,
    FieldRef,
    ForceArray,
    GroupByExpr,
    PathExpr,
    PredicateExpr,
    SortExpr,
    TransformExpr,
)

Start = tuple[str, str | None]
"""The first name of a path, and the second where that is a name too."""


def starts(root: AstNode) -> frozenset[Start]:
    """(Behind a path's first step, and in what filters, sorts or groups it, names are looked for somewhere else.)"""
    found: set[Start] = set()
    waiting: list[object] = [root]
    while waiting:
        match waiting.pop():
            case FieldRef(name=name):
                found.add((name, None))
            case (
                PathExpr(steps=[FieldRef(name=name), *others])
                | PathExpr(steps=[PredicateExpr(source=FieldRef(name=name)), *others])
            ):
                second = others[0].name if others and isinstance(others[0], FieldRef) else None
                found.add((name, second))
            case PathExpr(steps=[first, *_]) | ChainExpr(steps=[first, *_]):
                waiting.append(first)
            case (
                PredicateExpr(source=source)
                | ArraySubscript(source=source)
                | SortExpr(source=source)
                | GroupByExpr(source=source)
                | ForceArray(source=source)
                | TransformExpr(source=source)
            ):
                waiting.append(source)
            case list() as many:
                waiting.extend(many)
            case part if is_dataclass(part) and not isinstance(part, type):
                waiting.extend(getattr(part, field.name) for field in fields(part))
            case _:
                pass
    return frozenset(found)
