from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One row of what `scripts/bench` prints: what was measured, in which unit, beside the floor it must keep."""

    load: str
    measured: str
    floor: str
    cpu: str = ""
