"""The base data of the emulator: every response, contact and account, made from seed and index when asked for."""

from __future__ import annotations

from typing import Any

from feedloom.emulator.decks import Decks
from feedloom.emulator.dice import Dice
from feedloom.emulator.identifiers import Identifiers
from feedloom.emulator.moments import iso_text, space_text
from feedloom.emulator.people import People, Person, Plan, account_count
from feedloom.emulator.timeline import END_S, START_S, Timeline
from feedloom.vendors.refiner.emulator.answers import Answers
from feedloom.vendors.refiner.emulator.encounters import Encounters
from feedloom.vendors.refiner.emulator.moods import day_of, eagerness
from feedloom.vendors.refiner.emulator.phrases import ESSAY, ODDITIES
from feedloom.vendors.refiner.emulator.records import AccountRecord, Contact, Response
from feedloom.vendors.refiner.emulator.spelling import Spelling
from feedloom.vendors.refiner.emulator.surveys import SURVEYS

COMPLETED, PARTIAL, VIEW = range(3)
KINDS = 3

BASE_TAGS = ("billing", "bug", "feature request", "follow-up", "praise", "отзыв")

_DAY_S = 86_400
_COMPLETED_SHARE = 0.50
_PARTIAL_SHARE = 0.11
_LONGEST_DELAY_S = 900
_FOUNDING_S = 400 * _DAY_S
_TAGGED_BELOW = 12
_TWICE_TAGGED_BELOW = 3
_SHOWN_AGAIN_BELOW = 50
_DISMISSED_BELOW = 140
_WITH_ROLE_BELOW = 60
_WITH_LEVEL_BELOW = 40
_MAYBE_ADMIN_BELOW = 90
_WITH_NOTES_BELOW = 20
_LONG_NOTES_BELOW = 8
_RENEWING_BELOW = 30
_ANONYMOUS_EVERY, _ANONYMOUS = 17, 5
_BY_EMAIL_ONLY_EVERY, _BY_EMAIL_ONLY = 31, 7
_SHARED_EMAIL_EVERY, _SHARED_EMAIL = 41, 3


