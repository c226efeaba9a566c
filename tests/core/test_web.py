"""What a web request tells of its sender, and what limits count."""

from typing import Any

import pytest
from django.test import RequestFactory

from core import web


def request_from(address: str, **headers: str) -> Any:
    return RequestFactory().get("/", REMOTE_ADDR=address, **headers)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_household_counts_as_one_address(address: str, counted: str) -> None:
    assert web.counted_address(request_from(address)) == counted


def test_the_proxy_is_believed_only_when_the_settings_say_so(settings: Any) -> None:
    request = request_from("10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.4")

    settings.TRUST_PROXY = False
    assert web.client_address(request) == "10.0.0.1"
    settings.TRUST_PROXY = True
    assert web.client_address(request) == "198.51.100.4"


def test_a_user_agent_is_cut_and_holds_no_nul() -> None:
    assert web.user_agent(request_from("10.0.0.1", HTTP_USER_AGENT="\x00" + "a" * 500)) == "a" * 199


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:DB8::1", "2001:db8::1"), ("unknown", None), ("192.0.2.7:5678", None),
        ("", None), (None, None), ("fe80::1%eth0", None), ("\x00", None),
    ],
)  # fmt: skip
def test_only_an_address_is_kept_as_one(address: str | None, kept: str | None) -> None:
    assert web.stored_address(address) == kept
