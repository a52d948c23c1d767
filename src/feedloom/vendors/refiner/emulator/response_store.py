"""The responses of an environment: the base data with every write laid over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from feedloom.emulator.listing import Key, Listing
from feedloom.vendors.refiner.emulator.records import Response
from feedloom.vendors.refiner.emulator.world import World


class ResponseStore:
    """Every response by its sequence number.

    Attributes:
        by_shown: The list in the order of ``last_shown_at``, newest first.
        by_data: The list in the order of ``last_data_reception_at``, newest first. Base rows are in it whether or not
            they have answers, so that queries have to leave views out.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_shown = _listing(world=world, key=lambda row: (world.timeline.at(row), row))
        self.by_data = _listing(world=world, key=lambda row: (world.data_s(row), row))
        self._written: dict[int, Response | None] = {}
        self._written_for: defaultdict[int, list[int]] = defaultdict(list)
        self._next_seq = world.rows

    def get(self, seq: int) -> Response | None:
        """A copy of the response *seq*; None when it was deleted or never was."""
        if seq in self._written:
            written = self._written[seq]
            return replace(written) if written is not None else None
        return self._world.response(seq) if seq < self._world.rows else None

    def at(self, place: int | Response) -> Response:
        """The response that a page of a list points to."""
        return self._world.response(place) if isinstance(place, int) else place

    def by_uuid(self, uuid: str) -> Response | None:
        """The response with that uuid."""
        seq = self._world.response_ids.index(uuid)
        response = self.get(seq) if seq is not None and seq < self._next_seq else None
        return response if response is not None and response.uuid == uuid.lower() else None

    def of_contact(self, contact: int) -> Iterator[Response]:
        """The responses of one contact, oldest showing first."""
        seqs = self._world.encounters.rows(contact) if contact < self._world.contacts else []
        found = [self.get(seq) for seq in (*seqs, *self._written_for[contact])]
        yield from sorted(
            (response for response in found if response is not None),
            key=lambda response: (response.last_shown_s, response.seq),
        )

    def written(self) -> Iterator[Response]:
        """Every response that is not as it was in the base data, in no order."""
        return (response for response in self._written.values() if response is not None)

    def is_untouched(self, row: int) -> bool:
        """Whether the base row is as it was."""
        return row not in self._written

    def new_seq(self) -> int:
        """A sequence number for one more response."""
        self._next_seq += 1
        return self._next_seq - 1

    def save(self, response: Response) -> None:
        """Make *response* count, new or changed."""
        seq = response.seq
        self._take_out(seq)
        if seq >= self._world.rows and seq not in self._written:
            self._written_for[response.contact].append(seq)
        self._written[seq] = response
        self.by_shown.put(key=(response.last_shown_s, seq), row=response)
        if response.last_data_s is not None:
            self.by_data.put(key=(response.last_data_s, seq), row=response)

    def delete(self, seq: int) -> None:
        """Take the response *seq* out of every list."""
        self._take_out(seq)
        self._written[seq] = None

    def forget(self) -> None:
        """Forget counts of lists, because of a change elsewhere."""
        self.by_shown.forget()
        self.by_data.forget()

    def _take_out(self, seq: int) -> None:
        if seq < self._world.rows:
            self.by_shown.hide(seq)
            self.by_data.hide(seq)
        before = self._written.get(seq)
        if before is not None:
            self.by_shown.drop((before.last_shown_s, seq))
            if before.last_data_s is not None:
                self.by_data.drop((before.last_data_s, seq))


def _listing(*, world: World, key: Callable[[int], Key]) -> Listing[Response]:
    return Listing(size=world.rows, key=key, block=world.decks.size, descending=True)
