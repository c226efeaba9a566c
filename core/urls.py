"""Addresses of core: language and theme switches."""

from django.urls import include, path

from core import views

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("theme", views.set_theme, name="set_theme"),
]
