"""Tell old encodings apart by how the decoded text reads, not by whether it decodes: almost every byte decodes.

Letters are counted that a language has where they can stand: German has ü, and neither German nor French has ø and è
together. Ties go to cp1252, the usual one in the west. In Chinese, Japanese and Korean the standards list the usual
characters first, and a wrong encoding gives rare ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_LATIN = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíñóúüªº",
    "Portuguese": "áàâãçéêíóôõúü",
    "Italian": "àèéìíîòóùú",
    "Danish or Norwegian": "æøåéòô",
    "Swedish or Finnish": "åäöéüšž",
    "Dutch": "áèéëïíóöúü",
    "Icelandic": "áðéíóúýþæö",
    "Catalan": "àçéèíïóòúü",
    "Polish": "ąćęłńóśźż",
    "Czech or Slovak": "áäčďéěíĺľňóôŕřšťúůýž",
    "Hungarian": "áéíóöőúüű",
    "Croatian or Slovene": "čćđšž",
    "Romanian": "ăâîșțşţ",
    "Turkish": "çğıîöşüİâ",
    "Lithuanian or Latvian": "āčēģīķļņšūžąęėįų",
    "Estonian": "äõöüšž",
}
_SCRIPTS = {  # letters, and the most frequent ones, which are half of a text
    "Cyrillic": ("\u0400-\u045f\u0490\u0491", "оеаинтсрвліђ"),
    "Greek": ("\u0386-\u03ce", "αοιετσνηυρ"),
    "Hebrew": ("\u05b0-\u05ea", "יוהלאתרבמש"),
    "Arabic": ("\u060c-\u06d2\u200c\u200d", "الينموترهب"),
    "Thai": ("\u0e01-\u0e5b", "านรกเอมงวลท่้"),
}
_LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёії"
_OFTEN = "110 85 80 74 67 63 55 47 45 44 35 32 30 28 26 20 19 17 17 17 16 14 12 10 9 7 6 5 4 3 3 2 2 10 5"
# How often a letter stands in 1,000 of Russian text, and at the end two of Ukrainian.
_CYRILLIC = dict(zip(_LETTERS, map(int, _OFTEN.split()), strict=True))
_SIGNS = "£€§°©®™–—‘’“”„‚…•«»‹›·½¼¾²³×¿¡´ªº±µ¢¥№\u00a0\u00ad"
_WITHIN_WORDS = "’´·-–—…\u00ad\u00a0"
_SINGLE = (  # the order decides between equals
    *("cp1252", "cp1250", "cp1254", "cp1257", "cp1251", "koi8_u", "cp866", "cp1253", "cp1255", "cp1256", "cp874"),
    *("iso8859_15", "iso8859_2", "iso8859_5", "mac_roman", "cp850", "latin_1"),
)
# The encodings of two bytes a character: the code of the standard, and the first bytes of its usual characters.
_DOUBLE = {
    "cp949": ("euc_kr", (0xB0, 0xC8), "Korean"),
    "euc_jp": ("euc_jp", (0xA4, 0xA5), "Japanese"),
    "cp932": ("euc_jp", (0xA4, 0xA5), "Japanese"),
    "gb18030": ("gb2312", (0xB0, 0xD7), "Chinese"),
    "big5": ("big5", (0xA4, 0xC6), "Chinese"),
}
_CLOSE, _PLAUSIBLE = 0.03, 0.5
_MOST_BAD = 0.02


@dataclass(frozen=True)
class CodePage:
    """An encoding and why it was taken."""

    encoding: str
    reason: str


@dataclass(frozen=True)
class _Reading:
    encoding: str
    score: float
    language: str
    letters: float = 0.0
    """How usual its letters are, whatever their case, where they are Cyrillic."""


def find_code_page(lines: Sequence[bytes]) -> CodePage | None:
    """Return the encoding in which these lines, none of them ASCII, read as text; None if there is none."""
    readings = [reading for encoding in (*_SINGLE, *_DOUBLE) if (reading := _read(lines, encoding))]
    best = max((reading.score for reading in readings), default=0.0)
    if best < _PLAUSIBLE and (guess := _guess(lines)):
        readings.append(guess)
        best = max(best, guess.score)
    if best < _PLAUSIBLE:
        return None
    first, *others = [reading for reading in readings if reading.score >= best - _CLOSE]
    if first.language == "Cyrillic":  # capitals in cp1251 are small letters in KOI8, and the other way round
        same = [reading for reading in readings if reading.language == "Cyrillic" and reading.score >= _PLAUSIBLE]
        first = max(same, key=lambda reading: reading.letters, default=first)
    reason = f"in {first.encoding} its special characters read as {first.language}"
    if others and first.encoding == "cp1252":
        reason += f", which {others[0].encoding} does no better"
    return CodePage(first.encoding, reason)


def _guess(lines: Sequence[bytes]) -> _Reading | None:
    """Check what charset-normalizer finds, for the encodings that are not in the lists here."""
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return None
    match = from_bytes(b"\n".join(lines)).best()
    return _read(lines, match.encoding) if match else None


def _read(lines: Sequence[bytes], encoding: str) -> _Reading | None:
    """Decode the lines; None if more than a handful do not decode."""
    decoded, bad = [], 0
    for line in lines:
        try:
            decoded.append(line.decode(encoding))
        except UnicodeDecodeError:
            bad += 1
            if bad > _MOST_BAD * len(lines):
                return None
    if not decoded:
        return None
    text = "\n".join(decoded)
    score, language = _double(text, encoding) if encoding in _DOUBLE else max(_latin(text), *_scripts(text))
    return _Reading(encoding, score * (1 - bad / len(lines)), language, _usual(text) if language == "Cyrillic" else 0.0)


def _usual(text: str) -> float:
    """Return the mean logarithm of how often the Cyrillic letters of a text are used."""
    found = Counter(re.findall("[\u0400-\u045f\u0490\u0491]", text.lower()))
    return sum(math.log(_CYRILLIC.get(letter, 1)) * count for letter, count in found.items()) / max(found.total(), 1)


def _latin(text: str) -> tuple[float, str]:
    """Return the share of characters that one language explains, and the language."""
    found: Counter[str] = Counter()
    total = signs = 0
    for match in re.finditer(r"(?<=(.))?([^\x00-\x7f])(?=(.))?", text):
        before, character, after = match.group(1) or " ", match.group(2), match.group(3) or " "
        total += 1
        if character in _SIGNS:
            signs += not (before.isalpha() and after.isalpha()) or character in _WITHIN_WORDS
        elif not (character.isupper() and before.islower()):
            found[character.lower()] += 1
    language = max(_LATIN, key=lambda name: sum(found[letter] for letter in _LATIN[name]))
    letters = sum(found[letter] for letter in _LATIN[language])
    return (letters + signs) / max(total, 1), language if letters else "usual signs"


def _scripts(text: str) -> list[tuple[float, str]]:
    special = re.findall(r"[^\x00-\x7f]", text)
    signs = sum(character in _SIGNS for character in special)
    scores = []
    for name, (letters, frequent) in _SCRIPTS.items():
        found = re.findall(f"[{letters}]", text)
        wrong = len(re.findall(f"[{letters}][A-Za-z]|[A-Za-z][{letters}]", text)) + sum(
            pair[0].islower() and pair[1].isupper() for pair in re.findall(f"[{letters}]{{2}}", text)
        )
        upper = sum(letter.isupper() for letter in found) > len(found) / 2
        usual = sum(letter.lower() in frequent for letter in found) / max(len(found), 1)
        read = max(len(found) - 2 * wrong, 0) * min(1, 0.4 + usual) * (0.6 if upper else 1)
        scores.append(((read + signs * bool(found)) / max(len(special), 1), name))
    return scores


def _double(text: str, encoding: str) -> tuple[float, str]:
    code, (lowest, highest), language = _DOUBLE[encoding]
    special = re.findall(r"[^\x00-\x7f]", text)
    usual = japanese = 0
    for character, count in Counter(special).items():
        if character in "，。！？、；：（）「」《》“”‘’…・ー　～":
            usual += count
            continue
        try:
            coded = character.encode(code)
        except UnicodeEncodeError:
            continue
        if language == "Japanese" and len(coded) == 2:
            japanese += count * (lowest <= coded[0] <= highest)
            usual += count * (0xA4 <= coded[0] <= 0xA5 or 0xB0 <= coded[0] <= 0xCF)
        elif len(coded) == 2:
            usual += count * (lowest <= coded[0] <= highest)
    share = usual / max(len(special), 1)
    if language == "Japanese":
        share *= min(1.0, 0.4 + 4 * japanese / max(len(special), 1))
    return share, language
