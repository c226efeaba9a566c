"""Addresses of merchants' own pages; to be included before allauth's, whose sign-up page is ours."""

from django.urls import path
from django.views.generic import RedirectView

from merchants.views.theme import theme

app_name = "merchants"
urlpatterns = [
    path("accounts/signup/", RedirectView.as_view(url="/signup/", query_string=True), name="signup_moved"),
    path("theme/<uuid:merchant_id>-<int:version>.css", theme, name="theme"),
]
