"""What the catalogue says about the values at each place of a row, as a tree that follows the row's own shape."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedloom.catalogue import Endpoint, Field, Table


@dataclass(slots=True)
class Spec:
    """What is known about one place.

    Attributes:
        keys: Below it, where it holds an object: key -> place.
        items: The items of the list that stands here.
        time: The value is a moment, written so.
        open_map: The path of the open map that stands here; empty for other places.
    """

    keys: dict[str, Spec] = field(default_factory=dict)
    items: Spec | None = None
    time: Field | None = None
    open_map: str = ""

    def at(self, key: str) -> Spec:
        """The place of *key*; an empty one where nothing is known."""
        return self.keys.get(key) or NOTHING

    @property
    def of_items(self) -> Spec:
        """The place of a list's items; an empty one where nothing is known."""
        return self.items or NOTHING


NOTHING = Spec()
"""A place that the catalogue does not mention; never changed."""


def compile_specs(table: Table, endpoint: Endpoint) -> Spec:
    """The tree for the rows of *table*, which come from *endpoint*.

    Paths are read as ``RowShaper`` reads them: a part that ends in ``[]`` walks into the items of a list.
    """
    root = Spec()
    for known in endpoint.fields:
        if known.type == "timestamp":
            _place(root, known.name).time = known
    for path in table.open_maps:
        _place(root, path).open_map = path
    return root


def _place(root: Spec, path: str) -> Spec:
    *parents, last = path.split(".")
    spec = root
    for part in parents:
        name = part.removesuffix("[]")
        spec = spec.keys.setdefault(name, Spec())
        if name != part:
            spec.items = spec.items or Spec()
            spec = spec.items
    return spec.keys.setdefault(last, Spec())
