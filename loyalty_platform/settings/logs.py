"""Logs as key and value: JSON lines in production, readable lines in development."""

import logging.config
from typing import Any

import structlog

from core import tracing


def logging_config(*, as_json: bool, level: str = "INFO") -> dict[str, Any]:
    """Configure structlog and the standard library's logging alike; returns the latter's configuration."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        tracing.add_facts,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks are plain: the pretty ones show the values of variables, PINs and keys among them.
    lines = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    last: Any = structlog.processors.JSONRenderer() if as_json else lines
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # In both forms the traceback becomes a text here, so that it is blotted like every other one.
    finish = [
        tracing.without_paths,
        tracing.add_told,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        tracing.blotted,
    ]
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [*finish, last],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each change is a task or two: that they came and went well is counted, not told. Faults are told.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django.server": {"handlers": ["stderr"], "propagate": False},
            # In place of its own handler, whose lines name addresses and are not blotted.
            "gunicorn.error": {"handlers": ["stderr"], "propagate": False},
            "fontTools": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(config)
    return config
