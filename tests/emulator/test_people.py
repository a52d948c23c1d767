"""The invented people: the same for every vendor, whatever the size of its data."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from feedloom.emulator.people import People, account_count, account_index

INDEXES = st.integers(min_value=0, max_value=10**8)


@given(seed=st.integers(0, 1000), index=INDEXES)
def test_a_person_is_found_again_by_id_and_email(seed: int, index: int) -> None:
    people = People(seed=seed)
    person = people.person(index)
    assert people.index_of_id(person.id) == index
    assert people.index_of_email(person.email.upper()) == index


@given(seed=st.integers(0, 1000), index=INDEXES)
def test_the_same_seed_and_index_give_the_same_person_and_account(seed: int, index: int) -> None:
    assert People(seed=seed).person(index) == People(seed=seed).person(index)
    assert People(seed=seed).account(index) == People(seed=seed).account(index)


@given(index=INDEXES)
def test_an_account_is_found_again_by_id(index: int) -> None:
    people = People(seed=1)
    assert people.index_of_account_id(people.account(index).id) == index


def test_texts_that_name_nobody_are_not_found() -> None:
    people = People(seed=1)
    person = people.person(5)
    assert people.index_of_id("u-5") is None
    assert people.index_of_id("u-00000000005") is None
    assert people.index_of_email(f"nobody.{person.email}") is None
    assert people.index_of_email("5@post.example") is None
    assert people.index_of_account_id("acct-5") is None


def test_a_person_has_the_plan_and_the_domain_of_the_account() -> None:
    people = People(seed=3)
    for index in range(500):
        person = people.person(index)
        if person.account is None:
            assert person.plan == "free"
            assert person.email.endswith("@post.example")
        else:
            account = people.account(person.account)
            assert person.account == account_index(index)
            assert (person.plan, person.email.partition("@")[2]) == (account.plan, account.domain)


def test_emails_and_ids_are_unique() -> None:
    everybody = [People(seed=3).person(index) for index in range(3000)]
    assert len({person.email for person in everybody}) == len({person.id for person in everybody}) == 3000


def test_one_account_for_eight_people_some_large_and_some_small() -> None:
    sizes = Counter(account_index(index) for index in range(6400))
    assert len(sizes) == account_count(6400) == 800
    assert (max(sizes.values()), min(sizes.values())) == (20, 2)


def test_all_plans_and_people_without_account_occur() -> None:
    everybody = [People(seed=3).person(index) for index in range(1000)]
    assert {person.plan for person in everybody} == {"free", "pro", "enterprise"}
    assert 0.03 < sum(person.account is None for person in everybody) / 1000 < 0.15
