"""From the arguments of a call to the rows that are meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from feedloom.emulator.listing import Query
from feedloom.emulator.moments import read_moment_s
from feedloom.vendors.refiner.emulator.environment import Environment
from feedloom.vendors.refiner.emulator.records import Contact, Response
from feedloom.vendors.refiner.emulator.refusal import bad_request
from feedloom.vendors.refiner.emulator.surveys import SURVEYS
from feedloom.vendors.refiner.emulator.world import COMPLETED, KINDS, PARTIAL, VIEW

Arguments: TypeAlias = Mapping[str, Any]

_INCLUDED = {"completed": (COMPLETED,), "partials": (COMPLETED, PARTIAL), "all": (COMPLETED, PARTIAL, VIEW)}
_NOT_FILTERS = frozenset(
    {"page", "page_length", "page_cursor", "with_attributes", "order_by", "date_range_start", "date_range_end"}
)


def moment_argument(*, arguments: Arguments, name: str) -> int | None:
    """The moment that an argument names, in seconds since 1970; None when it was left out."""
    text = arguments.get(name)
    if text is None:
        return None
    try:
        return read_moment_s(text)
    except ValueError as problem:
        raise bad_request(f"The parameter {name} is not a date: {text}") from problem


def kind_of(response: Response) -> int:
    """``COMPLETED``, ``PARTIAL`` or ``VIEW``."""
    if response.completed_s is not None:
        return COMPLETED
    return PARTIAL if response.last_data_s is not None else VIEW


def response_query(*, environment: Environment, arguments: Arguments) -> Query[Response]:
    """The responses that a call to the list means; the window compares the column of the list that is asked."""
    world = environment.world
    kinds = _INCLUDED[arguments.get("include", "completed")]
    forms = forms_argument(environment=environment, arguments=arguments)
    matches = response_matcher(environment=environment, arguments=arguments)
    categories = frozenset(
        form * KINDS + kind for form in range(len(SURVEYS)) for kind in kinds if forms is None or form in forms
    )

    def takes_base(row: int) -> bool:
        return world.decks.category(row) in categories and (matches is None or matches(world.response(row)))

    def takes_extra(response: Response) -> bool:
        right_form = forms is None or response.form in forms
        return kind_of(response) in kinds and right_form and (matches is None or matches(response))

    def count_block(block: int) -> int:
        counts = world.decks.counts(block)
        return sum(counts[category] for category in categories)

    start_s = moment_argument(arguments=arguments, name="date_range_start")
    end_s = moment_argument(arguments=arguments, name="date_range_end")
    takes_everything = matches is None and len(categories) == len(SURVEYS) * KINDS
    return Query(
        name=_name(arguments),
        takes_base=None if takes_everything else takes_base,
        takes_extra=takes_extra,
        count_block=count_block if matches is None else None,
        low=(start_s, -1) if start_s is not None else None,
        high=(end_s, -1) if end_s is not None else None,
    )


def contact_query(*, environment: Environment, arguments: Arguments, seq_at: Callable[[int], int]) -> Query[Contact]:
    """The contacts that a call to the list means; *seq_at* turns a position of the list's base into a number."""
    written = environment.contacts.written
    matches = _contact_matcher(environment=environment, arguments=arguments)

    def takes_base(position: int) -> bool:
        seq = seq_at(position)
        return seq not in written and (matches is None or matches(environment.world.contact(seq)))

    return Query(
        name=_name(arguments),
        takes_base=None if matches is None and not written else takes_base,
        takes_extra=lambda contact: matches is None or matches(contact),
    )


def forms_argument(*, environment: Environment, arguments: Arguments) -> Collection[int] | None:
    """The sequence numbers of the forms that are asked for; None for all. Unknown uuids match nothing."""
    uuids = [*arguments.get("form_uuids", ())]
    if "form_uuid" in arguments:
        uuids.append(arguments["form_uuid"])
    if not uuids:
        return None
    found = (environment.forms.by_uuid(uuid) for uuid in uuids)
    return frozenset(form.seq for form in found if form is not None)


def response_matcher(*, environment: Environment, arguments: Arguments) -> Callable[[Response], bool] | None:
    """Whether a response passes the filters on its data, tags and contact; None when there are no such filters."""
    tests: list[Callable[[Response], bool]] = []
    if tag_uuids := [*arguments.get("tag_uuids", ()), *_one(arguments, "tag_uuid")]:
        tags = {environment.tag_by_uuid(uuid) for uuid in tag_uuids}
        tests.append(lambda response: not tags.isdisjoint(response.tags))
    if answers := arguments.get("response_data"):
        tests.append(lambda response: _holds(response.data, answers))
    contact_tests = _contact_tests(environment=environment, arguments=arguments)
    if contact_tests:
        tests.append(lambda response: all(test(environment.contacts.known(response.contact)) for test in contact_tests))
    return (lambda response: all(test(response) for test in tests)) if tests else None


def _contact_matcher(*, environment: Environment, arguments: Arguments) -> Callable[[Contact], bool] | None:
    tests = _contact_tests(environment=environment, arguments=arguments)
    forms = forms_argument(environment=environment, arguments=arguments)
    if forms is not None:
        tests.append(
            lambda contact: any(
                response.form in forms and response.last_data_s is not None
                for response in environment.responses.of_contact(contact.seq)
            )
        )
    return (lambda contact: all(test(contact) for test in tests)) if tests else None


def _contact_tests(*, environment: Environment, arguments: Arguments) -> list[Callable[[Contact], bool]]:
    tests: list[Callable[[Contact], bool]] = []
    if search := arguments.get("search"):
        tests.append(lambda contact: _is_found(contact, search.casefold()))
    if segment_uuids := [*arguments.get("segment_uuids", ()), *_one(arguments, "segment_uuid")]:
        segments = [environment.segment_by_uuid(uuid) for uuid in segment_uuids]
        tests.append(
            lambda contact: any(
                segment is not None and environment.in_segment(segment=segment, contact=contact) for segment in segments
            )
        )
    if traits := arguments.get("contact_data"):
        tests.append(lambda contact: _holds(contact.traits, traits))
    if account_traits := arguments.get("account_data"):
        tests.append(lambda contact: _holds(_account_data(environment, contact), account_traits))
    return tests


def _is_found(contact: Contact, text: str) -> bool:
    """Part of a name or identifier is enough; the vendor's rule is unknown. Source: refiner.openapi.yaml, search."""
    return any(
        text in (value or "").casefold()
        for value in (contact.remote_id, contact.uuid, contact.email, contact.display_name)
    )


def _account_data(environment: Environment, contact: Contact) -> Mapping[str, Any]:
    return {} if contact.account is None else environment.contacts.account(contact.account).traits


def _holds(data: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in data and _equals(data[name], value) for name, value in wanted.items())


def _equals(held: Any, wanted: Any) -> bool:
    if isinstance(held, list):
        return any(_equals(item, wanted) for item in held)
    return _plain(held) == _plain(wanted)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(arguments: Arguments, name: str) -> list[Any]:
    return [arguments[name]] if name in arguments else []


def _name(arguments: Arguments) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in arguments.items() if name not in _NOT_FILTERS))
