"""An expression's tree before it is translated: what it refers to, and the places where the library is steered.

The library compiles a parsed expression to Python. It knows built-in functions by name and resolves them before it
looks at bindings, so that a variable called `$count` could not be read; it unwraps sequences at once, where JSONata
keeps the sequence that a lambda's tail call returns; and it has functions that Step Functions does not (`$eval`,
`$values`). Names that we answer ourselves get the prefix `@`, which no source text can spell: the translator takes them
for unknown functions and asks `jsonata_namespace`. What the library takes too long to read is refused first.
"""

import re
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, Final, cast

from jsonata2py.parser.ast_nodes import (
    AstNode,
    Block,
    CoalesceExpr,
    ConditionalExpr,
    ContextBinding,
    ElvisExpr,
    FieldRef,
    FunctionCall,
    Lambda,
    Parenthesized,
    PartialApplication,
    PathExpr,
    PositionBinding,
    RegexLiteral,
    VariableBinding,
    VariableRef,
)
from jsonata2py.parser.lexer import Lexer
from jsonata2py.parser.parser import BUILTIN_NAMES, Parser
from jsonata2py.parser.tokens import TokenType

OWN: Final = "@"
"""Prefix of the names that `jsonata_runtime` answers."""

SEEDED: Final = frozenset({"random", "uuid", "shuffle"})
"""Functions whose results come from the seed."""

AWS_FUNCTIONS: Final = frozenset({"partition", "range", "hash", "random", "uuid", "parse"})
"""What Step Functions adds (developer guide, "Transforming data with JSONata")."""

FUNCTIONS: Final = (frozenset(BUILTIN_NAMES) | AWS_FUNCTIONS) - {"eval", "typeOf", "parseNumber"}
"""Every function that an expression may call without binding it."""

SEQUENCES: Final = {"map": 2, "filter": 2, "each": 2, "match": 2, "lookup": 2, "keys": 1, "spread": 1}
"""Functions that answer with a sequence, and how many arguments they need to do without the context value."""

LIBRARY_ONLY: Final = frozenset({"eval", "values", "flatten"})
"""Functions that the library has and Step Functions has not."""

_ANSWERED: Final = AWS_FUNCTIONS | LIBRARY_ONLY


LONGEST_SOURCE: Final = 32_768
"""Characters of one expression."""

MOST_STEPS: Final = 1_000
"""Dots in one expression: the library parses a path in quadratic time."""

DEEPEST_CALLBACKS: Final = 5
"""Levels of `$map(a, <a function that is computed>)` in one another: the library translates each level twice."""

MOST_REPEATS: Final = 10_000
"""Product of the counts in a regular expression: it takes memory for each."""

_COUNT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_CALLBACKS: Final = frozenset({"map", "filter", "single", "sift", "each", "sort", "reduce"})


class Unreadable(Exception):
    """An expression that we do not take, though the library might: JSONata's code and words for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parsed(source: str) -> AstNode:
    """The source's tree. Raises `Unreadable`, or what the library raises."""
    if len(source) > LONGEST_SOURCE:
        raise Unreadable("S0500", f"An expression has at most {LONGEST_SOURCE:,} characters")
    if source.count(".") > MOST_STEPS:
        raise Unreadable("S0500", f"An expression has at most {MOST_STEPS:,} steps")
    if source.count("@") + source.count("#") > 2:
        _refuse_chained_bindings(source)
    return Parser.parse(source)


def _refuse_chained_bindings(source: str) -> None:
    """`a@$b@$c@$d` sends the library's parser (0.1.3) round for ever."""
    run = 0
    tokens = Lexer.tokenize(source)
    for token, following in pairwise(tokens):
        if token.type in {TokenType.AT, TokenType.HASH} and following.type is TokenType.VARIABLE:
            run += 1
            if run > 2:
                raise Unreadable("S0215", "A context variable binding must precede any predicates on a step")
        elif token.type is not TokenType.VARIABLE:
            run = 0


