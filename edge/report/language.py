"""The report's fixed words in English and Chinese, from one glossary that a reviewer can check.

``glossary.toml`` (report) and ``glossary_live.toml`` (page and terminal) hold each fixed string once, both languages
side by side; what stands in ``{braces}`` is filled in. ``sentences.toml`` has the sentences that the software composes,
which are found again by their English. This module must never translate what a person wrote.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cache, lru_cache
from html import escape
from importlib.resources import files

from .markup import Html

MOST_CHARS = 1000
"""The longest sentence of ours has half as many."""


_BEFORE_UNIT = re.compile(r"(?<=[0-9}]) (?=(?:%|°C|kg|mg|g|h|s|min|K|kPa|hPa|Pa|mm²|cm³|mg/h|g/cm³|kB)(?![\w/]))")


class Language(StrEnum):
    """The languages of a report; the values are those of HTML's ``lang``."""

    ENGLISH = "en"
    CHINESE = "zh"

    @property
    def tag(self) -> str:
        """Get the language as HTML names it."""
        return "zh-Hans" if self is Language.CHINESE else "en"


@cache
def sentences() -> list[tuple[re.Pattern[str], str, str]]:
    """Get the sentences that the software composes: what it says in English, as a pattern, and both wordings."""
    text = (files(__package__) / "sentences.toml").read_text(encoding="utf-8")
    return [(_pattern(s["en"]), s["en"], s["zh"]) for s in tomllib.loads(text)["sentence"]]


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    said = "".join(f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return re.compile(said, re.DOTALL)


@cache
def glossary() -> dict[str, dict[str, str]]:
    """Get every fixed string by its key, then by language."""
    printed, live = (
        tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
        for name in ("glossary.toml", "glossary_live.toml")
    )
    together = {
        key: {language: said.replace("± ", "±\u00a0") for language, said in of.items()} for key, of in live.items()
    }
    return {key: {language: kept(said) for language, said in of.items()} for key, of in (printed | together).items()}


def kept(said: str) -> str:
    """Keep numbers with their units on one line: the space between them does not break."""
    return _BEFORE_UNIT.sub("\u00a0", said)


@lru_cache(maxsize=2000)
def _in_other_words(english: str) -> str | None:
    """Get a sentence of ours in Chinese; kept, for a page says the same each second."""
    for pattern, _, other in sentences():
        found = pattern.fullmatch(english)
        if found is not None:
            return other.format(**{n: _in_other_words(v) or v for n, v in found.groupdict().items()})
    return None


class Words:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._of = glossary()

    def __call__(self, key: str, **values: str) -> str:
        """Get a string as plain text, without its tags, with ``values`` filled in as they are."""
        text = self._of[key][self.language]
        for tag in ("b", "var", "sub", "sup", "cite", "em"):
            text = text.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
        return text.format(**values)

    def html(self, key: str, **values: str | Html) -> Html:
        """Get a string as HTML: its own tags are kept, ``values`` are text unless they are HTML."""
        filled = {name: v if isinstance(v, Html) else escape(v, quote=False) for name, v in values.items()}
        return Html(self._of[key][self.language].format(**filled))

    def sentence(self, english: str) -> str | None:
        """Get a sentence that the software composed in this language; None where there are no words for it.

        What is filled in is looked up too: a sentence may hold another.
        """
        if self.language is Language.ENGLISH:
            return english
        return None if len(english) > MOST_CHARS else _in_other_words(english)

    def said(self, english: str) -> str:
        """Get a sentence in this language; as it is where there are no words for it: it may be a person's."""
        return self.sentence(english) or english

    def has(self, key: str) -> bool:
        """Say whether there is such a string."""
        return key in self._of
