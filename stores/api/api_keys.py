"""API keys over the merchant API: made and shown once, listed, renamed, revoked. Nobody gives more than they have."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.keyset import KeysetPagination
from core.errors import NotFound, PermissionDenied
from merchants import permissions
from stores.api.device_serializers import (
    ApiKeyInputSerializer,
    ApiKeySerializer,
    NewApiKeySerializer,
    RenameSerializer,
)
from stores.api.devices import DeviceView
from stores.api.merchant import KEY, MERCHANT, TAG
from stores.queries import devices
from stores.services import api_keys


class ApiKeyListView(DeviceView):
    """The keys that work."""

    right: ClassVar = permissions.API_KEYS
    pagination_class = KeysetPagination
    ordering = ("-created_at", "-id")

    @extend_schema(
        tags=[TAG], operation_id="merchant_api_keys_list", summary="List API keys", parameters=[MERCHANT],
        responses=ApiKeySerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the keys that were not revoked, made last first; never their text."""
        return self.page(request, devices.api_keys(), ApiKeySerializer)

    @extend_schema(
        tags=[TAG], operation_id="merchant_api_keys_create", summary="Make an API key", parameters=[MERCHANT, KEY],
        request=ApiKeyInputSerializer, responses={201: NewApiKeySerializer},
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Make a key, shown this once. It has no scope, store or time that the caller has not."""
        data = self.read(ApiKeyInputSerializer)
        for scope in sorted(set(data["scopes"]) & set(permissions.SCOPES)):
            self.access.require(scope)

        def run() -> tuple[int, Any, Any]:
            reference, bound = data.get("store"), self.bound_store_id
            store_id = self.store_named(reference).pk if reference else bound
            made = api_keys.create(
                merchant_id=self.merchant_id, name=data["name"], scopes=data["scopes"], store_id=store_id,
                expires_at=self._until(data.get("expires_at")), actor_id=self.actor_id, maker_id=self.maker_id,
                at=timezone.now(),
            )  # fmt: skip
            body = ApiKeySerializer(made.api_key).data
            return 201, {**body, "key": made.text}, {**body, "key": None}

        return self.once("merchant.api_keys.create", run)

    def _until(self, wanted: datetime | None) -> datetime | None:
        """Return when the new key ends: not after the key that makes it."""
        if self.credential.kind != "api_key":
            return wanted
        own = devices.end_of_key(self.credential.id)
        if own is not None and wanted is not None and wanted > own:
            raise PermissionDenied
        return wanted or own


class ApiKeyDetailView(DeviceView):
    """One key."""

    right: ClassVar = permissions.API_KEYS

    @extend_schema(
        tags=[TAG], operation_id="merchant_api_keys_update", summary="Rename an API key", parameters=[MERCHANT, KEY],
        request=RenameSerializer, responses=ApiKeySerializer,
    )  # fmt: skip
    def patch(self, request: Request, api_key_id: UUID) -> HttpResponse:
        """Give the key another name; its rights stay as they were made."""
        key = devices.api_keys().filter(pk=api_key_id).first()
        if key is None:
            raise NotFound
        data = self.read(RenameSerializer)

        def run() -> tuple[int, Any, Any]:
            row = api_keys.rename(
                merchant_id=self.merchant_id, api_key_id=api_key_id, name=data.get("name", key.name),
                at=timezone.now(), actor_id=self.actor_id,
            )  # fmt: skip
            body = ApiKeySerializer(row).data
            return 200, body, body

        return self.once("merchant.api_keys.update", run)

    @extend_schema(
        tags=[TAG], operation_id="merchant_api_keys_revoke", summary="Revoke an API key", parameters=[MERCHANT, KEY],
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, api_key_id: UUID) -> HttpResponse:
        """End the key at once; it cannot be brought back."""

        def run() -> tuple[int, Any, Any]:
            api_keys.revoke(
                merchant_id=self.merchant_id, api_key_id=api_key_id, at=timezone.now(), actor_id=self.actor_id
            )
            return 204, None, None

        return self.once("merchant.api_keys.revoke", run)
