"""The Amazon States Language as a dialect of the core. `compile_asl` is all that the rest needs to know."""

from linkflow.language.asl.compile import compile_asl

__all__ = ["compile_asl"]
