"""The team over the merchant API: who signs in to the back office, in which role."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.api.keyset import KeysetPagination
from core.api.serializers import StrictChoiceField, StrictSerializer
from core.errors import NotFound
from merchants import permissions
from merchants.enums import Role
from merchants.models import Membership
from merchants.queries import people
from merchants.services import team
from stores.api.invitations import InvitationInputSerializer, InvitationListView, InvitationSerializer
from stores.api.merchant import KEY, MERCHANT, TAG, MerchantAPIView


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A member of the team."""

    user_id = serializers.UUIDField()
    name = serializers.CharField(source="user.name", allow_blank=True)
    email = serializers.EmailField(source="user.email")
    role = serializers.ChoiceField(Role.choices)
    joined_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Membership
        fields = ["id", "user_id", "name", "email", "role", "joined_at"]


class MemberChangeSerializer(StrictSerializer):
    """Another role."""

    role = StrictChoiceField(Role.choices, required=False)


class TeamView(InvitationListView):
    """The team; somebody new joins by an invitation."""

    right: ClassVar = permissions.TEAM
    pagination_class = KeysetPagination
    ordering = ("created_at", "id")

    @extend_schema(
        tags=[TAG], operation_id="merchant_team_list", summary="List the team", parameters=[MERCHANT],
        responses=MemberSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """List who has access, who joined first first."""
        return self.page(request, people.members(), MemberSerializer)

    @extend_schema(
        tags=[TAG], operation_id="merchant_team_invite", summary="Invite somebody", parameters=[MERCHANT, KEY],
        request=InvitationInputSerializer, responses={201: InvitationSerializer},
        description="The same as POST `team/invitations`, where open invitations are listed and taken back.",
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Invite an address."""
        return super().post(request)


class TeamMemberView(MerchantAPIView):
    """One member of the team."""

    right: ClassVar = permissions.TEAM

    @extend_schema(
        tags=[TAG], operation_id="merchant_team_update", summary="Change a role", parameters=[MERCHANT, KEY],
        request=MemberChangeSerializer, responses=MemberSerializer,
    )  # fmt: skip
    def patch(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Give another role. Only an owner, signed in, makes or unmakes owners; the last one stays (`last_owner`)."""
        member = people.members().filter(pk=membership_id).first()
        if member is None:
            raise NotFound
        data = self.read(MemberChangeSerializer)

        def run() -> tuple[int, Any, Any]:
            if "role" in data:
                changed = team.change_role(
                    merchant_id=self.merchant_id, membership_id=membership_id, role=data["role"],
                    actor_id=self.actor_id, at=timezone.now(),
                )  # fmt: skip
                member.role = changed.role
            body = MemberSerializer(member).data
            return 200, body, body

        return self.once("merchant.team.update", run)

    @extend_schema(
        tags=[TAG], operation_id="merchant_team_remove", summary="End somebody's access", parameters=[MERCHANT, KEY],
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, membership_id: UUID) -> HttpResponse:
        """End the access at once; the person's account stays."""

        def run() -> tuple[int, Any, Any]:
            team.remove(
                merchant_id=self.merchant_id, membership_id=membership_id, actor_id=self.actor_id, at=timezone.now()
            )
            return 204, None, None

        return self.once("merchant.team.remove", run)
