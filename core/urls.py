"""Addresses of core: language and theme switches."""

from django.urls import include, path

from core import badges, media, views

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("media/badges/<str:file>", badges.serve, name="badge"),
    path("media/<path:file>", media.picture, name="picture"),
    path("theme", views.set_theme, name="set_theme"),
]
