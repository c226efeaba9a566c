"""Addresses of staff and PINs under /api/v1/store/loyalty/."""

from django.urls import path

from stores.api import pins

store_urlpatterns = [
    path("pins", pins.PinListView.as_view(), name="api-pins"),
    path("pins/verify", pins.PinVerifyView.as_view(), name="api-pins-verify"),
    path("pins/<uuid:staff_id>", pins.PinDetailView.as_view(), name="api-pin"),
    path("pins/<uuid:staff_id>/unlock", pins.PinUnlockView.as_view(), name="api-pin-unlock"),
    path("staff", pins.StaffView.as_view(), name="api-staff"),
]
