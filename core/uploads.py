"""How much of an upload is taken: what is larger than any picture we read is kept neither in memory nor on disk."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

from core import images

# Beyond this the rest is not even read.
ENOUGH = 20 * images.MAX_BYTES


class SizeLimit(FileUploadHandler):
    """Drops a file once it is larger than the limit and marks the request; the view then says so."""

    chunk_size = 64 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Over all files of the request: none of our forms takes more than one.
        self.seen = self.announced = 0

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        """Note how long the whole body says it is: the third argument."""
        self.announced = args[2] if len(args) > 2 else kwargs["content_length"]

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass the piece on, or drop the file."""
        self.seen += len(raw_data)
        if self.seen > images.MAX_BYTES:
            if self.request is not None:
                self.request.upload_too_large = True  # type: ignore[attr-defined]
            if self.announced > ENOUGH:
                raise StopUpload(connection_reset=True)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handler."""
