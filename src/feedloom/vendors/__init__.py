"""Every vendor feedloom knows, by slug; a vendor's catalogue is read the first time it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from feedloom.catalogue import Vendor

_CATALOGUES = {
    "refiner": ("feedloom.vendors.refiner.catalogue", "REFINER"),
    "aptrinsic": ("feedloom.vendors.aptrinsic.catalogue", "APTRINSIC"),
}


@cache
def _vendor(slug: str) -> Vendor:
    module, name = _CATALOGUES[slug]
    vendor = getattr(import_module(module), name)
    if not isinstance(vendor, Vendor):
        raise TypeError(f"{module}.{name} is no Vendor")
    return vendor


class _Vendors(Mapping[str, Vendor]):
    """The vendors, each imported on first use so that naming one does not load the others."""

    def __getitem__(self, slug: str) -> Vendor:
        return _vendor(slug)

    def __iter__(self) -> Iterator[str]:
        return iter(_CATALOGUES)

    def __len__(self) -> int:
        return len(_CATALOGUES)

    def __contains__(self, slug: object) -> bool:
        return slug in _CATALOGUES


VENDORS: Mapping[str, Vendor] = _Vendors()
