"""pass.json: what Apple requires, what fits the certificate, and what a phone would misread."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from wallets.providers.apple import identifiers
from wallets.providers.apple.lint import codes, fields, reading
from wallets.providers.apple.lint.reading import Unreadable

FILE = "pass.json"
STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
TEXTS = ("passTypeIdentifier", "teamIdentifier", "serialNumber", "organizationName", "description")
COLOURS = ("backgroundColor", "foregroundColor", "labelColor")
RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
TOKEN_LEAST = 16
GROUPED = ("boardingPass", "eventTicket")
ACTIONS_MOST = 2
YES_OR_NO = ("voided", "sharingProhibited", "suppressStripShine")


def faults(body: bytes, certificate: x509.Certificate | None) -> Iterator[str]:
    """Yield the faults of pass.json; certificate: the one that signed, for the identifiers."""
    try:
        found = reading.load(FILE, body)
    except Unreadable as error:
        yield str(error)
        return
    nothing = list(_nulls(found, ""))
    yield from (f"{FILE} has null at {path}; leave the key out instead." for path in nothing)
    # A null is said once: the checks below see the pass without it, and what it stood for is not "missing".
    given = {path.split(".")[0].split("[")[0] for path in nothing}
    yield from _required(found, given)
    if certificate is not None:
        yield from _identifiers(found, certificate)
    yield from _web_service(found)
    yield from _look(found)
    yield from codes.faults(found)
    style = style_of(body)
    if style:
        yield from _style(found, style)
        yield from fields.faults(found[style], style)


def style_of(body: bytes | None) -> str:
    """Return the pass's style, "" when it has none or several."""
    try:
        found = reading.load(FILE, body or b"")
    except Unreadable:
        return ""
    styles = [style for style in STYLES if style in found]
    return styles[0] if len(styles) == 1 else ""


def _nulls(value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _nulls(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nulls(inner, f"{path}[{index}]")


def _required(found: dict[str, Any], given: set[str]) -> Iterator[str]:
    version = found.get("formatVersion")
    if "formatVersion" not in found:
        yield f"{FILE} lacks formatVersion, which is 1."
    elif version != 1 or isinstance(version, bool | float):
        yield f"formatVersion is {version!r}; it must be the number 1."
    for name in TEXTS:
        if name in given:
            continue
        if name not in found:
            yield f"{FILE} lacks {name}."
        elif not isinstance(found[name], str):
            yield f"{name} must be a text, not {found[name]!r}."
        elif not found[name].strip():
            yield f"{name} is empty."
    styles = [style for style in STYLES if style in found and style not in given]
    if not styles and not given & set(STYLES):
        yield f"{FILE} has no style; it needs exactly one of {', '.join(STYLES)}."
    elif len(styles) > 1:
        yield f"{FILE} has several styles ({', '.join(styles)}); it needs exactly one."


def _identifiers(found: dict[str, Any], certificate: x509.Certificate) -> Iterator[str]:
    for name, inside, part in (
        ("passTypeIdentifier", identifiers.pass_type_of(certificate), "UID"),
        ("teamIdentifier", identifiers.team_of(certificate), "OU"),
    ):
        given = found.get(name)
        if isinstance(given, str) and given.strip() and given != inside:
            yield f"{name} is {given}, but the certificate that signed is for {inside or 'none'} ({part})."


def _web_service(found: dict[str, Any]) -> Iterator[str]:
    address, token = found.get("webServiceURL"), found.get("authenticationToken")
    pair = ("webServiceURL", "authenticationToken")
    if (pair[0] in found) != (pair[1] in found):
        there, missing = pair if pair[0] in found else pair[::-1]
        yield f"{there} is there without {missing}: the pass can never be updated."
    if isinstance(token, str) and len(token) < TOKEN_LEAST:
        yield f"authenticationToken has {len(token)} characters; Apple wants at least {TOKEN_LEAST}."
    elif token is not None and not isinstance(token, str):
        yield f"authenticationToken must be a text, not {token!r}."
    if address is None:
        return
    parts = urlsplit(address) if isinstance(address, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        yield f"webServiceURL must be an address that begins with https://, not {address!r}."
    elif parts.scheme == "http" and not _is_near(parts.hostname):
        yield "webServiceURL begins with http://; phones in the field take https:// only."
    elif parts.path.rstrip("/").endswith("/v1"):
        yield "webServiceURL ends in /v1, which the phone appends itself."


def _is_near(host: str) -> bool:
    """Tell whether a host is of a developer's own network, where phones can be told to accept http."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost"))


def _look(found: dict[str, Any]) -> Iterator[str]:
    for name in COLOURS:
        if name in found and found[name] is not None and not _is_colour(found[name]):
            yield f"{name} must be written as rgb(0, 0, 0) to rgb(255, 255, 255) or #rrggbb, not {found[name]!r}."
    for name in YES_OR_NO:
        if name in found and found[name] is not None and not isinstance(found[name], bool):
            yield f"{name} must be true or false, not {found[name]!r}."
    if "appLaunchURL" in found and "associatedStoreIdentifiers" not in found:
        yield "appLaunchURL is there without associatedStoreIdentifiers."
    stores = found.get("associatedStoreIdentifiers", [])
    if not isinstance(stores, list) or any(isinstance(one, bool) or not isinstance(one, int) for one in stores):
        yield "associatedStoreIdentifiers must be a list of numbers."


def _is_colour(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = RGB.fullmatch(value.strip())
    return all(int(part) < 256 for part in parts.groups()) if parts else bool(HEX.fullmatch(value))


def _style(found: dict[str, Any], style: str) -> Iterator[str]:
    if "groupingIdentifier" in found and style not in GROUPED:
        yield f"groupingIdentifier is not allowed on the style {style}."
    actions = found.get("featuredActions", [])
    if not isinstance(actions, list) or len(actions) > ACTIONS_MOST:
        yield f"featuredActions must be a list of at most {ACTIONS_MOST}."
