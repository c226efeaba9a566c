"""Promise 16: whatever is thrown at the store API, as its document describes it or not, gets an answer below 500."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, settings

from core import tenancy
from core.api import schema as api_schema
from tests.factories.loyalty import RewardFactory
from tests.support.world import World

pytestmark = pytest.mark.django_db
api = schemathesis.openapi.from_dict(api_schema.document())


@pytest.fixture
def world() -> World:
    world = World.make(loyalty_type="hybrid")
    with tenancy.scope(world.merchant_id):
        RewardFactory(program=world.program)
    world.stamp(world.card(name="Marie"), 3)
    return world


def send(case: Any, world: World) -> Any:
    sent = case.as_transport_kwargs(base_url="http://testserver")
    body = json.dumps(sent["json"]) if "json" in sent else sent.get("data") or b""
    headers = {name: value for name, value in sent["headers"].items() if name.lower() not in ("authorization", "host")}
    path = sent["url"].removeprefix("http://testserver")
    query = urlencode(sent["params"] or {}, doseq=True)
    kind = headers.pop("Content-Type", "application/json")
    return Client(raise_request_exception=False).generic(
        sent["method"], f"{path}?{query}", body, content_type=kind,
        headers={**headers, "Authorization": f"Bearer {world.key_text}"},
    )  # fmt: skip


@api.include(path_regex="^/api/v1/store/").parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_breaks_the_store_api(case: Any, world: World) -> None:
    answer = send(case, world)

    assert answer.status_code < 500, answer.content[:2000]
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", answer.content[:300]
