"""tables.encoding and tables.code_pages: what a file's bytes say, whatever its program called them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tables import ReadSettings, TableError, read_table

TEXTS = {
    "German": "Der Käufer läßt sich für die Größe über fünf Stücke nicht schön rechnen",
    "French": "Déçu par la qualité, le café était brûlé et très amer, où est le goût",
    "Spanish": "El niño pidió más azúcar pero la cañería está rota mañana",
    "Portuguese": "A ligação não é boa, o coração da questão são as informações",
    "Italian": "La qualità è più bassa di quanto si può immaginare, perché è così",
    "Danish": "Døren åbner ikke og håndtaget er gået løs på grund af kæden",
    "Swedish": "Färgen är inte så snygg på bilden och lådan går sönder",
    "Dollars and pounds": "It costs £5 – that’s “cheap” – or €6…",
    "Polish": "Książka była świetna, ale żółta okładka się zniszczyła",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy a řekl něco špatně",
    "Hungarian": "Az ő nője hűvös időben főzött egy jó gyümölcsöt és tűnődött",
    "Romanian": "Această mâncare este foarte bună și ieftină în țară",
    "Turkish": "Bu ürün çok güzel değil, kargo çok yavaş ve şişe kırık geldi, ığdır",
    "Russian": "Очень хорошая вещь, но доставка была долгой и коробка помята",
    "Ukrainian": "Дуже гарна річ, але її доставка була довгою і коробка зіпсована",
    "Greek": "Το προϊόν είναι πολύ καλό αλλά η παράδοση άργησε πάρα πολύ",
    "Hebrew": "המוצר טוב מאוד אבל המשלוח לקח הרבה זמן והקופסה נשברה",
    "Arabic": "المنتج جيد جدا لكن التوصيل تأخر كثيرا والعلبة كانت مكسورة",
    "Thai": "สินค้าดีมากแต่การจัดส่งช้าและกล่องเสียหาย",
    "Lithuanian": "Labai gera prekė, bet pristatymas užtruko ilgai ir dėžutė buvo sugadinta, šįkart ačiū",
    "Chinese": "这本书非常好看，但是快递太慢了，包装也坏了。",
    "Traditional Chinese": "這本書非常好看，但是快遞太慢了，包裝也壞了。",
    "Japanese": "この商品はとても良いですが、配送が遅くて箱が壊れていました。",
    "Korean": "이 제품은 아주 좋지만 배송이 너무 느리고 상자가 부서졌습니다.",
}
WRITTEN = [
    *(
        (language, "cp1252")
        for language in ("German", "French", "Spanish", "Portuguese", "Italian", "Danish", "Swedish")
    ),
    *((language, "latin-1") for language in ("German", "French", "Swedish")),
    ("Dollars and pounds", "cp1252"),
    ("French", "mac_roman"),
    ("German", "cp850"),
    *((language, "cp1250") for language in ("Polish", "Czech", "Hungarian")),
    ("Polish", "iso8859_2"),
    ("Turkish", "cp1254"),
    ("Lithuanian", "cp1257"),
    *((language, encoding) for language in ("Polish", "Hungarian") for encoding in ("cp852",)),
    *(("Russian", encoding) for encoding in ("cp1251", "koi8_r", "cp866", "iso8859_5")),
    *(("Ukrainian", encoding) for encoding in ("cp1251", "koi8_u")),
    *(("Greek", encoding) for encoding in ("cp1253", "iso8859_7", "cp737")),
    ("Hebrew", "cp1255"),
    ("Arabic", "cp1256"),
    ("Thai", "cp874"),
    *(("Chinese", encoding) for encoding in ("gb18030", "gbk", "gb2312")),
    ("Traditional Chinese", "big5"),
    *(("Japanese", encoding) for encoding in ("cp932", "euc_jp", "iso2022_jp")),
    ("Korean", "euc_kr"),
    *(("Russian", encoding) for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")),
    *(("Japanese", encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")),
]


def rows_of(language: str, count: int = 12) -> list[list[str]]:
    """Rows of a word or two more each, every third one in ASCII."""
    words = TEXTS[language].split(" ")
    return [
        [
            ("no", "yes")[number % 2],
            "plain words" if number % 3 == 2 else " ".join(words[number % 4 :] + words[: number % 4]),
        ]
        for number in range(count)
    ]


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_texts_come_back_in_every_encoding(language: str, encoding: str, form: str, tmp_path: Path) -> None:
    """The reason is said wherever the encoding is not plain UTF-8."""
    rows = rows_of(language)
    if form == "csv":
        content = "label;text\r\n" + "".join(f"{label};{text}\r\n" for label, text in rows)
    else:
        content = "".join(f'{{"label": "{label}", "text": "{text}"}}\n' for label, text in rows)
    (tmp_path / "file").write_bytes(content.encode(encoding))
    table = read_table(tmp_path / "file")
    assert [row.values for row in table.rows] == [{"label": label, "text": text} for label, text in rows], table.how
    assert table.how.encoding_reason or table.how.encoding == "utf-8"


@pytest.mark.parametrize(
    "texts",
    [
        ["НЕ РАБОТАЕТ"],
        ["НЕ РАБОТАЕТ", "ОЧЕНЬ ПЛОХО, ДЕНЬГИ НЕ ВЕРНУЛИ", "УЖАСНЫЙ СЕРВИС"],
        ["Не работает", "НЕ РАБОТАЕТ, ВЕРНИТЕ ДЕНЬГИ", "УЖАСНЫЙ СЕРВИС"],
    ],
)
def test_capitals_in_cp1251_are_not_read_as_small_letters(texts: list[str], tmp_path: Path) -> None:
    """KOI8 has small letters where cp1251 has capitals, and they make no words."""
    (tmp_path / "file").write_bytes("\n".join(["text,label", *(f'"{text}",no' for text in texts)]).encode("cp1251"))
    table = read_table(tmp_path / "file")
    assert [row.values["text"] for row in table.rows if row.values] == texts, table.how


CAPITALS = [
    *(
        (language, encoding)
        for language in ("German", "French", "Spanish", "Danish")
        for encoding in ("cp1252", "cp850")
    ),
    *(("Swedish", encoding) for encoding in ("cp1252", "cp437", "cp850", "mac_roman")),
    *(("Polish", encoding) for encoding in ("cp1250", "iso8859_2", "cp852")),
    *(("Russian", encoding) for encoding in ("cp1251", "koi8_r", "cp866", "iso8859_5")),
    *(("Ukrainian", encoding) for encoding in ("cp1251", "koi8_u", "iso8859_5")),
    *(("Greek", encoding) for encoding in ("cp1253", "iso8859_7", "cp737")),
]


@pytest.mark.parametrize(("language", "encoding"), CAPITALS)
@pytest.mark.parametrize("every", [1, 2])
def test_texts_in_capitals_come_back(language: str, encoding: str, every: int, tmp_path: Path) -> None:
    """All of them, or every second one: capitals of one encoding are small letters of another."""
    rows = rows_of(language)
    texts = [text if number % every else text.upper() for number, (_, text) in enumerate(rows)]
    (tmp_path / "file").write_bytes("\n".join(["text;label", *(f"{text};no" for text in texts)]).encode(encoding))
    table = read_table(tmp_path / "file")
    assert [row.values["text"] for row in table.rows if row.values] == texts, table.how


@pytest.mark.parametrize(
    ("languages", "encoding"),
    [
        (("German", "French", "Danish"), "cp1252"),
        (("Spanish", "Swedish", "Italian"), "cp1252"),
        (("Portuguese", "German", "Spanish"), "cp1252"),
        (("Polish", "Czech"), "cp1250"),
    ],
)
def test_several_languages_in_one_file_come_back(languages: tuple[str, ...], encoding: str, tmp_path: Path) -> None:
    """No single language has all their letters; those of their region have."""
    texts = [text for language in languages for _, text in rows_of(language)]
    (tmp_path / "file").write_bytes("\n".join(["text;label", *(f"{text};no" for text in texts)]).encode(encoding))
    table = read_table(tmp_path / "file")
    assert [row.values["text"] for row in table.rows if row.values] == texts, table.how


def test_a_handful_of_bytes_of_another_encoding_costs_those_rows_alone(tmp_path: Path) -> None:
    """They are named by line; the others are not read in another encoding for their sake."""
    lines = [f"yes,Größe {number}".encode() for number in range(100)]
    lines[40] = "no,Größe".encode("cp1252")
    (tmp_path / "file.csv").write_bytes(b"label,text\n" + b"\n".join(lines))
    table = read_table(tmp_path / "file.csv")
    assert [(row.line, row.problem) for row in table.rows if row.values is None] == [(42, "not valid utf-8")]
    assert table.how.encoding == "utf-8"
    assert table.notes == ["Of the lines with special characters, 99 are UTF-8 and 1 are not."]


def test_a_handful_of_damaged_rows_in_an_old_encoding(tmp_path: Path) -> None:
    """The same, where the others are in GB18030."""
    lines = [f"1,{TEXTS['Chinese']}{number}".encode("gb18030") for number in range(100)]
    lines[7] = lines[7][:9] + b"\xff" + lines[7][9:]
    (tmp_path / "file.csv").write_bytes(b"label,text\n" + b"\n".join(lines))
    table = read_table(tmp_path / "file.csv")
    assert table.how.encoding == "gb18030"
    assert [(row.line, row.problem) for row in table.rows if row.values is None] == [(9, "not valid gb18030")]


def test_an_encoding_can_be_set(tmp_path: Path) -> None:
    """And is used, also where another reads as well."""
    (tmp_path / "file.csv").write_bytes("label,text\nyes,Größe\n".encode("cp1252"))
    table = read_table(tmp_path / "file.csv", ReadSettings(encoding="cp1250"))
    assert (table.how.encoding, table.how.encoding_reason) == ("cp1250", "it was set")
    with pytest.raises(TableError, match="encoding 'rot13' cannot be used"):
        ReadSettings(encoding="rot13")


@pytest.mark.parametrize(("language", "encoding"), [("German", "cp1252"), ("Japanese", "cp932")])
def test_a_long_document_on_one_line_shows_its_encoding(language: str, encoding: str, tmp_path: Path) -> None:
    """As `json.dumps` writes it: half a megabyte without a line end."""
    rows = [{"text": f"{TEXTS[language]} {number}", "label": number % 2} for number in range(6_000)]
    (tmp_path / "one.json").write_bytes(json.dumps(rows, ensure_ascii=False).encode(encoding))
    table = read_table(tmp_path / "one.json")
    assert table.how.encoding == encoding
    assert [row.values for row in table.rows] == rows


def test_bytes_that_read_as_nothing_are_refused_with_what_to_do(tmp_path: Path) -> None:
    """Better than to train on them."""
    (tmp_path / "file.csv").write_bytes(b"label,text\n" + b"yes,a\x81\x9d\xf5b\xff\xc3c\n" * 5)
    with pytest.raises(TableError, match=r"not UTF-8 \(lines: 5\)") as caught:
        read_table(tmp_path / "file.csv")
    assert "give its encoding" in caught.value.hint
