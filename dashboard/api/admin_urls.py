"""Addresses under /api/v1/admin/loyalty/: the platform's administrators."""

from django.urls import URLPattern, path

from dashboard.api import admin

admin_urlpatterns: list[URLPattern] = [
    path("programs", admin.PlatformProgramsView.as_view(), name="api-admin-programs"),
    path("programs/<uuid:program_id>", admin.PlatformProgramView.as_view(), name="api-admin-program"),
    path("programs/<uuid:program_id>/stats", admin.PlatformProgramStatsView.as_view(), name="api-admin-program-stats"),
    path("stats", admin.PlatformStatsView.as_view(), name="api-admin-stats"),
]
