"""A mail server on a real socket: takes mails, or answers them with the code it is told to."""

import socketserver
import threading
from typing import Any, Self


class MailServer:
    """Use it as a context manager; `refuse` is the answer to each recipient ("" takes all), `taken` what came."""

    def __init__(self) -> None:
        self.refuse = ""
        self.taken: list[str] = []
        house = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 ready")
                for line in self.rfile:
                    word = line.decode().strip().upper()
                    if word == "DATA":
                        self._say("354 go on")
                        house.taken.append(self._message())
                        self._say("250 taken")
                    elif word.startswith("RCPT") and house.refuse:
                        self._say(house.refuse)
                    elif word == "QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 well")

            def _message(self) -> str:
                lines = []
                for line in self.rfile:
                    if line.strip() == b".":
                        break
                    lines.append(line.decode())
                return "".join(lines)

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def use(self, settings: Any) -> None:
        """Let Django send through this server."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = self._server.server_address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 2
