"""Where people are and what they sit at: places, languages, devices and addresses of the network.

Source of the shapes: openapi.yaml, schemas Location and UserAgent; aptrinsic-notes, section 5 (unset parts).
"""

from __future__ import annotations

from typing import Any


def _place(
    *,
    country: str,
    code: str,
    state: str,
    state_code: str,
    city: str,
    postal_code: str,
    continent: str,
    zone: str,
    at: tuple[float, float],
) -> dict[str, Any]:
    return {
        "countryName": country,
        "countryCode": code,
        "stateName": state,
        "stateCode": state_code,
        "city": city,
        "street": "",
        "postalCode": postal_code,
        "continent": continent,
        "regionName": "",
        "timeZone": zone,
        "coordinates": {"latitude": at[0], "longitude": at[1]},
    }


NOWHERE = _place(
    country="", code="", state="", state_code="", city="", postal_code="", continent="", zone="", at=(0.0, 0.0)
)
"""A place of which nothing is known: every part present and empty."""

PLACES: dict[str, dict[str, Any]] = {
    "US": _place(
        country="United States", code="US", state="Oregon", state_code="OR", city="Portland", postal_code="97205",
        continent="NA", zone="America/Los_Angeles", at=(45.52, -122.68),
    ),
    "DE": _place(
        country="Germany", code="DE", state="Nordrhein-Westfalen", state_code="NW", city="Köln", postal_code="50667",
        continent="EU", zone="Europe/Berlin", at=(50.94, 6.96),
    ),
    "GB": _place(
        country="United Kingdom", code="GB", state="England", state_code="ENG", city="Leeds", postal_code="LS1 4AP",
        continent="EU", zone="Europe/London", at=(53.8, -1.55),
    ),
    "FR": _place(
        country="France", code="FR", state="Auvergne-Rhône-Alpes", state_code="ARA", city="Lyon", postal_code="69002",
        continent="EU", zone="Europe/Paris", at=(45.76, 4.84),
    ),
    "PL": _place(
        country="Poland", code="PL", state="Łódzkie", state_code="10", city="Łódź", postal_code="90-001",
        continent="EU", zone="Europe/Warsaw", at=(51.76, 19.46),
    ),
    "BR": _place(
        country="Brazil", code="BR", state="São Paulo", state_code="SP", city="Campinas", postal_code="13010-041",
        continent="SA", zone="America/Sao_Paulo", at=(-22.91, -47.06),
    ),
    "IN": _place(
        country="India", code="IN", state="Karnataka", state_code="KA", city="Bengaluru", postal_code="560001",
        continent="AS", zone="Asia/Kolkata", at=(12.97, 77.59),
    ),
    "JP": _place(
        country="Japan", code="JP", state="大阪府", state_code="27", city="大阪市", postal_code="530-0001",
        continent="AS", zone="Asia/Tokyo", at=(34.69, 135.5),
    ),
    "NL": _place(
        country="Netherlands", code="NL", state="Utrecht", state_code="UT", city="Utrecht", postal_code="3511 AX",
        continent="EU", zone="Europe/Amsterdam", at=(52.09, 5.12),
    ),
    "SE": _place(
        country="Sweden", code="SE", state="Västra Götaland", state_code="O", city="Göteborg", postal_code="411 06",
        continent="EU", zone="Europe/Stockholm", at=(57.71, 11.97),
    ),
    "CA": _place(
        country="Canada", code="CA", state="Québec", state_code="QC", city="Montréal", postal_code="H2Y 1C6",
        continent="NA", zone="America/Toronto", at=(45.5, -73.57),
    ),
    "AU": _place(
        country="Australia", code="AU", state="Victoria", state_code="VIC", city="Melbourne", postal_code="3000",
        continent="OC", zone="Australia/Melbourne", at=(-37.81, 144.96),
    ),
}  # fmt: skip

LANGUAGES: dict[str, list[str]] = {
    "US": ["en-US"],
    "DE": ["de-DE", "en"],
    "GB": ["en-GB"],
    "FR": ["fr-FR", "en"],
    "PL": ["pl-PL", "en"],
    "BR": ["pt-BR", "en"],
    "IN": ["en-IN", "hi"],
    "JP": ["ja-JP"],
    "NL": ["nl-NL", "en"],
    "SE": ["sv-SE", "en"],
    "CA": ["fr-CA", "en-CA"],
    "AU": ["en-AU"],
}

SCREENS = ((1440, 900), (1920, 1080), (1536, 864), (390, 844), (2560, 1440), (820, 1180))
"""Width and height in pixels."""

DEVICES: tuple[dict[str, str], ...] = tuple(
    {
        "rawUserAgent": "",
        "device": device,
        "platformType": platform,
        "platformVersion": platform_version,
        "browserType": browser,
        "browserVersion": browser_version,
    }
    for device, platform, platform_version, browser, browser_version in (
        ("DESKTOP", "Windows", "11", "chrome", "131"),
        ("DESKTOP", "Mac OS X", "14", "firefox", "132"),
        ("DESKTOP", "Mac OS X", "15", "safari", "18"),
        ("MOBILE", "iOS", "18", "mobile_safari", "18"),
        ("MOBILE", "Android", "15", "chrome_mobile", "130"),
        ("DESKTOP", "Linux", "", "firefox", "128"),
    )
)


def address(roll: bytes) -> str:
    """An address of the network that nobody has, from two random bytes. Source of the ranges: RFC 5737."""
    network = ("192.0.2", "198.51.100", "203.0.113")[roll[0] % 3]
    return f"{network}.{roll[1]}"