class World:
    """Everything there was before the first write. Its records are made anew at each call and belong to the caller."""

    def __init__(self, *, rows: int, seed: int, spelling: Spelling) -> None:
        self.rows = rows
        self.timeline = Timeline(rows=rows)
        self.encounters = Encounters(rows=rows)
        self.contacts = self.encounters.contacts
        self.accounts = account_count(self.contacts)
        self.people = People(seed=seed)
        self.decks = Decks(rows=rows, seed=seed, shares=self._shares)
        self.response_ids = Identifiers(seed=seed, kind=1)
        self.contact_ids = Identifiers(seed=seed, kind=2)
        self.account_ids = Identifiers(seed=seed, kind=3)
        self._spelling = spelling
        self._answers = Answers(spelling)
        self._responses = Dice(seed=seed, kind="response", size=64)
        self._contacts = Dice(seed=seed, kind="contact")
        self._longest_delay_s = min(max(self.timeline.step - 1, 0), _LONGEST_DELAY_S)

    def form(self, row: int) -> int:
        """The form that is shown in *row*."""
        return self.decks.category(row) // KINDS

    def kind(self, row: int) -> int:
        """What became of *row*: ``COMPLETED``, ``PARTIAL`` or ``VIEW``."""
        return self.decks.category(row) % KINDS

    def data_s(self, row: int) -> int:
        """When the last answer of *row* came in, or would have: before the next row is shown."""
        return self.timeline.at(row) + self._delay_s(self._responses.roll(row))

    def response(self, row: int) -> Response:
        """The response in *row*."""
        roll = self._responses.roll(row)
        form, kind = divmod(self.decks.category(row), KINDS)
        contact = self.encounters.contact(row)
        shown_s = self.timeline.at(row)
        again = roll[0] < _SHOWN_AGAIN_BELOW
        first_shown_s = shown_s - roll[1] * 3_001 if again else shown_s
        response = Response(
            seq=row,
            uuid=self.response_ids.uuid(index=row, moment_s=first_shown_s),
            contact=contact,
            form=form,
            first_shown_s=first_shown_s,
            last_shown_s=shown_s,
            show_counter=2 + roll[0] % 3 if again else 1,
        )
        if kind == VIEW:
            if roll[2] < _DISMISSED_BELOW:
                response.dismissed_s = shown_s + self._delay_s(roll)
            return response
        delay_s = self._delay_s(roll)
        response.first_data_s = shown_s + delay_s * roll[5] // 256
        response.last_data_s = shown_s + delay_s
        questions = SURVEYS[form].questions
        if kind == COMPLETED:
            response.completed_s = response.last_data_s
        else:
            questions = questions[: 1 + roll[6] % max(1, len(questions) - 1)]
        response.data = self._answers.data(questions=questions, roll=roll, day=day_of(shown_s), plan=self.plan(contact))
        if roll[7] < _TAGGED_BELOW:
            response.tags = _tags(roll[7])
        return response

    def contact(self, seq: int) -> Contact:
        """The contact *seq*."""
        roll = self._contacts.roll(seq)
        contact = self.identity(seq)
        contact.last_seen_s = self.last_seen_s(seq)
        if is_anonymous(seq):
            contact.traits = {"country": "DE" if roll[0] & 1 else "US"}
        else:
            contact.traits = self._traits(person=self.people.person(seq), roll=roll)
        return contact

    def identity(self, seq: int) -> Contact:
        """The contact *seq* without its traits, and as if it had been seen only once: a third of the work."""
        first_seen_s = self.first_seen_s(seq)
        contact = Contact(
            seq=seq,
            uuid=self.contact_ids.uuid(index=seq, moment_s=first_seen_s),
            remote_id=None,
            email=None,
            display_name=None,
            first_seen_s=first_seen_s,
            last_seen_s=first_seen_s,
        )
        if is_anonymous(seq):
            return contact
        person = self.people.person(seq)
        contact.remote_id = None if seq % _BY_EMAIL_ONLY_EVERY == _BY_EMAIL_ONLY else person.id
        contact.email = self.people.person(seq - 1).email if shares_email(seq) else person.email
        contact.display_name = person.name
        contact.account = person.account
        return contact

    def account(self, seq: int) -> AccountRecord:
        """The account *seq*."""
        account = self.people.account(seq)
        first_seen_s = START_S - (seq % 400 + 1) * _DAY_S
        return AccountRecord(
            seq=seq,
            uuid=self.account_ids.uuid(index=seq, moment_s=first_seen_s),
            remote_id=account.id,
            display_name=account.name,
            domain=account.domain,
            first_seen_s=first_seen_s,
            last_seen_s=END_S - (seq % 90 + 1) * 7_919,
            traits={
                "industry": account.industry,
                "plan": account.plan,
                "seats": self._spelling.value(account.seats),
            },
        )

    def first_seen_s(self, contact: int) -> int:
        """When *contact* was first seen; never less than for the one before, nor later than its first row."""
        founders = self.encounters.founders
        if contact < founders:
            return START_S - (founders - contact) * _FOUNDING_S // founders
        return START_S + (contact - founders) * (END_S - START_S) // max(1, self.contacts - founders)

    def last_seen_s(self, contact: int) -> int:
        """When *contact* was last seen: at the last row shown."""
        rows = self.encounters.rows(contact)
        return self.timeline.at(rows[-1]) if rows else self.first_seen_s(contact)

    def last_submission_s(self, contact: int) -> int | None:
        """When *contact* last answered."""
        for row in reversed(self.encounters.rows(contact)):
            if self.kind(row) != VIEW:
                return self.data_s(row)
        return None

    def plan(self, contact: int) -> Plan:
        """What *contact* pays for."""
        return "free" if is_anonymous(contact) else self.people.person(contact).plan

    def _delay_s(self, roll: bytes) -> int:
        most = self._longest_delay_s
        return 1 + int.from_bytes(roll[3:5], "little") % most if most else 0

    def _shares(self, row: int) -> list[float]:
        """The share of each form and kind around *row*."""
        moment_s = self.timeline.at(row)
        day = day_of(moment_s)
        running = [survey.weight if _runs(survey.from_day, survey.to_day, day) else 0 for survey in SURVEYS]
        shares: list[float] = []
        for survey, weight in zip(SURVEYS, running, strict=True):
            share = weight / sum(running)
            mood = eagerness(moment_s) * survey.eagerness
            shares += [share * _COMPLETED_SHARE * mood, share * _PARTIAL_SHARE * mood]
            shares.append(share - shares[-1] - shares[-2])
        return shares

    def _traits(self, *, person: Person, roll: bytes) -> dict[str, Any]:
        traits: dict[str, Any] = {
            "plan": person.plan,
            "job_title": person.job_title,
            "country": person.country,
            "signed_up_at": space_text(person.signed_up_s),
            "userName": f"{person.first_name[0]}{person.last_name}".lower(),
            "user_name": person.id,
        }
        if roll[1] < _WITH_ROLE_BELOW:
            traits["роль"] = "администратор" if roll[2] & 1 else "пользователь"
        if roll[3] < _WITH_LEVEL_BELOW:
            traits["🚀 level"] = self._spelling.value(roll[4] % 10)
        if roll[5] < _MAYBE_ADMIN_BELOW:
            traits["is_admin"] = self._spelling.value(bool(roll[6] & 1))
        if roll[7] < _WITH_NOTES_BELOW:
            traits["notes"] = ESSAY if roll[8] < _LONG_NOTES_BELOW else ODDITIES[roll[9] % len(ODDITIES)]
        if roll[10] < _RENEWING_BELOW:
            traits["renewal_date"] = iso_text(END_S + roll[11] * _DAY_S)
        return traits


def is_anonymous(contact: int) -> bool:
    """Whether the base contact is a visitor whom nobody identified."""
    return contact % _ANONYMOUS_EVERY == _ANONYMOUS


def shares_email(contact: int) -> bool:
    """Whether the base contact has the email of the one before."""
    return contact % _SHARED_EMAIL_EVERY == _SHARED_EMAIL and not is_anonymous(contact - 1)


def _runs(from_day: int, to_day: int | None, day: int) -> bool:
    return from_day <= day and (to_day is None or day < to_day)


def _tags(byte: int) -> tuple[str, ...]:
    first = BASE_TAGS[byte % len(BASE_TAGS)]
    return (first, BASE_TAGS[(byte + 1) % len(BASE_TAGS)]) if byte < _TWICE_TAGGED_BELOW else (first,)
