"""A stand-in for Gainsight PX's API: invented data and its ways of answering, on the engine ``feedloom.emulator``."""

from __future__ import annotations

from feedloom.vendors.aptrinsic.emulator.behaviour import BLUEPRINT

__all__ = ["BLUEPRINT"]
