"""The contacts and accounts of an environment: the base data with every write laid over it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from feedloom.emulator.listing import Key, Listing
from feedloom.vendors.refiner.emulator.records import AccountRecord, Contact
from feedloom.vendors.refiner.emulator.world import World, is_anonymous, shares_email

ContactOrder: TypeAlias = Literal["first_seen_at", "last_seen_at", "last_form_submission_at", "display_name", "email"]

_BLOCK = 512
_UNGROUPED = 1 << 40
_TEXT_ORDERS = ("display_name", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedContacts:
    """The contacts in one order; ``seqs`` turns a position of its base into a sequence number."""

    listing: Listing[Contact]
    seqs: Sequence[int]


class ContactStore:
    """Every contact and account by its sequence number.

    ``last_submission_s`` tells when a contact last answered, ``newest_first`` whether orders by a moment run backwards.
    """

    def __init__(self, *, world: World, last_submission_s: Callable[[int], int | None], newest_first: bool) -> None:
        self._world = world
        self._last_submission_s = last_submission_s
        self._newest_first = newest_first
        self._written: dict[int, Contact | None] = {}
        self._keys: dict[int, dict[ContactOrder, Key]] = {}
        self._accounts: dict[int, AccountRecord] = {}
        self._orders: dict[ContactOrder, OrderedContacts] = {}
        self._by_remote_id: dict[str, int] = {}
        self._by_email: defaultdict[str, set[int]] = defaultdict(set)
        self._accounts_by_id: dict[str, int] = {}
        self._next_seq = world.contacts
        self._next_account = world.accounts

    def get(self, seq: int) -> Contact | None:
        """A copy of the contact *seq*; None when it was deleted or never was."""
        if seq in self._written:
            written = self._written[seq]
            return replace(written) if written is not None else None
        return self._world.contact(seq) if seq < self._world.contacts else None

    def known(self, seq: int) -> Contact:
        """The contact *seq*, which must exist."""
        contact = self.get(seq)
        if contact is None:
            raise KeyError(seq)
        return contact

    def identity(self, seq: int) -> Contact:
        """The contact *seq*, which must exist, good for who it is; its traits and when it was last seen may lack."""
        is_untouched = seq not in self._written and seq < self._world.contacts
        return self._world.identity(seq) if is_untouched else self.known(seq)

    @property
    def written(self) -> Mapping[int, Contact | None]:
        """The contacts that are not as they were in the base data, by sequence number; None for deleted ones."""
        return self._written

    def by_uuid(self, uuid: str) -> Contact | None:
        """The contact with that uuid."""
        seq = self._world.contact_ids.index(uuid)
        contact = self.get(seq) if seq is not None and seq < self._next_seq else None
        return contact if contact is not None and contact.uuid == uuid.lower() else None

    def by_remote_id(self, remote_id: str) -> Contact | None:
        """The contact with the customer's id *remote_id*."""
        seq = self._by_remote_id.get(remote_id)
        if seq is None:
            seq = self._world.people.index_of_id(remote_id)
        contact = self.get(seq) if seq is not None else None
        return contact if contact is not None and contact.remote_id == remote_id else None

    def by_email(self, email: str) -> Contact | None:
        """The first made of the contacts with that address, of which there may be several."""
        candidates = set(self._by_email.get(email.lower(), ()))
        index = self._world.people.index_of_email(email)
        if index is not None:
            candidates |= {index, index + 1} if shares_email(index + 1) else {index}
        for seq in sorted(candidates):
            contact = self.get(seq)
            if contact is not None and contact.email is not None and contact.email.lower() == email.lower():
                return contact
        return None

    def new(self, *, remote_id: str | None, email: str | None, now_s: int) -> Contact:
        """A contact that counts once it is saved."""
        seq = self._next_seq
        self._next_seq += 1
        uuid = self._world.contact_ids.uuid(index=seq, moment_s=now_s)
        return Contact(
            seq=seq,
            uuid=uuid,
            remote_id=remote_id,
            email=email,
            display_name=None,
            first_seen_s=now_s,
            last_seen_s=now_s,
        )

    def save(self, contact: Contact) -> None:
        """Make *contact* count, new or changed."""
        self._take_out(contact.seq)
        self._written[contact.seq] = contact
        if contact.remote_id is not None:
            self._by_remote_id[contact.remote_id] = contact.seq
        if contact.email is not None:
            self._by_email[contact.email.lower()].add(contact.seq)
        for order, ordered in self._orders.items():
            self._put(order=order, listing=ordered.listing, contact=contact)

    def delete(self, seq: int) -> None:
        """Take the contact *seq* out of every list."""
        self._take_out(seq)
        self._written[seq] = None

    def forget(self) -> None:
        """Forget counts of lists, because of a change elsewhere."""
        for ordered in self._orders.values():
            ordered.listing.forget()

    def account(self, seq: int) -> AccountRecord:
        """The account *seq*."""
        return self._accounts.get(seq) or self._world.account(seq)

    def account_by_id(self, remote_id: str) -> AccountRecord | None:
        """The account with the customer's id *remote_id*."""
        seq = self._accounts_by_id.get(remote_id)
        if seq is None:
            seq = self._world.people.index_of_account_id(remote_id)
        return self.account(seq) if seq is not None and seq < self._next_account else None

    def new_account(self, *, remote_id: str, now_s: int) -> AccountRecord:
        """An account that counts once it is saved."""
        seq = self._next_account
        self._next_account += 1
        return AccountRecord(
            seq=seq,
            uuid=self._world.account_ids.uuid(index=seq, moment_s=now_s),
            remote_id=remote_id,
            display_name=None,
            domain=None,
            first_seen_s=now_s,
            last_seen_s=now_s,
        )

    def ungrouped_account(self, contact: Contact) -> AccountRecord:
        """The nameless account that stands for no account, one for each contact."""
        return AccountRecord(
            seq=_UNGROUPED + contact.seq,
            uuid=self._world.account_ids.uuid(index=_UNGROUPED + contact.seq, moment_s=contact.first_seen_s),
            remote_id=None,
            display_name=None,
            domain=None,
            first_seen_s=contact.first_seen_s,
            last_seen_s=contact.last_seen_s,
        )

    def save_account(self, account: AccountRecord) -> None:
        """Make *account* count, new or changed."""
        self._accounts[account.seq] = account
        if account.remote_id is not None:
            self._accounts_by_id[account.remote_id] = account.seq

    def ordered(self, order: ContactOrder) -> OrderedContacts:
        """The contacts in *order*; moments newest first, if so wished, and texts ascending."""
        if order not in self._orders:
            self._orders[order] = self._arranged(order)
        return self._orders[order]

    def _arranged(self, order: ContactOrder) -> OrderedContacts:
        value = self._base_value(order)
        everyone = range(self._world.contacts)
        seqs: Sequence[int] = everyone if order == "first_seen_at" else array("I", sorted(everyone, key=value))
        listing: Listing[Contact] = Listing(
            size=self._world.contacts,
            key=lambda position: (value(seqs[position]), seqs[position]),
            block=_BLOCK,
            descending=self._newest_first and order not in _TEXT_ORDERS,
        )
        for contact in self._written.values():
            if contact is not None:
                self._put(order=order, listing=listing, contact=contact)
        return OrderedContacts(listing=listing, seqs=seqs)

    def _base_value(self, order: ContactOrder) -> Callable[[int], Any]:
        world = self._world
        if order == "first_seen_at":
            return world.first_seen_s
        if order == "last_seen_at":
            return world.last_seen_s
        if order == "last_form_submission_at":
            return lambda seq: world.last_submission_s(seq) or 0
        return lambda seq: "" if is_anonymous(seq) else _text_key(world.contact(seq), order)

    def _put(self, *, order: ContactOrder, listing: Listing[Contact], contact: Contact) -> None:
        values: dict[ContactOrder, Any] = {
            "first_seen_at": contact.first_seen_s,
            "last_seen_at": contact.last_seen_s,
            "last_form_submission_at": self._last_submission_s(contact.seq) or 0,
        }
        value = values[order] if order in values else _text_key(contact, order)
        key = (value, contact.seq)
        self._keys.setdefault(contact.seq, {})[order] = key
        listing.put(key=key, row=contact)

    def _take_out(self, seq: int) -> None:
        keys = self._keys.pop(seq, {})
        for order, key in keys.items():
            self._orders[order].listing.drop(key)
        before = self._written.get(seq)
        if before is not None and before.email is not None:
            self._by_email[before.email.lower()].discard(seq)


def _text_key(contact: Contact, order: ContactOrder) -> str:
    text = contact.display_name if order == "display_name" else contact.email
    return (text or "").casefold()
