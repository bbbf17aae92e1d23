"""How a merge combines outputs, in JSONata. `$input` is bound to the object of outputs by node id."""

from typing import Final

_LISTS: Final = '$lists := [$map([$keys($input)], function($key) { {"items": $append([], $lookup($input, $key))} })]'
_ITEMS: Final = "$reduce([$keys($input)], function($all, $key) { $append($all, $lookup($input, $key)) }, [])"


def appended(source: str) -> str:
    return f"($input := {source}; {_ITEMS})"


def unmergeable(source: str) -> str:
    """Whether something is there that is no object."""
    return f'($input := {source}; $count({_ITEMS}[$type($) != "object"]) > 0)'


def by_position(source: str) -> str:
    longest = "$max([0, $lists.$count(items)])"
    one = "$merge([$lists.($items := items; $items[$at])])"
    return f"($input := {source}; {_LISTS}; [$map([0..{longest} - 1], function($at) {{ {one} }})])"


def by_key(source: str, key: str) -> str:
    """Objects with the same value under the key become one, in the order in which the values first appear. A text and a
    number that read the same are two values, and what has none is like null."""
    value = f'($value := $lookup($, {key}); $exists($value) ? $type($value) & $string($value) : "nullnull")'
    groups = f"$items{{{value}: $merge([$])}}"
    listed = f"$count($items) = 0 ? [] : [$each({groups}, function($one) {{ $one }})]"
    return f"($input := {source}; $items := {_ITEMS}; {listed})"
