"""Invitations to the team over the merchant API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.keyset import KeysetPagination
from core.api.serializers import NothingSerializer, StrictCharField, StrictSerializer
from merchants import permissions
from merchants.enums import Role
from merchants.models import Invitation
from merchants.queries import invitations as invitation_queries
from merchants.services import invitations
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView

STOPPED = "409 `messages_suspended`: the business is suspended or closed, or the platform stopped its messages."


class InvitedBySerializer(serializers.Serializer):
    """Who invited; null where a script did."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """An invitation that nobody has answered yet."""

    role = serializers.ChoiceField(Role.choices)
    status = serializers.SerializerMethodField()
    invited_by = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "status", "invited_by", "created_at", "expires_at"]

    @extend_schema_field(serializers.ChoiceField(["pending", "expired"]))
    def get_status(self, row: Invitation) -> str:
        """Tell whether the link still works."""
        return "pending" if row.expires_at > timezone.now() else "expired"

    @extend_schema_field(InvitedBySerializer(allow_null=True))
    def get_invited_by(self, row: Invitation) -> dict[str, str] | None:
        """Return who sent it last."""
        return {"id": str(row.invited_by.pk), "name": row.invited_by.name} if row.invited_by else None


class InvitationInputSerializer(StrictSerializer):
    """Whom to invite, and to what."""

    email = StrictCharField(max_length=254)
    role = StrictCharField(max_length=8, default=Role.MANAGER.value, help_text="One of owner, manager, staff.")


class InvitationView(MerchantAPIView):
    """What the views of invitations share."""

    right: ClassVar = permissions.TEAM

    @property
    def inviting_role(self) -> str:
        """The role that invites: a key does what a manager may, whoever made it."""
        return self.access.role if self.credential.kind == "user" else Role.MANAGER


class InvitationListView(InvitationView):
    """The open invitations."""

    pagination_class = KeysetPagination
    ordering = ("-created_at", "-id")

    @extend_schema(
        tags=[TAG], operation_id="merchant_invitations_list", summary="List open invitations", parameters=[MERCHANT],
        responses=InvitationSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List the invitations that nobody has answered, the newest first; expired ones can be sent again."""
        return self.page(request, invitation_queries.pending(), InvitationSerializer)

    @extend_schema(
        tags=[TAG], operation_id="merchant_invitations_create", summary="Invite somebody",
        parameters=[MERCHANT, KEY], request=InvitationInputSerializer, responses={201: InvitationSerializer},
        description="Sends a mail with a link that works once, for seven days. Whether the address has an account does "
        "not show. An open invitation of the address is renewed. Only owners, signed in, invite "
        f"owners. 409 `already_member`. {STOPPED}",
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Invite an address."""
        data = self.read(InvitationInputSerializer)

        def run() -> tuple[int, Any, Any]:
            made = invitations.invite(
                merchant_id=self.merchant_id, email=data["email"], role=data["role"], acting_role=self.inviting_role,
                actor_id=self.actor_id, at=timezone.now(),
            )  # fmt: skip
            body = InvitationSerializer(made).data
            return 201, body, body

        return self.once("merchant.invitations.create", run)


class InvitationDetailView(InvitationView):
    """One open invitation."""

    @extend_schema(
        tags=[TAG], operation_id="merchant_invitations_delete", summary="Take an invitation back",
        parameters=[MERCHANT], responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Take it back: its link stops working at once."""
        invitations.revoke(
            merchant_id=self.merchant_id, invitation_id=invitation_id, acting_role=self.inviting_role,
            actor_id=self.actor_id, at=timezone.now(),
        )  # fmt: skip
        return Response(status=204)


class InvitationResendView(InvitationView):
    """The mail of an open invitation, once more."""

    @extend_schema(
        tags=[TAG], operation_id="merchant_invitations_resend", summary="Send an invitation again",
        parameters=[MERCHANT, KEY], request=None, responses=InvitationSerializer, description=(
            f"For another seven days; the earlier mail's link no longer works. Takes no body. {STOPPED}"
        ),
    )  # fmt: skip
    def post(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Send it again, for another seven days; the earlier mail's link no longer works."""
        invitation_queries.require(invitation_id)
        self.read(NothingSerializer)

        def run() -> tuple[int, Any, Any]:
            row = invitations.resend(
                merchant_id=self.merchant_id, invitation_id=invitation_id, acting_role=self.inviting_role,
                actor_id=self.actor_id, at=timezone.now(),
            )  # fmt: skip
            body = InvitationSerializer(row).data
            return 200, body, body

        return self.once("merchant.invitations.resend", run)
