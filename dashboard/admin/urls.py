"""Addresses of the platform's own pages under /admin/loyalty/; they stand before the admin's own catch-all."""

from django.urls import URLPattern, path

from dashboard.admin import analytics, merchants, programs, settings

app_name = "platform"

MERCHANT = "merchants/<uuid:merchant_id>"

urlpatterns: list[URLPattern] = [
    path("programs", programs.Programs.page(), name="programs"),
    path("analytics", analytics.Analytics.page(), name="analytics"),
    path(MERCHANT, merchants.MerchantPage.page(), name="merchant"),
    path(f"{MERCHANT}/settings", settings.SettingsPage.page(), name="settings"),
    path(f"{MERCHANT}/look", merchants.LookStart.page(), name="look"),
    path(f"{MERCHANT}/look/end", merchants.LookEnd.page(), name="look_end"),
]
