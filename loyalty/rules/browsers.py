"""What a browser says of itself, as far as it changes a customer's page. A guess: nothing is hidden because of it."""

APPLE, ANDROID, DESKTOP = "apple", "android", "desktop"
APPLE_SIGNS = ("iPhone", "iPad", "iPod")
# Browsers inside other apps: many forget their cookies, and few open a wallet.
IN_APP_SIGNS = (
    "FBAN", "FBAV", "Instagram", "musical_ly", "BytedanceWebview", "TikTok", "Snapchat", "LinkedInApp", "Line/",
    "Pinterest/", "Twitter", "WhatsApp", "; wv)",
)  # fmt: skip


def device(user_agent: str) -> str:
    """Return what one holds in the hand: "apple", "android", else "desktop"."""
    if any(sign in user_agent for sign in APPLE_SIGNS):
        return APPLE
    return ANDROID if "Android" in user_agent else DESKTOP


def is_in_app(user_agent: str) -> bool:
    """Tell whether the page is shown inside another app."""
    return any(sign in user_agent for sign in IN_APP_SIGNS)
