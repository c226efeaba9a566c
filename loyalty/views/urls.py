"""Addresses of the customer's pages."""

from django.urls import path

from loyalty.views import (
    cards,
    enrollment,
    entry,
    handover,
    links,
    live,
    own_device,
    privacy,
    rights,
    saving,
    unsubscribe,
)

app_name = "loyalty"

urlpatterns = [
    path("loyalty", entry.OwnCardDoor.as_view(), name="own"),
    path("loyalty/dashboard", entry.OwnCardDoor.as_view(), name="own-dashboard"),
    path("loyalty/history", entry.OwnCardDoor.as_view(page="history"), name="own-history"),
    path("loyalty/enroll", entry.OwnCardDoor.as_view(), name="own-enroll"),
    path("loyalty/worker.js", live.worker, name="worker"),
    path("loyalty/<str:store_code>", entry.StoreDoor.as_view(), name="card"),
    path("loyalty/<str:store_code>/enroll", enrollment.EnrollPage.as_view(), name="enroll"),
    path("loyalty/<str:store_code>/welcome", enrollment.WelcomePage.as_view(), name="welcome"),
    path("loyalty/<str:store_code>/dashboard", cards.DashboardPage.as_view(), name="dashboard"),
    path("loyalty/<str:store_code>/history", cards.HistoryPage.as_view(), name="history"),
    path("loyalty/<str:store_code>/privacy", privacy.PrivacyPage.as_view(), name="privacy"),
    path("loyalty/<str:store_code>/privacy/export", rights.ExportPage.as_view(), name="export"),
    path("loyalty/<str:store_code>/privacy/erase", rights.ErasePage.as_view(), name="erase"),
    path("loyalty/<str:store_code>/profile", privacy.ProfilePage.as_view(), name="profile"),
    path("loyalty/<str:store_code>/state", live.StatePage.as_view(), name="state"),
    path("loyalty/<str:store_code>/save", saving.SavePage.as_view(), name="save"),
    path("loyalty/<str:store_code>/handover", handover.HandoverPage.as_view(), name="handover"),
    path("loyalty/<str:store_code>/open/<str:token>", handover.OpenPage.as_view(), name="open"),
    path("loyalty/<str:store_code>/recover", links.RecoverPage.as_view(), name="recover"),
    path("loyalty/<str:store_code>/link/<str:token>", links.LinkPage.as_view(), name="link"),
    path("u/<str:token>", unsubscribe.UnsubscribePage.as_view(), name="unsubscribe"),
    path("stamp/<str:store_code>", own_device.OwnStampPage.as_view(), name="own-stamp"),
    path("points/<str:store_code>", own_device.OwnPointsPage.as_view(), name="own-points"),
    path("c/<str:code>", entry.CodePage.as_view(), name="code"),
]
