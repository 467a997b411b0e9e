"""Tell old encodings apart by how the decoded text reads, not by whether it decodes: almost every byte decodes.

Letters are counted that a language has where they can stand: German has ü, and neither German nor French has ø and è
together. In other scripts the frequent letters have to be frequent, in capitals too. Ties go to cp1252, the usual one
in the west. In Chinese, Japanese and Korean the standards list the usual characters first, and a wrong encoding gives
rare ones.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The special letters of languages by region. Of other scripts the letters, and those of the alphabet from the most
# frequent on, without accents.
_LANGUAGES = json.loads(Path(__file__).with_name("languages.json").read_text(encoding="utf-8"))
_LATIN: dict[str, str] = {name: letters for region in _LANGUAGES["latin"].values() for name, letters in region.items()}
_REGIONS = {  # for a file in several languages
    region: set("".join(languages.values()))
    for region, languages in _LANGUAGES["latin"].items()
    if region.endswith("Europe")
}
_SEVERAL = 0.96  # one language explains better
_LONG_RUN = r"(?:(?![\x00-\x7f])[^\W\d_]){5,}"  # no word in Latin letters has so many special ones in a row
_SIGNS = "£€§°©®™–—‘’“”„‚…•«»‹›·½¼¾²³×¿¡´ªº±µ¢¥№\u00a0\u00ad"
_WITHIN_WORDS = "’´·-–—…\u00ad\u00a0"
_SINGLE = (  # the order decides between equals
    *("cp1252", "cp1250", "cp1254", "cp1257", "cp1251", "koi8_u", "cp866", "cp1253", "cp1255", "cp1256", "cp874"),
    *("iso8859_15", "iso8859_2", "iso8859_5", "iso8859_7", "mac_roman", "cp850", "cp852", "cp737", "latin_1"),
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
_USUAL = 1.4  # a letter stands a fourth of the way down its alphabet's ranking on average; in a wrong encoding, half


@dataclass(frozen=True)
class _Reading:
    encoding: str
    score: float
    language: str


def find_code_page(lines: Sequence[bytes]) -> tuple[str, str] | None:
    """Return the encoding in which these lines, none of them ASCII, read as text, and why; None if there is none."""
    readings = [reading for encoding in (*_SINGLE, *_DOUBLE) if (reading := _read(lines, encoding))]
    best = max((reading.score for reading in readings), default=0.0)
    if best < _PLAUSIBLE:
        return None
    close = [reading for reading in readings if reading.score >= best - _CLOSE]
    first = max(close, key=lambda reading: (reading.encoding == "cp1252", reading.score))
    others = [reading for reading in close if reading is not first]
    reason = f"in {first.encoding} its special characters read as {first.language}"
    if others and first.encoding == "cp1252":
        reason += f", which {others[0].encoding} does no better"
    return first.encoding, reason


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
    return _Reading(encoding, score * (1 - bad / len(lines)), language)


def _latin(text: str) -> tuple[float, str]:
    """Return the share of characters that one language, or several of one region, explain, and the language."""
    found: Counter[str] = Counter()
    total = signs = 0
    for (before, character, after), count in Counter(re.findall(r"(?<=(.))?([^\x00-\x7f])(?=(.))?", text)).items():
        total += count
        if character in _SIGNS:
            signs += count * (not (before.isalpha() and after.isalpha()) or character in _WITHIN_WORDS)
        elif not (before.islower() if character.isupper() else before.isupper() and after.isupper()):
            found[character.lower()] += count
    for run in re.findall(_LONG_RUN, text):
        found.subtract(run.lower())
    explained = {name: float(sum(found[letter] for letter in letters)) for name, letters in _LATIN.items()}
    for name, letters in _REGIONS.items():
        explained[name] = _SEVERAL * sum(found[letter] for letter in letters)
    language = max(explained, key=explained.__getitem__)
    return (explained[language] + signs) / max(total, 1), language if explained[language] > 0 else "usual signs"


def _scripts(text: str) -> list[tuple[float, str]]:
    special = re.findall(r"[^\x00-\x7f]", text)
    signs = sum(character in _SIGNS for character in special)
    scores = []
    for name, script in _LANGUAGES["scripts"].items():
        letters, alphabet = script["letters"], script["frequent_first"]
        found = re.findall(f"[{letters}]", text)
        wrong = len(re.findall(f"[{letters}][A-Za-z]|[A-Za-z][{letters}]", text)) + sum(
            pair[0].islower() and pair[1].isupper() for pair in re.findall(f"[{letters}]{{2}}", text)
        )
        places = {letter: place / len(alphabet) for place, letter in enumerate(alphabet)}
        rare = sum(n * places.get(letter, places.get(_bare(letter), 1.0)) for letter, n in Counter(found).items())
        rare /= max(len(found), 1)
        read = max(len(found) - 2 * wrong, 0) * min((1 - rare) * _USUAL, 1.0)
        scores.append(((read + signs * bool(found)) / max(len(special), 1), name))
    return scores


def _bare(letter: str) -> str:
    """Return a small letter without its accents."""
    return unicodedata.normalize("NFD", letter.lower())[0]


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
