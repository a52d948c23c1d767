"""Users and accounts by id, in their books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from feedloom.vendors.aptrinsic.emulator.book import Book, Row
from feedloom.vendors.aptrinsic.emulator.population import Population


class UserBase:
    """The users of the base data."""

    def __init__(self, population: Population) -> None:
        self.count = population.users
        self.row = population.user
        self.columns: Mapping[str, Callable[[int], Any]] = {
            "createDate": population.create_ms,
            "lastModifiedDate": population.last_modified_ms,
            "lastSeenDate": population.last_seen_ms,
            "identifyId": population.identify_id,
            "id": population.identify_id,
            "email": lambda user: population.subject(user).email,
            "accountId": lambda user: population.subject(user).account_id,
        }


class AccountBase:
    """The accounts of the base data."""

    def __init__(self, population: Population) -> None:
        self.count = population.accounts
        self.row = population.account
        self.columns: Mapping[str, Callable[[int], Any]] = {
            "createDate": population.account_create_ms,
            "lastModifiedDate": population.account_modified_ms,
            "lastSeenDate": population.account_seen_ms,
            "id": population.account_id,
        }


class Records:
    """The records of a book by their ids, which are told apart by case."""

    def __init__(self, *, book: Book, id_field: str, position_of_id: Callable[[str], int | None]) -> None:
        self.book = book
        self._id_field = id_field
        self._position_of_id = position_of_id
        self._written: dict[str, int] = {}

    def find(self, record_id: str) -> Row | None:
        """The record with that id as it is now, not to be changed; None when there is none."""
        number = self._number(record_id)
        return None if number is None else self.book.row(number)

    def place(self, record_id: str) -> int | None:
        """Where the record with that id stands in the order of making; None when there is none."""
        number = self._number(record_id)
        return None if number is None else self.book.place(number)

    def add(self, row: Row, *, version: int, place: int | None = None) -> None:
        """Add a record whose id is free, at the end or at *place*."""
        self._written[row[self._id_field]] = self.book.write(row=row, version=version, place=place)

    def change(self, record_id: str, changes: Mapping[str, Any], *, version: int) -> Row:
        """Give the record with that id other values; returns it as it is then."""
        place = self.place(record_id)
        row = {**self.remove(record_id, version=version), **changes}
        self.add(row, version=version, place=place)
        return row

    def remove(self, record_id: str, *, version: int) -> Row:
        """Take the record with that id out; returns it. Raises KeyError when there is none."""
        number = self._number(record_id)
        if number is None:
            raise KeyError(record_id)
        row = self.book.row(number)
        self.book.retire(number, version=version)
        self._written.pop(record_id, None)
        return row

    def _number(self, record_id: str) -> int | None:
        number = self._written.get(record_id)
        if number is not None:
            return number
        position = self._position_of_id(record_id)
        return position if position is not None and self.book.is_base(position) else None
