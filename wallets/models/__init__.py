"""The tables of the wallets."""

from wallets.models.apple import AppleDevice, AppleDeviceRegistration, ApplePass, DeviceLog, TagCounter
from wallets.models.delivery import Delivery, PassUpdate, ProviderState
from wallets.models.google import GoogleCallback, GoogleClass, GooglePass

__all__ = [
    "AppleDevice",
    "AppleDeviceRegistration",
    "ApplePass",
    "Delivery",
    "DeviceLog",
    "GoogleCallback",
    "GoogleClass",
    "GooglePass",
    "PassUpdate",
    "ProviderState",
    "TagCounter",
]
