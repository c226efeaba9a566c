# The production image: the product without embedded servers and tools, as an ordinary user.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /app
COPY requirements/production.txt requirements/
RUN python -m venv /venv && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/production.txt
COPY . .
# Nothing here is secret: these values exist only while translations and static files are made.
RUN export SECRET_KEY=only-for-the-build-only-for-the-build LOYALTY_PIN_PEPPERS=only-for-the-build-only-for-the-build \
    LOYALTY_DATA_KEYS=b25seS1mb3ItdGhlLWJ1aWxkLW9ubHktZm9yLWJ1aWw= DATABASE_URL=postgresql:///none REDIS_URL=redis://none \
    EMAIL_URL=consolemail:// DJANGO_SETTINGS_MODULE=loyalty_platform.settings.production \
    && /venv/bin/python -m loyalty_platform.launcher.preparation \
    && /venv/bin/python manage.py collectstatic --no-input && mkdir -p var/media

FROM python:3.12.12-slim-bookworm
RUN useradd --system --home-dir /app --uid 10001 loyalty
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build --chown=10001 /app /app
# What volumes are put over belongs to the user that writes there; the product itself is never written to.
RUN mkdir -p /static /timetable /metrics && chown 10001 /static /timetable /metrics
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=loyalty_platform.settings.production WEB_BIND=0.0.0.0:8000
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "loyalty_platform.deploy.healthcheck"]
CMD ["python", "-m", "gunicorn", "loyalty_platform.wsgi", "--config", "loyalty_platform/gunicorn_conf.py"]
