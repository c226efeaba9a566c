"""What Google keeps: classes and objects, changed by its rules, with every refusal in its words."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import google_rules

SCHEMAS = {"loyaltyClass": "LoyaltyClass", "loyaltyObject": "LoyaltyObject"}
DAY_SECONDS = 86_400
NOTIFICATIONS_A_DAY = 3
Body = dict[str, Any]


class Refused(Exception):
    """A request that Google does not take."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status, self.reason, self.message = status, reason, message
        super().__init__(message)


@dataclass
class Shelf:
    """Everything of the issuers that a service account may write for. `now` is Google's clock."""

    issuers: set[str]
    now: Callable[[], float] = time.time
    kept: dict[str, dict[str, Body]] = field(default_factory=lambda: {kind: {} for kind in SCHEMAS})
    notified: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lock: Any = field(default_factory=threading.RLock)

    @property
    def classes(self) -> dict[str, Body]:
        """The classes by id."""
        return self.kept["loyaltyClass"]

    @property
    def objects(self) -> dict[str, Body]:
        """The objects by id."""
        return self.kept["loyaltyObject"]

    def listed(self, kind: str, issuer: str) -> dict[str, Any]:
        """Return what an issuer has; another's is refused."""
        if issuer not in self.issuers:
            raise Refused(403, "permissionDenied", f"Permission denied: no access to the issuer {issuer}.")
        with self.lock:
            found = [body for name, body in self.kept[kind].items() if name.partition(".")[0] == issuer]
        return {"resources": found}

    def get(self, kind: str, name: str) -> Body:
        """Read one."""
        self._permitted(name)
        with self.lock:
            return deepcopy(self._found(kind, name))

    def insert(self, kind: str, body: Body) -> Body:
        """Make one; its id must be new and, for an object, its class must be there and approved."""
        wanted = {key: value for key, value in body.items() if key != "notifyPreference"}
        self._checked(google_rules.faults_of(SCHEMAS[kind], body))
        self._permitted(wanted["id"])
        with self.lock:
            if wanted["id"] in self.kept[kind]:
                raise Refused(409, "alreadyExists", f"{kind} {wanted['id']} already exists.")
            self._may_stand(kind, wanted)
            return self._keep(kind, wanted)

    def patch(self, kind: str, name: str, changes: Body) -> Body:
        """Change what is named: messages are merged, lists replaced whole, null clears."""
        self._permitted(name)
        with self.lock:
            old = self._found(kind, name)
            self._checked(google_rules.faults_of(SCHEMAS[kind], changes, partial=True))
            if kind == "loyaltyClass" and changes.get("reviewStatus") != "UNDER_REVIEW":
                raise Refused(
                    400, "invalidReviewStatus", "Invalid review status: an approved class must be UNDER_REVIEW."
                )
            if any(key in changes and changes[key] != old[key] for key in ("id", "classId") if key in old):
                raise Refused(400, "immutable", "id and classId cannot be changed.")
            notify = changes.get("notifyPreference") == "NOTIFY_ON_UPDATE"
            base = {key: value for key, value in old.items() if key not in google_rules.PLATFORMS_OWN}
            new = merged(base, {key: value for key, value in changes.items() if key != "notifyPreference"})
            self._checked(google_rules.faults_of(SCHEMAS[kind], {**new, **_as_sent(kind)}))
            self._may_stand(kind, new)
            if notify and kind == "loyaltyObject":
                self._notify(name, old, new)
            own = {key: value for key, value in old.items() if key in google_rules.PLATFORMS_OWN}
            return self._keep(kind, {**new, **own})

    def update(self, kind: str, name: str, body: Body) -> Body:
        """Replace one: what is not named is gone."""
        self._permitted(name)
        with self.lock:
            self._found(kind, name)
            self._checked(google_rules.faults_of(SCHEMAS[kind], body))
            self._may_stand(kind, body)
            return self._keep(kind, {**body, "id": name})

    def save(self, name: str, *, saved: bool = True) -> None:
        """Somebody adds an object to a wallet, or removes it."""
        with self.lock:
            self._found("loyaltyObject", name)["hasUsers"] = saved

    def _keep(self, kind: str, body: Body) -> Body:
        body = deepcopy(body)
        if kind == "loyaltyClass" and body["reviewStatus"] == "UNDER_REVIEW":
            body["reviewStatus"] = "APPROVED"
        self.kept[kind][body["id"]] = body
        return deepcopy(body)

    def _found(self, kind: str, name: str) -> Body:
        if name not in self.kept[kind]:
            raise Refused(404, "classNotFound" if kind == "loyaltyClass" else "resourceNotFound", f"{name} not found.")
        return self.kept[kind][name]

    def _permitted(self, name: str) -> None:
        if name.partition(".")[0] not in self.issuers:
            raise Refused(403, "permissionDenied", f"Permission denied: no access to the issuer of {name}.")

    def _may_stand(self, kind: str, body: Body) -> None:
        if kind == "loyaltyClass":
            return
        above = self.classes.get(body["classId"])
        if above is None:
            raise Refused(404, "classNotFound", f"The class {body['classId']} was not found.")
        if above["reviewStatus"] != "APPROVED" or body["classId"].partition(".")[0] != body["id"].partition(".")[0]:
            raise Refused(400, "invalidClass", f"The class {body['classId']} is not approved, or another issuer's.")

    def _notify(self, name: str, old: Body, new: Body) -> None:
        """Tell the holder, three times a day at most; only changes of a balance are told."""
        if all(_balance(old, key) == _balance(new, key) for key in ("loyaltyPoints", "secondaryLoyaltyPoints")):
            return
        now = self.now()
        recent = [at for at in self.notified[name] if at > now - DAY_SECONDS]
        if len(recent) >= NOTIFICATIONS_A_DAY:
            raise Refused(403, "quotaExceeded", "QuotaExceededException: too many notifications for this pass.")
        self.notified[name].append(now)

    @staticmethod
    def _checked(faults: list[str]) -> None:
        if faults:
            raise Refused(400, "badRequest", "; ".join(faults[:5]))


def error(status: int, reason: str, message: str) -> Body:
    """Return an error as Google writes it."""
    inner = {"message": message, "domain": "walletobjects", "reason": reason}
    return {"error": {"code": status, "message": message, "errors": [inner]}}


def merged(old: Body, changes: Body) -> Body:
    """Return what becomes of a resource by the rules of a PATCH."""
    new = dict(old)
    for key, value in changes.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            new[key] = merged(new[key] if isinstance(new.get(key), dict) else {}, value)
        else:
            new[key] = value
    return new


def _as_sent(kind: str) -> Body:
    return {"reviewStatus": "UNDER_REVIEW"} if kind == "loyaltyClass" else {}


def _balance(body: Body, key: str) -> Any:
    return (body.get(key) or {}).get("balance")
