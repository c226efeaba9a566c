"""The corpus: good passes have no fault, and each broken one exactly one, with its reason."""

import io
import json
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from PIL import Image

from tests.fakes import credentials
from tests.wallets.apple import broken
from tests.wallets.apple.broken import Package, field_of
from tests.wallets.apple.conftest import IDENTITY, PASS_TYPE, TEAM, Chain
from wallets.providers.apple import lint
from wallets.providers.apple.provider import APPLE
from wallets.rules.description import CardDescription

pytestmark = pytest.mark.usefixtures("openssl")
Spoil = Callable[[Package], Package]


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#5a2d1a").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def good(apple: Chain, card: Callable[..., CardDescription]) -> Package:
    """A pass of ours, taken apart."""
    with zipfile.ZipFile(io.BytesIO(APPLE.render(card(), IDENTITY).content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    own = {name: content for name, content in files.items() if name not in ("manifest.json", "signature")}
    return Package(own, apple.leaf, [apple.issuer])


def edit(change: Callable[[dict[str, Any]], Any]) -> Spoil:
    return lambda package: package.edit(change)


def of_field(group: str, **changes: Any) -> Spoil:
    return edit(lambda content: field_of(content, group).update(changes))


def barcode(**changes: Any) -> Spoil:
    return edit(lambda content: content["barcodes"][0].update(changes))


def more(name: str, value: Any) -> Spoil:
    def change(package: Package) -> Package:
        setattr(package, name, value)
        return package

    return change


def in_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"My Card.pass/{name}": content for name, content in files.items()}


def half(png_bytes: bytes) -> bytes:
    return png_bytes[: len(png_bytes) // 2]


def drop(name: str, group: str = "secondaryFields") -> Spoil:
    return edit(lambda content: field_of(content, group).pop(name))


def fill(group: str, count: int) -> Spoil:
    fields = [{"key": f"extra{n}", "label": "x", "value": "y"} for n in range(count)]
    return edit(lambda content: content["storeCard"].update({group: fields}))


CORPUS: dict[str, tuple[Spoil, str]] = {
    # The zip (pitfalls 22, 23)
    "enclosing folder": (more("packed", in_folder), "The files are in a folder (My Card.pass/)"),
    "left by macOS": (lambda p: p.put("__MACOSX/._icon.png", b"x"), "__MACOSX/._icon.png was left by a desktop"),
    "DS_Store": (lambda p: p.put(".DS_Store", b"x"), ".DS_Store was left by a desktop"),
    "backslash": (
        lambda p: p.put("xx.lproj\\pass.strings", b'"a" = "b";'),
        "xx.lproj\\pass.strings is written with a backslash",
    ),
    "path out of it": (lambda p: p.put("../icon.png", b"x"), "../icon.png is no plain path"),
    "no signature": (
        more("packed", lambda files: {n: c for n, c in files.items() if n != "signature"}),
        "signature is missing.",
    ),
    "no manifest": (
        more("packed", lambda files: {n: c for n, c in files.items() if n != "manifest.json"}),
        "manifest.json is missing.",
    ),
    "no pass.json": (lambda p: p.put("pass.json", None), "pass.json is missing."),
    "no icon": (
        lambda p: p.put("icon.png", None).put("icon@2x.png", None).put("icon@3x.png", None),
        "There is no icon",
    ),
    # The manifest (pitfall 22)
    "unlisted file": (
        more("listed", lambda listed: {n: h for n, h in listed.items() if n != "de.lproj/pass.strings"}),
        "No entry in the manifest for de.lproj/pass.strings.",
    ),
    "missing file": (
        more("listed", lambda listed: {**listed, "logo@9x.png": "0" * 40}),
        "manifest.json lists logo@9x.png, which is not in the package.",
    ),
    "wrong hash": (
        more("listed", lambda listed: {**listed, "logo.png": "0" * 40}),
        "The manifest's hash of logo.png is 0000",
    ),
    "hash in capitals": (
        more("listed", lambda listed: {**listed, "logo.png": listed["logo.png"].upper() + "A"}),
        "The manifest's hash of logo.png is not 40 lower-case",
    ),
    "lists itself": (
        more("listed", lambda listed: {**listed, "manifest.json": "0" * 40}),
        "manifest.json lists manifest.json",
    ),
    "manifest with BOM": (
        more("listed", lambda listed: b"\xef\xbb\xbf" + json.dumps(listed).encode()),
        "manifest.json begins with a byte order mark",
    ),
    "manifest is a list": (more("listed", lambda listed: list(listed)), "manifest.json must be a JSON object."),
    # The signature (pitfalls 19, 21, 50)
    "changed after signing": (more("signed", lambda manifest: manifest + b" "), "The signature is of another manifest"),
    "without binary": (more("options", ["-md", "sha256"]), "made without the option Binary"),
    "not detached": (more("options", ["-binary", "-md", "sha256", "-nodetach"]), "has the manifest inside"),
    "no certificates": (
        more("options", ["-binary", "-md", "sha256", "-nocerts"]),
        "The certificate that signed is not in",
    ),
    "no attributes": (more("options", ["-binary", "-md", "sha256", "-noattr"]), "has no signed attributes"),
    "no intermediate": (more("others", []), "The signature lacks Apple's intermediate"),
    "spoiled value": (
        more("shaped", lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])),
        "does not verify with the certificate",
    ),
    "PEM": (more("shaped", lambda _: b"-----BEGIN PKCS7-----\nMII\n"), "is text (PEM or S/MIME); it must be DER"),
    "rubbish": (more("shaped", lambda _: b"\x30\x82rubbish"), "is no CMS SignedData in DER"),
    "cut off": (more("shaped", lambda signature: signature[:-40]), "is no CMS SignedData in DER"),
    # pass.json (pitfalls 23, 25 to 30)
    "BOM": (lambda p: p.text(b"\xef\xbb\xbf" + p.files["pass.json"]), "pass.json begins with a byte order mark"),
    "UTF-16": (lambda p: p.text(p.files["pass.json"].decode().encode("utf-16")), "begins with a byte order mark"),
    "Latin-1": (
        lambda p: p.text(p.files["pass.json"].decode().replace("é", "e").encode("latin-1", "replace")),
        "pass.json is not UTF-8",
    ),
    "trailing comma": (lambda p: p.text(p.files["pass.json"][:-1] + b",}"), "pass.json is not JSON"),
    "NaN": (
        lambda p: p.text(p.files["pass.json"].replace(b"49.6,", b"NaN,", 1)),
        "pass.json has NaN",
    ),
    "duplicate key": (
        lambda p: p.text(p.files["pass.json"].replace(b'{"formatVersion":1', b'{"serialNumber":"x","formatVersion":1')),
        "pass.json has the key 'serialNumber' twice",
    ),
    "null": (
        edit(lambda content: field_of(content, "headerFields").update(value=None)),
        "null at storeCard.headerFields[0].value",
    ),
    "null at the top": (edit(lambda content: content.update(description=None)), "pass.json has null at description"),
    "other pass type": (
        lambda p: p.content(passTypeIdentifier="pass.example.other"),
        "passTypeIdentifier is pass.example.other, but the certificate that signed is for pass.example.loyalty (UID)",
    ),
    "other team": (lambda p: p.content(teamIdentifier="OTHER12345"), "teamIdentifier is OTHER12345, but"),
    "format version": (lambda p: p.content(formatVersion="1"), "formatVersion is '1'"),
    "no organisation": (lambda p: p.content(organizationName=None), "pass.json lacks organizationName."),
    "serial is a number": (lambda p: p.content(serialNumber=4711), "serialNumber must be a text, not 4711"),
    "empty description": (lambda p: p.content(description=" "), "description is empty."),
    "no style": (lambda p: p.content(storeCard=None), "pass.json has no style"),
    "two styles": (lambda p: p.content(generic={}), "several styles (generic, storeCard)"),
    "token alone": (lambda p: p.content(webServiceURL=None), "authenticationToken is there without webServiceURL"),
    "address alone": (lambda p: p.content(authenticationToken=None), "webServiceURL is there without authentication"),
    "short token": (lambda p: p.content(authenticationToken="short"), "authenticationToken has 5 characters"),
    "ends in v1": (
        lambda p: p.content(webServiceURL="https://cards.example/api/v1/loyalty/apple/v1/"),
        "webServiceURL ends in /v1",
    ),
    "plain http": (lambda p: p.content(webServiceURL="http://cards.example/a"), "phones in the field take https://"),
    "no address": (lambda p: p.content(webServiceURL="cards.example"), "webServiceURL must be an address"),
    "colour": (lambda p: p.content(backgroundColor="rgb(300, 0, 0)"), "backgroundColor must be written as rgb"),
    "voided is a text": (lambda p: p.content(voided="true"), "voided must be true or false"),
    "date without offset": (lambda p: p.content(expirationDate="2027-03-28T23:59:59"), "without an offset"),
    "date without time": (lambda p: p.content(expirationDate="2027-03-28"), "expirationDate is '2027-03-28'"),
    "no such date": (lambda p: p.content(expirationDate="2027-02-30T10:00:00Z"), "no date of the calendar"),
    "grouping": (lambda p: p.content(groupingIdentifier="x"), "groupingIdentifier is not allowed"),
    "three tiles": (lambda p: p.content(featuredActions=[{}] * 3), "featuredActions must be a list of at most 2"),
    "launch address": (lambda p: p.content(appLaunchURL="x://"), "without associatedStoreIdentifiers"),
    "NFC too long": (lambda p: p.content(nfc={"message": "é" * 40}), "nfc has a message of 80 bytes"),
    # What is scanned and met (pitfalls 25, 28, 29)
    "old barcode": (
        lambda p: p.content(barcodes=None, barcode={"format": "PKBarcodeFormatQR"}),
        "only barcode, which iOS 9 replaced",
    ),
    "message is a number": (barcode(message=12345), "barcodes[0] has the message 12345; it must be a text"),
    "message in Latin-1": (barcode(message="山田"), "barcodes[0] has a message that iso-8859-1 cannot write"),
    "unknown format": (barcode(format="QR"), "barcodes[0] has the unknown format 'QR'"),
    "new format alone": (barcode(format="PKBarcodeFormatEAN13"), "phones before iOS 27 do not show"),
    "no encoding": (edit(lambda content: content["barcodes"][0].pop("messageEncoding")), "lacks messageEncoding"),
    "eleven places": (lambda p: p.content(locations=[{"latitude": 1, "longitude": 2}] * 11), "11 entries"),
    "latitude": (lambda p: p.content(locations=[{"latitude": 149.6, "longitude": 6}]), "the latitude 149.6"),
    "coordinate as text": (lambda p: p.content(locations=[{"latitude": "1", "longitude": 6}]), "the latitude '1'"),
    # Fields (pitfalls 26, 27)
    "key twice": (of_field("secondaryFields", key="stamps"), "'stamps', which headerFields[0] has already"),
    "no value": (drop("value"), "secondaryFields[0] lacks value."),
    "no key": (drop("key"), "secondaryFields[0] lacks key."),
    "value is a list": (of_field("headerFields", value=["3"]), "headerFields[0] has the value ['3']"),
    "no placeholder": (of_field("headerFields", changeMessage="Changed"), "a changeMessage without %@"),
    "everything announced": (
        edit(lambda content: [field.update(changeMessage="%@") for field in content["storeCard"]["backFields"]]),
        "fields have a changeMessage",
    ),
    "currency of a text": (of_field("headerFields", currencyCode="EUR"), "has currencyCode, but its value '3/10'"),
    "currency and number": (
        of_field("headerFields", value=3, currencyCode="EUR", numberStyle="PKNumberStyleDecimal"),
        "has currencyCode and numberStyle",
    ),
    "date style": (of_field("headerFields", dateStyle="PKDateStyleShort"), "has dateStyle, and its value is '3/10'"),
    "alignment": (of_field("headerFields", textAlignment="center"), "the unknown textAlignment 'center'"),
    "bold": (of_field("backFields", attributedValue="<b>x</b>"), "has <b> in attributedValue"),
    "detector": (of_field("backFields", dataDetectorTypes=["Links"]), "the unknown dataDetectorTypes 'Links'"),
    "crowded header": (fill("headerFields", 4), "storeCard.headerFields has 4 fields; there is room for 3"),
    "crowded middle": (fill("auxiliaryFields", 5), "fields together; there is room for 4"),
    "fields are an object": (edit(lambda c: c["storeCard"].update(headerFields={})), "headerFields must be a list"),
    # Pictures
    "JPEG in disguise": (lambda p: p.put("logo.png", b"\xff\xd8\xff\xe0 JFIF"), "logo.png is not a PNG picture."),
    "picture cut off": (lambda p: p.put("logo.png", half(p.files["logo.png"])), "logo.png is damaged"),
    "icon not square": (
        lambda p: p.put("icon@2x.png", None).put("icon@3x.png", None).put("icon.png", png(29, 20)),
        "icon.png has 29 × 20 pixels; an icon is square.",
    ),
    "density": (lambda p: p.put("icon@2x.png", png(29, 29)), "icon@2x.png has 29 × 29 pixels, the plain one 29 × 29"),
    "logo too wide": (
        lambda p: p.put("logo@2x.png", None).put("logo@3x.png", None).put("logo.png", png(400, 50)),
        "logo.png has 400 × 50 pixels; there is room for 160 × 50.",
    ),
    "thumbnail": (lambda p: p.put("thumbnail.png", png(90, 90)), "thumbnail.png is not shown on a pass of the style"),
    # Languages
    "strings without semicolon": (lambda p: p.put("xx.lproj/pass.strings", b'"a" = "b"\n'), "not readable at line 1"),
    "strings with BOM": (
        lambda p: p.put("de.lproj/pass.strings", b"\xef\xbb\xbf" + p.files["de.lproj/pass.strings"]),
        "de.lproj/pass.strings begins with a UTF-8 byte order mark",
    ),
    "lost text": (
        lambda p: p.put("de.lproj/pass.strings", b"\n".join(p.files["de.lproj/pass.strings"].splitlines()[1:])),
        "de.lproj/pass.strings lacks 'Stamps', which another language has.",
    ),
    "lost placeholder": (
        lambda p: p.put(
            "de.lproj/pass.strings",
            b"\n".join(
                line.split(b" = ")[0] + b' = "x";' if line.startswith(b'"Stamps on') else line
                for line in p.files["de.lproj/pass.strings"].splitlines()
            ),
        ),
        "de.lproj/pass.strings loses the placeholder of 'Stamps on your card: %@'.",
    ),
    "strings elsewhere": (lambda p: p.put("de/pass.strings", b'"a" = "b";'), "de/pass.strings is at no place"),
}


