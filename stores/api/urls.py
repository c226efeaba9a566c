"""Addresses of stores' API: staff and PINs under /api/v1/store/loyalty/, the merchant's own under /api/v1/merchant/."""

from django.urls import URLPattern, path

from stores.api import api_keys, devices, invitations, logo, pins, profile, stores, team

store_urlpatterns = [
    path("pins", pins.PinListView.as_view(), name="api-pins"),
    path("pins/verify", pins.PinVerifyView.as_view(), name="api-pins-verify"),
    path("pins/<uuid:staff_id>", pins.PinDetailView.as_view(), name="api-pin"),
    path("pins/<uuid:staff_id>/unlock", pins.PinUnlockView.as_view(), name="api-pin-unlock"),
    path("staff", pins.StaffView.as_view(), name="api-staff"),
]
# The profile itself has no slash: loyalty_platform/urls.py names it.
merchant_urlpatterns: list[URLPattern] = [
    path("logo", logo.LogoView.as_view(), name="api-merchant-logo"),
    path("settings", profile.SettingsView.as_view(), name="api-merchant-settings"),
    path("stores", stores.StoreListView.as_view(), name="api-merchant-stores"),
    path("stores/<uuid:store_id>", stores.StoreDetailView.as_view(), name="api-merchant-store"),
    path("team", team.TeamView.as_view(), name="api-merchant-team"),
    path("team/invitations", invitations.InvitationListView.as_view(), name="api-merchant-invitations"),
    path(
        "team/invitations/<uuid:invitation_id>",
        invitations.InvitationDetailView.as_view(),
        name="api-merchant-invitation",
    ),
    path(
        "team/invitations/<uuid:invitation_id>/resend",
        invitations.InvitationResendView.as_view(),
        name="api-merchant-invitation-resend",
    ),
    path("team/<uuid:membership_id>", team.TeamMemberView.as_view(), name="api-merchant-member"),
    path("terminals", devices.TerminalListView.as_view(), name="api-merchant-terminals"),
    path("terminals/<uuid:terminal_id>", devices.TerminalDetailView.as_view(), name="api-merchant-terminal"),
    path("api-keys", api_keys.ApiKeyListView.as_view(), name="api-merchant-keys"),
    path("api-keys/<uuid:api_key_id>", api_keys.ApiKeyDetailView.as_view(), name="api-merchant-key"),
]
