"""Tells Sentry of faults, and of nothing else: no bodies, cookies, addresses, names, paths or values of variables."""

from typing import Any

from core import tracing

# What remains of an event; everything else is left out, also what later versions of the library may add.
KEPT = {
    "event_id", "timestamp", "platform", "level", "logger", "transaction", "exception", "logentry", "release",
    "environment", "sdk", "modules", "fingerprint", "type",
}  # fmt: skip
OF_A_FRAME = ("filename", "function", "module", "lineno", "in_app", "context_line", "pre_context", "post_context")


def report_to(dsn: str, *, environment: str, release: str) -> None:
    """Start the library. Only exceptions and lines of level ERROR are told; requests and timings are not."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release or None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        traces_sample_rate=None,
        before_send=scrub,
    )


def scrub(event: Any, hint: Any) -> Any:
    """Return the event with what helps to find the fault, and with the numbers of its request and merchant as tags."""
    told = {name: value for name, value in event.items() if name in KEPT}
    for fault in (told.get("exception") or {}).get("values") or []:
        fault["value"] = tracing.blot(str(fault.get("value", "")))
        for frame in (fault.get("stacktrace") or {}).get("frames") or []:
            for name in set(frame) - set(OF_A_FRAME):
                del frame[name]
    entry = told.get("logentry")
    if entry:
        # The form of the message without what was put into it.
        told["logentry"] = {"message": tracing.blot(str(entry.get("message", "")))}
    told["tags"] = tracing.facts()
    method = (event.get("request") or {}).get("method")
    if method:
        told["request"] = {"method": method}
    return told