@pytest.mark.parametrize("name", CORPUS)
def test_each_fault_has_one_reason(good: Package, name: str) -> None:
    spoil, reason = CORPUS[name]

    found = lint.faults(spoil(good).build())

    assert len(found) == 1, found
    assert reason in found[0]


def test_corpus_is_large() -> None:
    assert len(CORPUS) >= 20


def test_a_good_pass_has_no_fault(good: Package) -> None:
    """Ours taken apart and made by openssl and another zip writer: neither is our own word."""
    assert lint.faults(good.build()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        more("options", ["-binary", "-md", "sha1"]),
        lambda p: p.put("de.lproj/pass.strings", p.files["de.lproj/pass.strings"].decode().encode("utf-16")),
        lambda p: p.content(webServiceURL="http://192.168.1.20:8000/api/v1/loyalty/apple"),
        lambda p: p.content(backgroundColor="#5a2d1a", userInfo={"a": [1, 2.5, "x"]}),
        lambda p: p.put("personalization.json", b"{}"),
        lambda p: p.edit(lambda c: c["barcodes"].insert(0, {**c["barcodes"][0], "format": "PKBarcodeFormatEAN13"})),
    ],
)
def test_what_phones_take_is_no_fault(good: Package, spoil: Spoil) -> None:
    assert lint.faults(spoil(good).build()) == []


