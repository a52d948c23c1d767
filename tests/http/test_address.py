# ruff: noqa: INP001  # a package here would hide the standard library's http, since tests/ is on the path
"""Calls go to the server that was chosen, below the base URL that was given, with one version in the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from feedloom.catalogue import Param
from feedloom.errors import InputError
from feedloom.http.address import join

if TYPE_CHECKING:
    from .conftest import Stage


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://api.example.com/v1", "/responses", "https://api.example.com/v1/responses"),
        ("https://api.example.com/v1/", "/", "https://api.example.com/v1/"),
        ("https://api.example.com", "/v1/users", "https://api.example.com/v1/users"),
        ("https://api.example.com/", "/v1/users", "https://api.example.com/v1/users"),
        ("https://api.example.com/v1", "/v1/users", "https://api.example.com/v1/users"),
        ("https://api.example.com/v1/", "/v1/users", "https://api.example.com/v1/users"),
        ("https://api.example.com/v1", "/v2/features", "https://api.example.com/v2/features"),
        ("https://api.example.com/px/v1", "/v2/features", "https://api.example.com/px/v2/features"),
        ("https://api.example.com/v1", "/rte/v1/rules", "https://api.example.com/rte/v1/rules"),
        ("http://127.0.0.1:8080/things", "/things", "http://127.0.0.1:8080/things/things"),
    ],
)
def test_base_and_path_are_joined_with_one_version(base: str, path: str, url: str) -> None:
    assert join(base, path, template=path) == url


def test_a_version_in_a_path_parameter_is_no_version_of_the_path() -> None:
    assert join("http://a.test/v1", "/tags/v2", template="/tags/{tag}") == "http://a.test/v1/tags/v2"


def test_the_first_server_is_the_default_and_another_can_be_named(stage: Stage) -> None:
    things = stage.endpoint()

    assert stage.call(things).url == "http://us.acme.test/v1/things"
    assert stage.call(things, server="eu").url == "http://eu.acme.test/v1/things"


def test_a_base_url_takes_the_place_of_every_server(stage: Stage) -> None:
    base = "http://127.0.0.1:8080/v1/"

    assert stage.call(stage.endpoint(), base_url=base, server="eu").url == "http://127.0.0.1:8080/v1/things"
    assert stage.call(stage.endpoint(server="files"), base_url=base).url == "http://127.0.0.1:8080/v1/things"


def test_an_endpoint_on_a_server_of_its_own_is_called_there_and_without_the_key(stage: Stage) -> None:
    answer = stage.call(stage.endpoint(server="files"))

    assert answer.url == "http://files.acme.test/things"
    assert "authorization" not in stage.seen[0].headers


def test_an_unknown_server_is_refused_with_the_known_ones(stage: Stage) -> None:
    with pytest.raises(InputError, match="no server called 'mars'") as caught:
        stage.call(stage.endpoint(), server="mars")

    assert "us, eu, files" in caught.value.hint


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.example.com",
        "ftp://a.test",
        "http://",
        "http://a.test?x=1",
        "http://a.test/#x",
        "http://a.test:x",
        "/v1",
    ],
)
def test_a_base_url_that_calls_cannot_go_to_is_refused(stage: Stage, base_url: str) -> None:
    with pytest.raises(InputError, match="is not an address"):
        stage.call(stage.endpoint(), base_url=base_url)


def test_a_password_in_the_base_url_is_refused_and_not_repeated(stage: Stage) -> None:
    with pytest.raises(InputError, match="holds a user name") as caught:
        stage.call(stage.endpoint(), base_url="http://me:hunter2@a.test/")

    assert "hunter2" not in str(caught.value)


def test_a_url_too_long_to_be_sent_is_the_callers_to_mend(stage: Stage) -> None:
    with pytest.raises(InputError, match="more than a URL can hold"):
        stage.call(stage.endpoint(Param(name="search")), {"search": "x" * 100_000})
