"""A request as it comes in: the limit of its body, and whom an error would be for."""

from typing import Any

from waitress.parser import HTTPRequestParser

FILE_ROUTES = ("/imports/", "/admin/")  # Below these a body may be an uploaded file.
BEGINNING_BYTES = 200  # Of a request, to know whom an error is for.


class BoundedRequest(HTTPRequestParser):
    """A request with a limit for its body: that of files where one may be uploaded."""

    adj: Any  # waitress's settings, with our `for_files`.
    beginning = b""  # Of the request, as it came, since no other part of a bad one is read.

    @property
    def address(self) -> bytes:
        """The address that the first line asks for, or its beginning."""
        parts = self.beginning.split(maxsplit=2)
        return parts[1] if len(parts) > 1 else b""

    @property
    def is_head(self) -> bool:
        """True for HEAD: the answer has headers alone."""
        return self.beginning.startswith(b"HEAD ")

    def received(self, data: bytes) -> int:
        """Takes what came in, and returns how many bytes of it belong to this request."""
        if len(self.beginning) < BEGINNING_BYTES:
            self.beginning = (self.beginning + data[:BEGINNING_BYTES]).lstrip()
        taken: int = super().received(data)
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.path.startswith(FILE_ROUTES):
            self.adj = self.adj.for_files
