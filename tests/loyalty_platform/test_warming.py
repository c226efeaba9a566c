"""A web process reads addresses, templates and languages before its first visitor comes."""

from django.template import engines

from loyalty_platform import warming


def test_the_templates_of_the_first_pages_are_read() -> None:
    engine = engines["django"].engine  # type: ignore[attr-defined]
    (loader,) = engine.template_loaders
    loader.reset()

    warming.warm_up()

    assert {"dashboard/stats.html", "dashboard/home.html", "components/kpi.html"} <= set(loader.get_template_cache)
