"""A small language for statements about results: ``dice("unet", 0.8) < dice("linknet", 0.8)``.

It looks like Python and is read by Python's parser, but nothing is ever run as Python: each kind of
node is either translated here or refused.

- results: ``dice``, ``jaccard``, ``precision``, ``recall`` of (method, fraction), each also with
  ``_sd`` (sample standard deviation over seeds) and ``_range`` (largest minus smallest seed);
  ``ssim``, ``lpips``, ``fsim``, ``l1`` of (pretext);
- numbers: ``+ - * /``, ``abs``, ``min``, ``max``, ``mean``;
- statements: ``< <= > >=``, ``and``, ``or``, ``not``, ``all``, ``any``;
- repetition inside a call: ``all(dice("a", f) > dice("b", f) for f in (0.1, 0.2))``.

A statement has a *margin*: the amount by which it holds, negative where it fails. Of a comparison
it is the difference of the sides, of ``and`` the smallest, of ``or`` the largest of the parts'. How
surely a statement holds is asked of its comparisons (:attr:`Expression.parts`) one by one, because
the smallest of several uncertain margins is lower on average than the margin that is the smallest.
"""

import ast
import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SEGMENTATION = tuple(
    metric + suffix
    for metric in ("dice", "jaccard", "precision", "recall")
    for suffix in ("", "_sd", "_range")
)
PRETEXT = ("ssim", "lpips", "fsim", "l1")
#: Characters of an expression.
LONGEST = 2000

#: What a result is looked up with: the metric's name and its arguments.
Lookup = Callable[[str, tuple[Any, ...]], Any]
Variables = dict[str, Any]


class Misread(Exception):
    """An expression is not in the language; the message says what is wrong with it."""


