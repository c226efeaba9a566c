"""Posters as a print shop and a phone see them: rendered, and their code read."""

import io
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from core import images, pictures, tenancy
from dashboard.services import posters
from dashboard.services.posters import typesetting
from merchants.models import Merchant
from merchants.rules import colours
from tests.dashboard.conftest import Shop

MM = 72 / 25.4
TRIM = {"a4": (210, 297), "a5": (148, 210), "tent": (210, 297)}
FACTS: dict[str, Any] = {
    "merchant": "CoffeeLux", "store": "Gare", "color": "#5A2D1A", "icon": "cup", "seed": "gare",
    "enroll_url": "https://cards.example/loyalty/gare/enroll", "address": "cards.example/loyalty/gare/enroll",
    "first_language": "fr", "stamps": 10, "reward": "free coffee",
}  # fmt: skip


def sheet(size: str = "a4", language: str = "all", **changed: Any) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(posters.draw(size, posters.Facts(**{**FACTS, **changed}), language))


def picture(document: pypdfium2.PdfDocument) -> Image.Image:
    image: Image.Image = document[0].render(scale=1.5).to_pil()
    return image


def text(document: pypdfium2.PdfDocument) -> str:
    return document[0].get_textpage().get_text_bounded().replace("\r\n", " ")


@pytest.mark.parametrize("size", posters.SIZES)
@pytest.mark.parametrize("language", [*posters.LANGUAGES, "all"])
def test_the_code_of_each_sheet_leads_to_the_enrolment(size: str, language: str) -> None:
    found = zxingcpp.read_barcodes(picture(sheet(size, language)))

    assert [code.text for code in found] == [FACTS["enroll_url"]] * (2 if size == "tent" else 1)


@pytest.mark.parametrize("size", posters.SIZES)
def test_a_sheet_shows_its_cut_size_and_keeps_the_bleed_for_the_print_shop(size: str) -> None:
    page = sheet(size)[0]
    width, height = TRIM[size]

    assert page.get_size() == pytest.approx((width * MM, height * MM), abs=0.5)
    left, low, right, high = page.get_bleedbox()
    assert (right - left, high - low) == pytest.approx(((width + 6) * MM, (height + 6) * MM), abs=0.5)
    _, _, most_right, most_high = page.get_mediabox()
    assert most_right > right
    assert most_high > high


@pytest.mark.parametrize(
    ("language", "promise", "scan"),
    [
        ("en", "10 stamps, free coffee.", "Scan. No app."),
        ("fr", "10 tampons, free coffee.", "Scannez. Sans application."),
        ("de", "10 Stempel, free coffee.", "Scannen. Ohne App."),
        ("lb", "10 Stempelen, free coffee.", "Scannen. Ouni App."),
    ],
)
def test_a_sheet_speaks_its_language(language: str, promise: str, scan: str) -> None:
    said = text(sheet(language=language))

    assert promise in said
    assert scan in said


@pytest.mark.parametrize("size", posters.SIZES)
@pytest.mark.parametrize("language", [*posters.LANGUAGES, "all"])
def test_what_is_said_in_one_breath_stands_on_one_line(size: str, language: str) -> None:
    lines = sheet(size, language)[0].get_textpage().get_text_bounded().split("\r\n")

    whole = {
        "en": "No app.",
        "fr": "Sans application.",
        "de": "Ohne App.",
        "lb": "Ouni App.",
        "all": "Sans application.",
    }
    assert whole[language] in lines
    assert "free coffee." in lines


def test_no_word_is_left_alone_on_the_last_line() -> None:
    typesetting.load()
    promise = "Collect points with every purchase"
    room = typesetting.width("Collect points with every", typesetting.HEAVY, 40) + 1

    assert typesetting.wrap(promise, typesetting.HEAVY, 40, room) == ["Collect points with every", "purchase"]
    assert typesetting.balanced(promise, typesetting.HEAVY, 40, room) == ["Collect points with", "every purchase"]


