"""Every word that people read goes through gettext, whole and with named placeholders."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, Module, modules, parse, shown

TEMPLATES = ROOT / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*") if path.suffix in (".html", ".txt"))
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
UNNAMED = re.compile(r"(?<!%)%[sdifr]|\{\}|\{\d")
# Sentences of the frameworks, which have their own placeholders.
BORROWED = "core.framework_words"
# Names and words that no language changes.
SAME_EVERYWHERE = {"API", "Apple", "Apple Wallet", "Google", "Google Wallet", "Enter", "Esc"}
# The style page, which only who develops sees.
FOR_DEVELOPERS = {"templates/dashboard/components.html"}
# A block that fills an attribute, and what is not shown.
NOT_SHOWN = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\{#.*?#\}",
        r"\{% comment\b.*?\{% endcomment %\}",
        r"\{% blocktrans(?:late)?\b.*?\{% endblocktrans(?:late)? %\}",
        r"\{% block \w*(?:class|surface|theme)\w* %\}.*?\{% endblock\b.*?%\}",
        r"<script\b.*?</script>",
        r"<code\b.*?</code>",
        r"<kbd\b.*?</kbd>",
    )
]
READ_ATTRIBUTES = re.compile(r'\s(?:title|alt|placeholder|aria-label|aria-description|data-confirm)="([^"]*)"')
INCLUDE = re.compile(r"\{% include .*?%\}", re.DOTALL)
READ_ARGUMENTS = re.compile(r'\b(?:label|text|title|action|hint|field_label|field_hint|store_label)="([^"]+)"')
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
ELEMENT = re.compile(r"<[^>]*>", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")


def unmarked(text: str) -> Iterator[str]:
    """Yield what a template says without gettext: text, attributes that are read, words given to components."""
    for pattern in NOT_SHOWN:
        text = pattern.sub("\n", text)
    found = [line.strip() for line in ELEMENT.sub("\n", TAG.sub("\n", text)).splitlines()]
    found += [TAG.sub(" ", value).strip() for value in READ_ATTRIBUTES.findall(TAG.sub(_without_quotes, text))]
    found += [value for include in INCLUDE.findall(text) for value in READ_ARGUMENTS.findall(include)]
    for line in found:
        plain = re.sub(r"&\w+;|(?<!\w)/\S*", " ", line).strip(" ·:–—/().,")
        if WORD.search(plain) and plain not in SAME_EVERYWHERE:
            yield plain


def _without_quotes(match: re.Match[str]) -> str:
    """Return a tag without quotation marks, which would end the attribute around it; includes stay as they are."""
    return match[0] if match[0].startswith("{% include") else match[0].replace('"', "'")


def test_templates_mark_what_they_say() -> None:
    found = {shown(page): list(unmarked(page.read_text(encoding="utf-8"))) for page in PAGES}

    assert len(found) > 100
    assert {page: words for page, words in found.items() if words and page not in FOR_DEVELOPERS} == {}


@pytest.mark.parametrize(
    "text",
    [
        "<p>Save it</p>",
        '{% load i18n %}<button title="Save">{% translate "Save" %}</button>',
        '{% include "components/button.html" with label="Save" only %}',
        "{% blocktranslate %}A{% endblocktranslate %} and more",
    ],
)
def test_finds_words_without_a_mark(text: str) -> None:
    assert list(unmarked(text))


@pytest.mark.parametrize(
    "text",
    [
        '<p>{% translate "Save it" %}</p>',
        '<button title="{% translate "Save" %}"></button>',
        '{% include "components/button.html" with label=_("Save") only %}',
        "{% blocktranslate trimmed %}You have {{ count }}{% endblocktranslate %} · {{ name }}",
    ],
)
def test_lets_marked_words_pass(text: str) -> None:
    assert not list(unmarked(text))


def calls(module: Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _name(node.func) in names:
            yield node


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def badly_marked(module: Module) -> Iterator[str]:
    """Yield calls of gettext whose text is made up at run time, or whose placeholders have no names."""
    for call in calls(module, GETTEXT):
        texts = [text for text in call.args[:2] if not isinstance(text, ast.Call) or _name(text.func) != "len"]
        if any(isinstance(text, ast.JoinedStr | ast.BinOp | ast.Call) for text in texts):
            yield f"{module.name}:{call.lineno} is put together before it is translated"
        if any(isinstance(text, ast.Constant) and UNNAMED.search(str(text.value)) for text in texts):
            yield f"{module.name}:{call.lineno} has a placeholder without a name"


def test_texts_are_whole_and_their_placeholders_named() -> None:
    ours = [module for module in modules() if module.name != BORROWED]

    assert [fault for module in ours for fault in badly_marked(module)] == []


@pytest.mark.parametrize(
    "text", ['_(f"Hello {name}")', '_("Hello " + name)', '_("Hello %s" % name)', '_("Hello {}")', '_("%s left")']
)
def test_finds_texts_made_at_run_time(text: str) -> None:
    assert list(badly_marked(parse("core.x", text)))


def plain_refusals(module: Module) -> Iterator[str]:
    """Yield sentences of errors, of messages and of forms that are plain strings."""
    for node in ast.walk(module.tree):
        for text in _said(node, in_form=module.layer == "forms"):
            if _plain(text):
                yield f"{module.name}:{text.lineno}"


def _said(node: ast.AST, *, in_form: bool) -> list[ast.expr]:
    """Return the expressions of a node that people read."""
    if isinstance(node, ast.ClassDef):
        assigned = [line for line in node.body if isinstance(line, ast.Assign)]
        return [line.value for line in assigned if {_name(target) for target in line.targets} & {"message"}]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = _name(node.func.value)
        return node.args[-1:] if owner in ("ValidationFailed", "messages") or node.func.attr == "add_error" else []
    if in_form and isinstance(node, ast.keyword) and node.arg in ("label", "help_text", "message"):
        return [node.value]
    return []


def _plain(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(WORD.search(node.value))
    )


def test_refusals_and_labels_are_marked() -> None:
    assert [fault for module in modules() for fault in plain_refusals(module)] == []


def test_finds_refusals_that_are_not_marked() -> None:
    assert list(plain_refusals(parse("core.x", 'class A(DomainError):\n    message = "Not now."')))
    assert list(plain_refusals(parse("core.x", 'ValidationFailed.of("name", "invalid", "Not now.")')))
    assert list(plain_refusals(parse("stores.forms", 'CharField(label="Name")')))
