"""The demo's customers: names as one hears them in Luxembourg, some with an address or a phone, some nameless."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

FIRST = (
    "Marie", "Anne", "Claudine", "Nathalie", "Sophie", "Julie", "Laura", "Lena", "Emma", "Mia", "Lara", "Charlotte",
    "Martine", "Viviane", "Josée", "Sandra", "Ana", "Catarina", "Beatriz", "Inês", "Chiara", "Giulia", "Amélie", "Zoé",
    "Jean", "Marc", "Luc", "Tom", "Ben", "Max", "Noah", "Louis", "Gilles", "Romain", "Serge", "Yves", "Pit", "Jos",
    "Claude", "Patrick", "João", "Tiago", "Rui", "Luca", "Matteo", "Hugo", "Théo", "Felix", "Jonas", "Philippe",
)  # fmt: skip
LAST = (
    "Muller", "Schmit", "Weber", "Wagner", "Hoffmann", "Klein", "Kayser", "Thill", "Reuter", "Kremer", "Faber",
    "Becker", "Weis", "Schroeder", "Meyer", "Steffen", "Hansen", "Kieffer", "Welter", "Kirsch", "Goergen", "Biver",
    "Majerus", "Flammang", "Thiry", "Nilles", "Da Silva", "Ferreira", "Santos", "Pereira", "Rodrigues", "Gonçalves",
    "Martins", "Costa", "Dupont", "Lambert", "Simon", "Laurent", "Girard", "Rossi", "Bianchi", "Ricci", "Conti",
    "Braun", "Wolff", "Novak", "Kovačević", "Hodžić", "Nowak", "O'Brien",
)  # fmt: skip
LANGUAGES = ("fr", "fr", "fr", "lb", "lb", "lb", "de", "en", "en")


@dataclass(frozen=True, slots=True)
class Person:
    """What one customer told of themselves; every field may be empty."""

    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = "fr"
    birthday: tuple[int, int] | None = None
    wants_news: bool = False
    wants_offers: bool = False


def people(chance: random.Random, count: int) -> Iterator[Person]:
    """Yield customers; no two have the same name or address."""
    names = [(first, last) for first in FIRST for last in LAST]
    for number, (first, last) in enumerate(chance.sample(names, count)):
        language = chance.choice(LANGUAGES)
        kind = chance.random()
        if kind < 0.07:
            yield Person(language=language)
            continue
        email = f"{_plain(first)}.{_plain(last)}@mail.example" if kind < 0.85 else ""
        phone = f"+352691000{number:03}" if chance.random() < 0.3 else ""
        yield Person(
            name=f"{first} {last}", email=email, phone=phone, language=language,
            birthday=(chance.randint(1, 28), chance.randint(1, 12)) if chance.random() < 0.4 else None,
            wants_news=bool(email) and chance.random() < 0.6, wants_offers=bool(email) and chance.random() < 0.35,
        )  # fmt: skip


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower().replace(" ", "-").replace("'", ""))
    return "".join(letter for letter in letters if letter.isascii())
