"""Loads f and g: what one execution costs that is very long or very wide, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from typing import Any

from scripts.benchmarks.line import Line
from scripts.benchmarks.long_ones import LONG, MANY, WIDE
from scripts.benchmarks.server import Server

_STORES = {"memory": False, "file": True}
_MEGABYTE = 1_000_000


def _alone(*given: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.benchmarks.alone", *given]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    if told.get("status", "succeeded") != "succeeded":
        raise SystemExit(f"{given}: {told}")
    return told


async def long(_: Server) -> list[Line]:
    """(f) Ten thousand durable tasks, one after the other, in one execution."""
    lines = []
    for load in LONG:
        for store, on_disk in _STORES.items():
            with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as data:
                lines += _long_lines(f"f  {load}, {store}", _alone("run", load, *([data] if on_disk else [])))
    return lines


def _long_lines(load: str, told: dict[str, Any]) -> list[Line]:
    first, last, cpu = told["first"] * 1000, told["last"] * 1000, f"{told['cpu'] / MANY * 1e6:.0f} µs a state"
    size = f"{told['bytes'] / MANY:.0f} B a state, largest turn {told['largest']:,} B"
    core = f"core {told['core'] * 1e6:.0f} µs a turn; load again {told['load'] * 1000:.1f} ms"
    return [
        Line(load, f"{first:.2f} ms, last hundred {last:.2f} ms: × {last / first:.2f}", "× ≤ 1.2", cpu),
        Line("", core, "≤ 150 µs"),
        Line("", f"{size}; peak +{told['peak']:.0f} MB", ""),
    ]


async def wide(_: Server) -> list[Line]:
    """(g) Ten thousand items in one Map or loop, with a durable task each or with pure steps alone."""
    lines = []
    for load in WIDE:
        for store, on_disk in _STORES.items():
            with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as data:
                told = _alone("run", load, *([data] if on_disk else []))
                lines += _wide_lines(f"g  {load}, {store}", told)
                if on_disk and told["turns"] > 1:
                    half = _alone("load", data, str(told["turns"] // 2), told["execution"])
                    lines.append(_half_line(half))
    return lines


def _wide_lines(load: str, told: dict[str, Any]) -> list[Line]:
    seconds, whole = told["seconds"], told["idle"] + told["peak"]
    rate = f"{seconds:.1f} s, {MANY / seconds:,.0f} items/s, {told['turns']} turns"
    written = f"{told['bytes'] / _MEGABYTE:.1f} MB written, largest {told['largest'] / _MEGABYTE:.2f} MB"
    return [
        Line(load, rate, "", f"{told['cpu'] / MANY * 1e6:.0f} µs an item"),
        Line("", f"peak {whole:.0f} MB (+{told['peak']:.0f}); {written}", "≤ 256 MB"),
    ]


def _half_line(half: dict[str, Any]) -> Line:
    whole = half["idle"] + half["peak"]
    measured = f"loaded in the middle: {half['seconds'] * 1000:.0f} ms, peak {whole:.0f} MB (+{half['peak']:.0f})"
    return Line("", measured, "≤ 256 MB", f"{half['scopes']} scopes")
