"""feedloom loads Refiner and Gainsight PX into your own database, complete and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedloom.sources import aptrinsic_source, refiner_source

__version__ = "0.1.0"
__all__ = ["__version__", "aptrinsic_source", "refiner_source"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from feedloom import sources  # noqa: PLC0415 - dlt is imported only when a source is asked for

        return getattr(sources, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