@dataclass(frozen=True)
class Interval:
    """All numbers from ``low`` to ``high``; arithmetic returns all numbers that can come out."""

    low: float
    high: float

    @classmethod
    def of(cls, value: "Interval | float") -> "Interval":
        """Take a number for the interval that holds it alone."""
        return value if isinstance(value, Interval) else cls(float(value), float(value))

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __abs__(self) -> "Interval":
        least = 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
        return Interval(least, max(abs(self.low), abs(self.high)))

    def __add__(self, other: "Interval | float") -> "Interval":
        other = Interval.of(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Interval | float") -> "Interval":
        return self + -Interval.of(other)

    def __mul__(self, other: "Interval | float") -> "Interval":
        other = Interval.of(other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: "Interval | float") -> "Interval":
        other = Interval.of(other)
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError
        return self * Interval(1 / other.high, 1 / other.low)

    def __radd__(self, other: float) -> "Interval":
        return self + other

    def __rsub__(self, other: float) -> "Interval":
        return -self + other

    def __rmul__(self, other: float) -> "Interval":
        return self * other

    def __rtruediv__(self, other: float) -> "Interval":
        return Interval.of(other) / self


@dataclass(frozen=True)
class Comparison:
    """A statement without parts; ``margin`` computes by how much it holds."""

    margin: Callable[[Lookup], Any]

    def __neg__(self) -> "Comparison":
        return Comparison(lambda lookup: -self.margin(lookup))


@dataclass(frozen=True)
class Joined:
    """A statement of two or more parts.

    Attributes:
        every: whether all of them must hold; else one is enough.
        parts: none of them joined in the same way.
    """

    every: bool
    parts: tuple["Comparison | Joined", ...]

    def margin(self, lookup: Lookup) -> Any:
        """Compute the smallest or the largest of the parts' margins."""
        join = _smallest if self.every else _largest
        return join(*(part.margin(lookup) for part in self.parts))

    def __neg__(self) -> "Joined":
        return Joined(not self.every, tuple(-part for part in self.parts))


Statement = Comparison | Joined


@dataclass(frozen=True)
class Expression:
    """A statement or a number that has been read; ``value`` computes it.

    Attributes:
        text: as written.
        parts: the statement; None of a number.
    """

    text: str
    parts: Statement | None
    _compute: Callable[[Lookup, Variables], Any]

    @property
    def is_statement(self) -> bool:
        """Whether it compares, so that its value is a margin."""
        return self.parts is not None

    def value(self, lookup: Lookup) -> Any:
        """Compute with results: numbers, :class:`Interval` or arrays (resamples,) of them."""
        return self.parts.margin(lookup) if self.parts else self._compute(lookup, {})


def read(text: str) -> Expression:
    """Read an expression.

    Raises:
        Misread: it is not in the language.
    """
    if len(text) > LONGEST:
        raise Misread(f"it has {len(text)} characters; up to {LONGEST} are read")
    try:
        is_statement, compute = _read(ast.parse(text.strip(), mode="eval").body, {})
        parts = compute(_no_results, {}) if is_statement else None
    except SyntaxError as error:
        raise Misread(f"{text!r} cannot be read: {error.msg}") from None
    except (ValueError, OverflowError, RecursionError):
        raise Misread(f"{text!r} holds a number or a nesting that is too large") from None
    return Expression(text, parts, compute)


def _no_results(name: str, arguments: tuple[Any, ...]) -> Any:
    raise AssertionError(f"{name} was looked up while its statement was read")


#: What reading returns: whether it is a statement, and how to compute it. That of a statement looks
#: nothing up: it returns a Statement, whose comparisons do when they are asked for margins.
Part = tuple[bool, Callable[[Lookup, Variables], Any]]
ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _smaller(a: Any, b: Any) -> Any:
    if isinstance(a, Interval) or isinstance(b, Interval):
        a, b = Interval.of(a), Interval.of(b)
        return Interval(min(a.low, b.low), min(a.high, b.high))
    return np.minimum(a, b)


def _smallest(*values: Any) -> Any:
    return functools.reduce(_smaller, values)


def _largest(*values: Any) -> Any:
    return -_smallest(*(-value for value in values))


def _every(*parts: Statement) -> Statement:
    return _joined(True, parts)


def _either(*parts: Statement) -> Statement:
    return _joined(False, parts)


def _joined(every: bool, parts: tuple[Statement, ...]) -> Statement:
    flat: list[Statement] = []
    for part in parts:
        alike = isinstance(part, Joined) and part.every == every
        flat += part.parts if alike else [part]
    return Joined(every, tuple(flat)) if len(flat) > 1 else flat[0]


def _mean(*values: Any) -> Any:
    return functools.reduce(operator.add, values) / len(values)


#: Name → function, and whether it takes statements.
FUNCTIONS = {
    "min": (_smallest, False),
    "max": (_largest, False),
    "mean": (_mean, False),
    "abs": (abs, False),
    "all": (_every, True),
    "any": (_either, True),
}


def _read(node: ast.AST, variables: dict[str, type]) -> Part:
    """Translate a node; ``variables`` are the loop variables in force, with their types."""
    match node:
        case ast.Compare():
            return _comparison(node, variables)
        case ast.BoolOp(op=kind, values=values):
            join = _every if isinstance(kind, ast.And) else _either
            parts = [_of_kind(True, value, variables) for value in values]
            return True, lambda lookup, env: join(*(part(lookup, env) for part in parts))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            statement = isinstance(node.op, ast.Not)
            part = _of_kind(statement, operand, variables)
            return statement, lambda lookup, env: -part(lookup, env)
        case ast.BinOp(op=kind, left=left, right=right) if type(kind) in ARITHMETIC:
            apply = ARITHMETIC[type(kind)]
            a, b = _of_kind(False, left, variables), _of_kind(False, right, variables)
            return False, lambda lookup, env: apply(a(lookup, env), b(lookup, env))
        case ast.Call(func=ast.Name(id=name)) if not node.keywords:
            return _call(name, node.args, variables)
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            value = float(number)
            return False, lambda lookup, env: value
        case ast.Name(id=name) if variables.get(name) in (int, float):
            return False, lambda lookup, env: env[name]
        case ast.Name(id=name) if name not in variables:
            raise Misread(f"{name!r} is no variable here; names of methods stand in quotes")
    raise Misread(f"{ast.unparse(node)!r} has no meaning here")


def _of_kind(statement: bool, node: ast.AST, variables: dict[str, type]):
    is_statement, compute = _read(node, variables)
    if is_statement != statement:
        wanted, found = ("statement", "number") if statement else ("number", "statement")
        raise Misread(f"{ast.unparse(node)!r} is a {found} where a {wanted} belongs")
    return compute


def _comparison(node: ast.Compare, variables: dict[str, type]) -> Part:
    sides = [_of_kind(False, side, variables) for side in (node.left, *node.comparators)]
    rising = []
    for sign in node.ops:
        if not isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            raise Misread(f"{ast.unparse(node)!r} compares with something else than < <= > >=")
        rising.append(isinstance(sign, ast.Lt | ast.LtE))

    def part(place: int, env: Variables) -> Comparison:
        def margin(lookup: Lookup) -> Any:
            a, b = (sides[k](lookup, env) for k in (place, place + 1))
            return b - a if rising[place] else a - b

        return Comparison(margin)

    return True, lambda _, env: _every(*(part(place, env) for place in range(len(rising))))


def _call(name: str, arguments: list[ast.expr], variables: dict[str, type]) -> Part:
    if name in SEGMENTATION or name in PRETEXT:
        return False, _result(name, arguments, variables)
    if name not in FUNCTIONS:
        known = ", ".join((*SEGMENTATION[::3], *PRETEXT, *FUNCTIONS))
        raise Misread(f"{name!r} is no function here; known: {known}")
    function, statement = FUNCTIONS[name]
    if not arguments or (name == "abs" and len(arguments) > 1):
        raise Misread(f"{name} has {len(arguments)} arguments")
    if name == "abs" and isinstance(arguments[0], ast.GeneratorExp):
        raise Misread("abs takes one number and no loop")
    if len(arguments) == 1 and isinstance(arguments[0], ast.GeneratorExp):
        return statement, _loop(function, statement, arguments[0], variables)
    parts = [_of_kind(statement, argument, variables) for argument in arguments]
    return statement, lambda lookup, env: function(*(part(lookup, env) for part in parts))


def _loop(function, statement: bool, node: ast.GeneratorExp, variables: dict[str, type]):
    loop = node.generators[0]
    plain = len(node.generators) == 1 and not loop.ifs and not loop.is_async
    if not plain or not isinstance(loop.target, ast.Name):
        raise Misread(f"{ast.unparse(node)!r} is more than one plain 'for'")
    name = loop.target.id
    is_tuple = isinstance(loop.iter, ast.Tuple | ast.List) and loop.iter.elts
    values = [_constant(item, {}) for item in loop.iter.elts] if is_tuple else []
    if not values or len({isinstance(value({}), str) for value in values}) != 1:
        raise Misread(f"{ast.unparse(loop.iter)!r} is no list of numbers or of names in quotes")
    items = [value({}) for value in values]
    kind = str if isinstance(items[0], str) else float
    part = _of_kind(statement, node.elt, {**variables, name: kind})
    return lambda lookup, env: function(*(part(lookup, {**env, name: item}) for item in items))


def _result(name: str, arguments: list[ast.expr], variables: dict[str, type]):
    wanted = ("a pretext",) if name in PRETEXT else ("a method", "a fraction")
    kinds = (str,) if name in PRETEXT else (str, float)
    if len(arguments) != len(kinds):
        raise Misread(f"{name} wants {' and '.join(wanted)}, but has {len(arguments)} arguments")
    parts = []
    for argument, kind, what in zip(arguments, kinds, wanted, strict=True):
        part = _constant(argument, variables)
        sample = part({variable: of() for variable, of in variables.items()})
        if isinstance(sample, str) != (kind is str):
            form = "a name in quotes" if kind is str else "a number"
            raise Misread(f"{name} wants {what}, {form}, not {ast.unparse(argument)}")
        parts.append(part)
    return lambda lookup, env: lookup(name, tuple(part(env) for part in parts))


def _constant(node: ast.AST, variables: dict[str, type]) -> Callable[[Variables], Any]:
    match node:
        case ast.Constant(value=int() | float() | str() as value) if not isinstance(value, bool):
            return lambda env: value
        case ast.Name(id=name) if name in variables:
            return lambda env: env[name]
    raise Misread(f"{ast.unparse(node)!r} is neither a number nor a name in quotes")