def test_wrong_intermediate_is_named_with_the_right_one(good: Package, apple: Chain) -> None:
    """Pitfall 19: the usual mistake, an older WWDR."""
    good.others = [credentials.make_intermediate(apple.root_issuer)]

    (fault,) = lint.faults(good.build())

    key = apple.issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert "The wrong intermediate is in the signature" in fault
    assert key.hex() in fault


def test_certificate_that_is_not_for_passes(good: Package, apple: Chain) -> None:
    good.signer = credentials.make_server(apple.issuer)
    good.edit(lambda content: content.update(passTypeIdentifier="x", teamIdentifier="y"))

    assert "localhost is no pass certificate" in lint.faults(good.build())[0]


def test_signed_after_the_certificate_expired(good: Package, apple: Chain) -> None:
    """Pitfall 50: the signing time lies outside of the validity."""
    good.signer = credentials.make_signer(apple.issuer, pass_type=PASS_TYPE, team=TEAM, days=0)
    time.sleep(1.1)

    (fault,) = lint.faults(good.build())

    assert "outside of the validity of Pass Type ID: pass.example.loyalty" in fault


def test_signed_by_a_clock_that_is_ahead(good: Package) -> None:
    """Pitfall 50: a signing time in the future is refused."""
    data = good.build()

    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=30)):
        (fault,) = lint.faults(data)

    assert "signed in the future" in fault


