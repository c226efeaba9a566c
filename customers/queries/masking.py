"""How a customer is shown to staff who only need to recognise them: enough to say hello, not enough to copy."""

ELLIPSIS = "…"


def mask_name(name: str) -> str:
    """Return the initials a greeting needs: "Marie Klein" → "M… K.", "Marie" → "M…"."""
    parts = name.split()
    if not parts:
        return ""
    first = f"{parts[0][0]}{ELLIPSIS}"
    return f"{first} {parts[-1][0]}." if len(parts) > 1 else first


def mask_email(email: str) -> str:
    """Return the first letter and the host: "marie@example.com" → "m…@example.com"."""
    local, at, host = email.rpartition("@")
    return f"{local[0]}{ELLIPSIS}@{host}" if at and local else ""


def mask_phone(phone: str) -> str:
    """Return the last two digits: "+352621123442" → "••• 42"."""
    return f"••• {phone[-2:]}" if phone else ""