def test_all_four_begin_with_the_merchants_own() -> None:
    said = text(sheet(first_language="lb"))

    assert "10 Stempelen" in said
    assert "10 tampons" not in said
    assert all(word in said for word in ("Scannen. Ouni App.", "Scan. No app.", "Sans application.", "Ohne App."))


def test_the_name_of_the_document_is_its_promise() -> None:
    metadata = sheet(language="fr").get_metadata_dict()

    assert metadata["Title"] == "CoffeeLux – 10 tampons, free coffee."


@pytest.mark.parametrize("color", ["#FFFFFF", "#000000", "#F5B83D", "#777777", "#5A2D1A"])
def test_any_colour_leaves_the_code_readable_and_the_text_too(color: str) -> None:
    document = sheet(color=color)

    assert zxingcpp.read_barcodes(picture(document))
    shades = colours.palette(color)
    assert colours.contrast(shades["on-merchant"], shades["merchant"]) >= colours.READABLE


@pytest.mark.parametrize(
    "changed",
    [
        {"merchant": "B" * 80, "store": "S" * 80, "reward": "W" * 120},
        {"merchant": "Łukasz & Ťapka – Œuvre", "reward": "un café « crème » à 2,50\u202f€"},
        {"merchant": "カフェ", "reward": "🎁"},
        {"stamps": 1}, {"stamps": 50}, {"stamps": None, "reward": ""}, {"stamps": 10, "reward": ""},
        {"enroll_url": f"https://cards.example/loyalty/{'x' * 60}/enroll", "address": "cards.example/" + "x" * 90},
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", posters.SIZES)
def test_whatever_a_merchant_writes_there_is_a_sheet(size: str, changed: dict[str, Any]) -> None:
    document = sheet(size, **changed)

    assert len(document) == 1
    assert zxingcpp.read_barcodes(picture(document))[0].text == changed.get("enroll_url", FACTS["enroll_url"])


def test_letters_outside_ascii_are_set_as_written() -> None:
    said = text(sheet(merchant="Łukasz Œuvre", reward="Kaffi fir d'Bécher"))

    assert "Łukasz Œuvre" in said
    assert "Bécher" in said


def test_a_merchant_takes_the_file(shop: Shop) -> None:
    answer = shop.client().get(shop.page("posters/a5.pdf"), {"lang": "de"})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="poster-{shop.code}-a5-de.pdf"'
    assert "10 Stempel, Free coffee." in text(pypdfium2.PdfDocument(answer.content))


@pytest.mark.parametrize("page", ["posters/a3.pdf", "posters/a4.pdf?lang=xx", "posters/a4.pdf?lang="])
def test_what_there_is_not_is_404(page: str, shop: Shop) -> None:
    assert shop.client().get(shop.page(page)).status_code == 404


def test_the_page_offers_the_sizes_in_the_chosen_language(shop: Shop) -> None:
    said = shop.client().get(shop.page("posters"), {"lang": "lb"}).content.decode()

    for size in posters.SIZES:
        assert f"{shop.page('posters')}/{size}.pdf?lang=lb" in said
    assert "10 Stempelen, Free coffee." in said


def test_the_logo_is_on_the_sheet_and_a_lost_one_is_no_fault(shop: Shop) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (700, 700), "#FF00FF").save(drawn, "PNG")
    drawn.seek(0)
    name = pictures.keep("logos", images.logo(drawn))
    with tenancy.scope(shop.merchant_id):
        Merchant.objects.update(logo=name)
    with_logo = picture(pypdfium2.PdfDocument(shop.client().get(shop.page("posters/a4.pdf")).content))
    pictures.drop(name)
    without = picture(pypdfium2.PdfDocument(shop.client().get(shop.page("posters/a4.pdf")).content))

    assert (255, 0, 255) in {color for _count, color in with_logo.getcolors(1 << 20)}
    assert (255, 0, 255) not in {color for _count, color in without.getcolors(1 << 20)}
