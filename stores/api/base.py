"""The base of every view of the store API: who calls, for which store, with which right."""

from contextlib import ExitStack
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from core import idempotency, tenancy
from core.api.throttling import CredentialThrottle
from core.errors import NotAuthenticated
from merchants.permissions import MANAGE, READ
from stores.api.authentication import ApiKeyAuthentication, SessionAuthentication, TerminalAuthentication
from stores.queries import access as access_queries
from stores.queries.access import Access, Credential

STORE_HEADER = "X-Store-Code"
TERMINAL_HEADER = "X-Terminal"


class StoreAPIView(APIView):
    """A view for tills, scripts and people of a merchant.

    Plain endpoints run inside the merchant's scope with `self.access` loaded and `scope_required[method]` checked
    (reads need `read`, everything else `manage`, unless a view says otherwise). Operations set `in_scope = False` and
    call one service outside of any scope with `self.credential`, since what a refusal leaves behind must survive it.
    """

    authentication_classes = [ApiKeyAuthentication, TerminalAuthentication, SessionAuthentication]
    throttle_classes = [CredentialThrottle]
    permission_classes = []
    scope_required: ClassVar[dict[str, str]] = {"GET": READ}
    in_scope = True
    store_needed = True

    credential: Credential
    access: Access

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate; for plain endpoints open the scope and check the right."""
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, Credential):
            raise NotAuthenticated
        self.credential = request.auth
        if self.in_scope:
            self._stack.enter_context(tenancy.scope(self.credential.merchant_id))
            self.access = access_queries.load(self.credential, self.store_code, store_needed=self.store_needed)
            self.access.require(self.needed_scope)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the handler; the scope that `initial` opened ends with it, rolled back when the handler failed."""
        with ExitStack() as self._stack:
            response = super().dispatch(request, *args, **kwargs)
            if getattr(response, "exception", False) and tenancy.current_merchant_id() is not None:
                transaction.set_rollback(True)
            return response

    @property
    def needed_scope(self) -> str:
        """The scope this method needs."""
        return self.scope_required.get(self.request.method or "", MANAGE)

    @property
    def store_code(self) -> str | None:
        """The store named by the caller."""
        code = self.request.headers.get(STORE_HEADER, "").strip()
        return code[:100].replace("\x00", "") or None

    @property
    def device(self) -> str:
        """The till that a POS key names; a paired terminal is a till itself and names none."""
        return self.request.headers.get(TERMINAL_HEADER, "") if self.credential.kind == "api_key" else ""

    @property
    def idempotency_key(self) -> str | None:
        """The caller's key for this write, None when it sent none."""
        return self.request.headers.get("Idempotency-Key")

    def answer(self, answer: idempotency.Answer) -> HttpResponse:
        """Make the response of a write: its text is sent as it is stored, so that a replay is the same."""
        headers = {idempotency.REPLAY: "true"} if answer.replayed else None
        if answer.status == HTTPStatus.NO_CONTENT:
            empty = HttpResponse(status=answer.status, headers=headers)
            del empty["Content-Type"]
            return empty
        return HttpResponse(answer.text, content_type="application/json", status=answer.status, headers=headers)
