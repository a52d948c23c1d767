"""A stand-in for Refiner's API: invented data and Refiner's ways of answering, on the engine ``feedloom.emulator``."""

from __future__ import annotations

from feedloom.vendors.refiner.emulator.behaviour import BLUEPRINT

__all__ = ["BLUEPRINT"]