@pytest.mark.parametrize("data", [b"", b"PK\3\4 but no zip", b"x" * 100])
def test_what_is_no_zip(data: bytes) -> None:
    assert lint.faults(data) == ["The package is not a zip archive."]


def test_damaged_file(good: Package) -> None:
    good.files = {name: content for name, content in good.files.items() if name != "logo.png"}
    good.files["logo.png"] = png(50, 50)
    data = bytearray(good.build())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        entry = archive.getinfo("logo.png")
    start = entry.header_offset + 30 + len("logo.png")
    data[start : start + entry.compress_size] = zlib.compress(b"else", 9)[2:-4].ljust(entry.compress_size, b"\0")

    (fault,) = lint.faults(bytes(data))

    assert fault.startswith("logo.png is damaged")


def test_file_that_is_there_twice(good: Package) -> None:
    out = io.BytesIO(good.build())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("logo.png", good.files["logo.png"])

    assert lint.faults(out.getvalue()) == ["logo.png is in the zip twice."]


def test_encrypted_and_exotic_zips(good: Package) -> None:
    data = bytearray(good.build())
    central = data.rindex(b"PK\1\2")
    flagged, exotic, large = bytearray(data), bytearray(data), bytearray(data)
    struct.pack_into("<H", flagged, central + 8, 1)
    struct.pack_into("<H", exotic, central + 10, 12)
    struct.pack_into("<H", large, central + 6, 45)

    assert [lint.faults(bytes(one))[0].split(" ", 1)[1][:12] for one in (flagged, exotic, large)] == [
        "is encrypted", "is compresse", "needs zip64,",
    ]  # fmt: skip


def test_bomb_is_not_unpacked(good: Package) -> None:
    good.put("bomb.png", b"\0" * (65 * 1024 * 1024))

    assert lint.faults(good.build()) == ["The package unpacks to more than 64 MB."]


def test_two_faults_are_two_reasons(good: Package) -> None:
    good.content(voided="yes", groupingIdentifier="x")

    assert len(lint.faults(good.build())) == 2


def test_it_works_without_credentials(good: Package, settings: Any) -> None:
    settings.LOYALTY_APPLE_PASS_TYPE_ID = settings.LOYALTY_APPLE_SIGNER_KEY_PATH = ""

    assert lint.faults(good.build()) == []


def test_broken_bytes_never_raise(good: Package) -> None:
    """Whatever stands in the files, there is a reason and no traceback."""
    deep = b"[" * 100_000
    for content in (deep, b"[]", b"1", b'"x"', b"{}", b'{"storeCard": 1}', b'{"storeCard": {"backFields": [1]}}'):
        assert lint.faults(good.text(content).build())


def test_package_builder_is_not_ours() -> None:
    assert "wallets" not in Path(broken.__file__).read_text()
