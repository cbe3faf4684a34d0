"""What two services' names have in common, by words and numbers weighed by how rare they are.

Not by letters: a name is a bag of words like "Instagram Followers [Real] [R30]", in which the words that
differ (Likes, Bots, R60) are few letters and all the difference, and the order of words says nothing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

_PARTS = re.compile(r"[^\W\d_]+|\d+")
#: Longest part of a name that is read; panels write advertisements into them.
_LONGEST = 300
#: What panels shorten.
_LONG_FORMS = {
    "ig": "instagram",
    "insta": "instagram",
    "fb": "facebook",
    "yt": "youtube",
    "tt": "tiktok",
    "tg": "telegram",
    "sub": "subscriber",
    "hq": "quality",
    "guaranteed": "refill",
    "guarantee": "refill",
}


@cache
def words_of(text: str) -> frozenset[str]:
    """The words and numbers of a name, each once, in one spelling. Single letters say nothing."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold()
    return frozenset(_one_form(part) for part in _PARTS.findall(plain) if len(part) > 1 or part.isdigit())


def _one_form(word: str) -> str:
    if word.isdigit():
        return word.lstrip("0") or "0"
    word = word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word
    return _LONG_FORMS.get(word, word)


@dataclass(slots=True)
class Weights:
    """How much a word tells: much if few services have it, little if most do."""

    _counts: Counter[str] = field(default_factory=Counter)
    _names: int = 0
    _weights: dict[str, float] = field(default_factory=dict)
    _whole: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Weights:
        """The weights of all words of `names`."""
        made = cls()
        for name in names:
            made._counts.update(words_of(name))
            made._names += 1
        return made

    def weight(self, word: str) -> float:
        """From 0 on."""
        known = self._weights.get(word)
        if known is None:
            known = self._weights[word] = math.log(1 + (self._names + 1) / (self._counts[word] + 1))
        return known

    def whole(self, name: str) -> float:
        """The weight of all words of a name."""
        known = self._whole.get(name)
        if known is None:
            known = self._whole[name] = sum(map(self.weight, words_of(name)))
        return known

    def rarest(self, words: Iterable[str], most: int) -> list[str]:
        """The most telling of `words`."""
        return sorted(words, key=lambda word: (self._counts[word], word))[:most]

    def alike(self, one: str, other: str) -> float:
        """From 0, nothing in common, to 1: the same words."""
        all_ = self.whole(one) + self.whole(other)
        return 2 * sum(map(self.weight, words_of(one) & words_of(other))) / all_ if all_ else 0.0


@cache
def _numbers_of(text: str) -> frozenset[str]:
    return frozenset(filter(str.isdigit, words_of(text)))


def numbers_differ(one: str, other: str) -> tuple[str, str] | None:
    """The numbers that only one of two names has, where both have such: R30 and R60, 1K and 5K."""
    mine, theirs = _numbers_of(one), _numbers_of(other)
    if not (mine - theirs and theirs - mine):
        return None
    return ", ".join(sorted(mine - theirs)), ", ".join(sorted(theirs - mine))