class Tree:
    """An expression read once: `root` is ready for the translator, the rest is what a checker wants to know.

    `references` are the names behind `$` that nothing in the expression binds, called or read; names of known functions
    only where they are read, since a variable may bear them. `states` are the names read below `$states`, with `*`
    where it is used in another way.
    """

    def __init__(self, root: AstNode) -> None:
        self.references: set[str] = set()
        self.states: set[str] = set()
        self.seeded = False
        self.timed = False
        self._callbacks = 0
        self._bound = {name for node in _nodes(root) for name in _binds(node)}
        self.root = self._read(root, tail=False)
        self.path = _plain_path(self.root)

    def _read(self, node: AstNode, *, tail: bool) -> AstNode:
        """The node as the translator shall see it. `tail`: its value is what a lambda returns."""
        match node:
            case VariableRef(name=name):
                if name == "states" and name not in self._bound:
                    self.states.add("*")
                return replace(node, name=self._variable(name))
            case FunctionCall(name=name) if node.is_variable:
                called = replace(node, args=self._arguments(name, node.args))
                return replace(called, name=self._function(name, len(node.args), tail=tail))
            case PartialApplication(name=name):
                args = self._arguments(name, node.args)
                return replace(node, name=self._function(name, 0, tail=False), args=args)
            case Lambda():
                params = [_spelled(name) for name in node.params]
                return replace(node, params=params, body=self._read(node.body, tail=True))
            case Block(expressions=[*first, last]):
                read = [self._read(expression, tail=False) for expression in first]
                return replace(node, expressions=[*read, self._read(last, tail=tail)])
            case Parenthesized():
                return replace(node, inner=self._read(node.inner, tail=tail))
            case ConditionalExpr():
                return replace(
                    node,
                    condition=self._read(node.condition, tail=False),
                    then=self._read(node.then, tail=tail),
                    otherwise=None if node.otherwise is None else self._read(node.otherwise, tail=tail),
                )
            case PathExpr(steps=[VariableRef(name="states"), FieldRef(name=below), *_]) if "states" not in self._bound:
                others = [self._read(step, tail=False) for step in node.steps[1:]]
                self.references.add("states")
                self.states.add(below)
                return replace(node, steps=[node.steps[0], *others])
            case ElvisExpr():
                raise Unreadable("S0211", 'The symbol ":" cannot be used as a unary operator')
            case CoalesceExpr():
                raise Unreadable("S0211", 'The symbol "?" cannot be used as a unary operator')
        return self._read_others(node)

    def _read_others(self, node: AstNode) -> AstNode:
        if isinstance(node, RegexLiteral):
            self.timed = True
            _refuse_large(node.pattern)
        if isinstance(node, VariableBinding):
            return replace(node, name=_spelled(node.name), value=self._read(node.value, tail=False))
        if isinstance(node, ContextBinding | PositionBinding):
            return replace(node, var_name=_spelled(node.var_name))
        changes = {field.name: self._each(getattr(node, field.name)) for field in fields(cast("Any", node))}
        return cast("AstNode", replace(cast("Any", node), **changes))

    def _each(self, part: object) -> object:
        """A field of a node: a node, a list of them, a key with its value, or a plain value."""
        if isinstance(part, AstNode):
            return self._read(part, tail=False)
        if isinstance(part, list):
            return [self._each(member) for member in part]
        if is_dataclass(part) and not isinstance(part, type):
            changes = {field.name: self._each(getattr(part, field.name)) for field in fields(part)}
            return replace(part, **changes)
        return part

    def _arguments(self, name: str, arguments: list[AstNode]) -> list[AstNode]:
        computed = name in _CALLBACKS and any(not isinstance(given, Lambda | VariableRef) for given in arguments[-1:])
        self._callbacks += computed
        if self._callbacks > DEEPEST_CALLBACKS:
            raise Unreadable("S0500", f"Computed functions are nested more than {DEEPEST_CALLBACKS} levels deep")
        read = [self._read(argument, tail=False) for argument in arguments]
        self._callbacks -= computed
        return read

    def _variable(self, name: str) -> str:
        if name in self._bound:
            return _spelled(name)
        self.references.add(name)
        self.seeded = self.seeded or name in SEEDED
        return OWN + name if name in FUNCTIONS or name in LIBRARY_ONLY else name

    def _function(self, name: str, arguments: int, *, tail: bool) -> str:
        if name in self._bound:
            return _spelled(name)
        self.seeded = self.seeded or name in SEEDED
        if name not in FUNCTIONS:
            self.references.add(name)
        if name in _ANSWERED or (tail and arguments >= SEQUENCES.get(name, arguments + 1)):
            return OWN + name
        return name


def _nodes(part: object) -> list[AstNode]:
    """Every node in and below `part`, without recursion: expressions may be deep."""
    found: list[AstNode] = []
    waiting = [part]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(current)
        elif is_dataclass(current) and not isinstance(current, type):
            if isinstance(current, AstNode):
                found.append(current)
            waiting.extend(getattr(current, field.name) for field in fields(current))
    return found


def _refuse_large(pattern: str) -> None:
    product = 1
    for least, most in _COUNT.findall(pattern):
        product *= max(1, int((most or least)[:9]))
    if product > MOST_REPEATS:
        raise Unreadable("S0500", f"A regular expression counts to at most {MOST_REPEATS:,} in all")


def _binds(node: AstNode) -> list[str]:
    match node:
        case VariableBinding():
            return [node.name]
        case ContextBinding() | PositionBinding():
            return [node.var_name]
        case Lambda():
            return list(node.params)
    return []


def _spelled(name: str) -> str:
    """A bound name as a Python identifier that Python will not fold with another one (it normalises to NFKC)."""
    return name if name.isascii() else "u_" + name.encode("utf-8", "surrogatepass").hex()


def _plain_path(root: AstNode) -> tuple[str, tuple[str, ...]] | None:
    """`$name.field.field`, the commonest expression, which needs no generated code: the variable and the fields."""
    steps = root.steps if isinstance(root, PathExpr) else [root]
    first, *others = steps
    if not isinstance(first, VariableRef) or first.name.startswith(OWN):
        return None
    names = [step.name for step in others if isinstance(step, FieldRef)]
    return (first.name, tuple(names)) if len(names) == len(others) else None
