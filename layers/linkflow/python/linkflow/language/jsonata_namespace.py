"""Everything that generated code can name: the metered library, our own functions, and a few harmless builtins.

Code that somehow named anything else would fail, and `jsonata.compile` refuses such code before it runs.
"""

from collections.abc import Mapping
from functools import cache
from types import FunctionType
from typing import Any, Final

import jsonata2py.runtime
from jsonata2py.errors import _RuntimeEvaluationError as Failed
from jsonata2py.runtime import core
from jsonata2py.runtime.values import MISSING, JLambda

from linkflow.language import jsonata_runtime as runtime
from linkflow.language.jsonata_fuel import current, metered, walked
from linkflow.language.jsonata_functions import OWN_FUNCTIONS, shuffle
from linkflow.language.jsonata_runtime import lambda_value
from linkflow.language.jsonata_tree import AWS_FUNCTIONS, LIBRARY_ONLY, OWN

_ONE_ARGUMENT: Final = """
    uppercase lowercase trim string number boolean not length exists keys count sum max min reverse distinct clone
    spread merge"""
"""Functions that are handed one argument when they are passed to `$map` and its like, whatever they accept."""

_WALKED: Final = """
    deep_equals descendant fn_assert fn_boolean fn_clone fn_distinct fn_error fn_not fn_string fn_transform in_
    json_encode_compact json_encode_pretty sanitize_for_string step_descendant to_text wildcard wildcard_context
    step_wildcard wildcard_final descendant_final"""
"""What touches every node below its arguments."""

_CHEAP: Final = """
    call_builtin_ctx div_d fn_apply_tco fn_arg_count_error fn_arity_error fn_exists fn_signature_error fn_throw fn_type
    force_array is_function is_lambda_token is_missing is_number is_regex is_regex_token missing mod_d mul_d neg_dn
    num_node num_val_l num_val_r num_wrap object_of object_of_distinct pack_args sig_t unwrap unwrap_cons
    keep_singleton"""
"""What takes the same time whatever it is given, or calls only what is metered itself."""

_REPLACED: Final = """
    field eq ne concat is_truthy range_ range_flatten regex_value lambda_value fn_apply fn_pipe spent"""
"""What `jsonata_runtime` does in the library's stead."""

_BUILTINS: Final = {"isinstance": isinstance, "list": list, "str": str, "len": len, "bool": bool, "float": float}


def resolve_binding(name: str) -> Any:
    plain = name.removeprefix(OWN)
    value = current().values.get(plain, MISSING)
    return _function_value(plain) if value is MISSING else value


def _function_value(name: str) -> Any:
    """A function as a value (`$map(x, $abs)`); what was never bound is undefined."""
    if name in AWS_FUNCTIONS or name == "shuffle":
        own = OWN_FUNCTIONS[name]
        return lambda_value(own.given, own.arity)
    known = MISSING if name in LIBRARY_ONLY else core.builtin_value(name)
    if not isinstance(known, JLambda):
        return known
    if name in _ONE_ARGUMENT.split():
        return lambda_value(walked(getattr(core, "fn_" + name)), 1)
    return lambda_value(walked(known.fn), known.arity)


def call_bound_function(name: str, arguments: list[Any]) -> Any:
    own = OWN_FUNCTIONS.get(name[1:]) if name.startswith(OWN) else None
    if own is None:
        raise Failed("T1006", "Attempted to invoke a non-function")
    return own(*arguments)


@cache
def namespace() -> Mapping[str, Any]:
    """The globals of generated code; copied for each expression, whose helpers join them."""
    names: dict[str, Any] = {}
    walking, cheap = set(_WALKED.split()), set(_CHEAP.split())
    for name in jsonata2py.runtime.__all__:
        value = getattr(jsonata2py.runtime, name)
        if name in walking:
            names[name] = walked(value)
        elif isinstance(value, FunctionType) and name not in cheap:
            names[name] = metered(value)
        else:
            names[name] = value
    for name in _REPLACED.split():
        names[name] = getattr(runtime, name)
    for bounded in (runtime.fn_join, runtime.fn_pad, runtime.fn_replace):
        names[bounded.__name__] = metered(bounded)
    own = (resolve_binding, call_bound_function)
    return (
        names | {function.__name__: function for function in own} | {"fn_shuffle": shuffle, "__builtins__": _BUILTINS}
    )
