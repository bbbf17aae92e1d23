"""JSON as a type. User data is the one place where values are not records of ours."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""None, bool, int, float, str, list or dict of the same. Never mutated once handed over: values are shared freely."""
