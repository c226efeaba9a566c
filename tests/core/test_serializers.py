"""Input serializers: strict, and the fields that a class shares speak every caller's language."""

from typing import Any

import pytest
from django.utils.translation import override
from rest_framework import serializers

from core.api.serializers import StrictIntegerField, StrictSerializer


class Inner(StrictSerializer):
    """A part of a body."""

    size = StrictIntegerField(max_value=5)


class Body(StrictSerializer):
    """A body with a part and a list."""

    count = StrictIntegerField(max_value=5)
    inner = Inner(required=False)
    many = serializers.ListField(child=StrictIntegerField(max_value=5), required=False)


def refusals(language: str) -> list[str]:
    with override(language):
        body = Body(data={"count": 6, "inner": {"size": 6}, "many": [6]})
        assert not body.is_valid()
        found: dict[str, Any] = body.errors
        return [str(found["count"][0]), str(found["inner"]["size"][0]), str(found["many"][0][0])]


def test_everybody_is_refused_in_their_own_language() -> None:
    said = {language: refusals(language) for language in ("fr", "de", "en", "lb", "fr", "en")}

    assert {len(set(texts)) for texts in said.values()} == {1}, said
    assert len({texts[0] for texts in said.values()}) == 4, said


def test_bodies_share_their_fields_and_nothing_else() -> None:
    first, second = Body(data={"count": 1}), Body(data={"count": 2})

    assert first.is_valid()
    assert second.is_valid()
    assert first.fields["count"] is second.fields["count"]
    assert (first.validated_data["count"], second.validated_data["count"]) == (1, 2)


def test_a_body_that_may_be_incomplete_has_fields_of_its_own() -> None:
    assert Body(data={}, partial=True).is_valid()
    assert not Body(data={}).is_valid()


@pytest.mark.parametrize("data", [{"count": 1, "more": 2}, {"count": "1"}, {"count": True}, []])
def test_what_is_not_known_is_refused(data: Any) -> None:
    assert not Body(data=data).is_valid()
