"""Lets examples take their time: a busy machine makes single ones slow, and the timeout of the whole test is enough."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
