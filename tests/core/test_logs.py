"""Logs: an exception is told with its lines and never with the values of variables, PINs and keys among them."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings

from loyalty_platform.settings.logs import logging_config


@pytest.fixture(params=[True, False], ids=["json", "lines"])
def formatter(request: Any) -> Iterator[logging.Formatter]:
    """The formatter of production and the one of development; the suite's own configuration comes back afterwards."""
    config = logging_config(as_json=request.param)
    yield structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=config["formatters"]["lines"]["foreign_pre_chain"],
        processors=config["formatters"]["lines"]["processors"],
    )
    logging.config.dictConfig(settings.LOGGING)


def failed(staff_pin: str) -> logging.LogRecord:
    import sys

    try:
        raise RuntimeError("no connection")
    except RuntimeError:
        assert staff_pin
        return logging.LogRecord(
            "django.request", logging.ERROR, __file__, 1, "Internal Server Error", None, sys.exc_info()
        )


def test_exceptions_show_where_and_no_values(formatter: logging.Formatter) -> None:
    text = formatter.format(failed("4" + "8" + "2195"))

    assert "RuntimeError: no connection" in text
    assert "in failed" in text
    assert "482195" not in text
