"""tables: small files of every kind that people have, written here, with what has to come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

from tables import ReadSettings, Table, TableError, read_table

TL = ("text", "label")
TWO = [("good one", "yes"), ("bad, really", "no")]


def read(tmp_path: Path, content: str | bytes, wanted: tuple[str, ...] = (), **settings: Any) -> Table:
    """The table of a file with this content."""
    path = tmp_path / "data.bin"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, ReadSettings(**settings), wanted=wanted)


def values(table: Table) -> list[tuple[object, ...]]:
    """The values of the rows that have some, in the columns' order."""
    return [tuple(row.values[name] for name in table.columns) for row in table.rows if row.values is not None]


def problems(table: Table) -> list[tuple[int, str]]:
    """Line and problem of the malformed rows."""
    return [(row.line, row.problem) for row in table.rows if row.problem]


WELL_FORMED: dict[str, tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = {
    "comma, quotes where needed": ('text,label\ngood one,yes\n"bad, really",no\n', TL, TWO),
    "the last line without an end": ('text,label\ngood one,yes\n"bad, really",no', TL, TWO),
    "semicolon and decimal commas": (
        "text;score;n\ngut;1,5;1,0\nschlecht;2,25;2,0\n",
        ("text", "score", "n"),
        [("gut", "1,5", "1,0"), ("schlecht", "2,25", "2,0")],
    ),
    "semicolon and decimal commas, no header": (
        "1,5;Das ist gut.;ja\n2,5;Das ist schlecht.;nein\n2,0;Das ist gut.;ja\n",
        ("column_1", "column_2", "column_3"),
        [("1,5", "Das ist gut.", "ja"), ("2,5", "Das ist schlecht.", "nein"), ("2,0", "Das ist gut.", "ja")],
    ),
    "pipe": ("text|label\ngood one|yes\nbad, really|no\n", TL, TWO),
    "tab": ("text\tlabel\ngood one\tyes\nbad, really\tno\n", TL, TWO),
    "line breaks and blank lines in quotes": (
        'text,label\r\n"one\r\n\r\ntwo, three",yes\r\n"a ""b"" c",no\r\n',
        TL,
        [("one\r\n\r\ntwo, three", "yes"), ('a "b" c', "no")],
    ),
    "backslashes before quotes": (
        'text,label\n"he said \\"no, never\\"",no\n"fine, really",yes\n',
        TL,
        [('he said "no, never"', "no"), ("fine, really", "yes")],
    ),
    "a blank after each comma": ('text, label\n"good one", yes\n"bad, really", no\n', TL, TWO),
    "every field in quotes": ('"text","label"\n"good one","yes"\n"bad, really","no"\n', TL, TWO),
    "every field in quotes, tabs": ('"text"\t"label"\n"good one"\t"yes"\n"bad, really"\t"no"\n', TL, TWO),
    "every field in quotes, no header": (
        '"1","A fine thing to have."\n"2","Broke on the first day."\n"1","I like it a lot."\n',
        ("column_1", "column_2"),
        [("1", "A fine thing to have."), ("2", "Broke on the first day."), ("1", "I like it a lot.")],
    ),
    "labels first, words, no header": (
        "ham\tsee you at ten\nspam\twin a prize\nham\tcall me\nham\tok then\n",
        ("column_1", "column_2"),
        [("ham", "see you at ten"), ("spam", "win a prize"), ("ham", "call me"), ("ham", "ok then")],
    ),
    "single quotes": (
        "label;text\nyes;'good; one'\nno;'it''s bad; \"really\"'\n",
        ("label", "text"),
        [("yes", "good; one"), ("no", 'it\'s bad; "really"')],
    ),
    "apostrophes that are text": (
        "text,label\n'tis good,yes\nwe don't,no\nrock 'n' roll,yes\n",
        TL,
        [("'tis good", "yes"), ("we don't", "no"), ("rock 'n' roll", "yes")],
    ),
    "quotes that are text, tabs": (
        'label\ttext\nyes\t"Good" it is\nno\t"never again\nno\tsaid "so"\nyes\t"whole"\n',
        ("label", "text"),
        [("yes", '"Good" it is'), ("no", '"never again'), ("no", 'said "so"'), ("yes", '"whole"')],
    ),
    "inches": ('size,label\n5" nail,yes\n6" nail,no\n', ("size", "label"), [('5" nail', "yes"), ('6" nail', "no")]),
    "sep=": ("sep=;\r\ntext;label\r\ngood one;yes\r\nbad, really;no\r\n", TL, TWO),
    "sep= with a usual delimiter elsewhere": (
        "sep=|\ntext|label\na, b|yes\nc, d|no\n",
        TL,
        [("a, b", "yes"), ("c, d", "no")],
    ),
    "empty lines first": ("\n\r\n\ntext,label\ngood one,yes\n", TL, TWO[:1]),
    "comments first": ("# made by hand\n# 2024, again\ntext,label\ngood one,yes\n", TL, TWO[:1]),
    "a name and texts that begin with #": (
        "#text,label\n#good one,yes\n#bad,no\n",
        ("#text", "label"),
        [("#good one", "yes"), ("#bad", "no")],
    ),
    "a caret": ("text^label\ngood one^yes\nbad, really^no\n", TL, TWO),
    "CR within texts": (
        'text,label\na\rb,yes\n"c\rd, e",no\n"f, g",no\n',
        TL,
        [("a\rb", "yes"), ("c\rd, e", "no"), ("f, g", "no")],
    ),
    "CR line ends": ("text,label\rgood one,yes\rso so,no\r", TL, [("good one", "yes"), ("so so", "no")]),
    "CR line ends and a last CR LF": (
        "text,label\rgood one,yes\rso so,no\r\n",
        TL,
        [("good one", "yes"), ("so so", "no")],
    ),
    "one line that ends in CR LF": ("text,label\r\n", TL, []),
    "CR CR LF line ends": (
        "text,label\r\r\ngood one,yes\r\r\nso so,no\r\r\n",
        TL,
        [("good one", "yes"), ("so so", "no")],
    ),
    "marks and zero-width characters in names": ("\ufeff\ufefftext\u200b,\u2060 label\ngood one,yes\n", TL, TWO[:1]),
    "a line break in a name": ('text,"Happy?\n(yes / no)"\ngood one,yes\n', ("text", "Happy? (yes / no)"), TWO[:1]),
    "empty columns beside the table": (
        "text,label,,\ngood one,yes,,\nso so,no,,\n",
        TL,
        [("good one", "yes"), ("so so", "no")],
    ),
    "a column without a name": (
        ",text,label\n0,good one,yes\n1,so so,no\n",
        ("column_1", *TL),
        [("0", "good one", "yes"), ("1", "so so", "no")],
    ),
    "rows end in a delimiter, the header does not": (
        "text,label\ngood one,yes,\nso so,no,\n",
        TL,
        [("good one", "yes"), ("so so", "no")],
    ),
    "row names without a name, as R writes": ('"text" "label"\n"1" "good"\n'.replace(" ", "\t"), TL, [("1", "good")]),
    "row names beside the header, as R writes": (
        '"text","label"\n"1","good","yes"\n"2","bad","no"\n',
        ("row", *TL),
        [("1", "good", "yes"), ("2", "bad", "no")],
    ),
    "names that are numbers, as pandas writes": (
        "0,1\ngood one,yes\nso so,no\n",
        ("0", "1"),
        [("good one", "yes"), ("so so", "no")],
    ),
    "one column": ("text\ngood one\nbad, really\n", ("text",), [("good one",), ("bad, really",)]),
    "one column in quotes": (
        'text\n"good one"\n"bad, really"\n"a\nb"\n',
        ("text",),
        [("good one",), ("bad, really",), ("a\nb",)],
    ),
    "sentences alone": (
        "I like it a lot, truly.\nIt broke.\nFine, as far as I can say, for now.\n",
        ("column_1",),
        [("I like it a lot, truly.",), ("It broke.",), ("Fine, as far as I can say, for now.",)],
    ),
    "characters that end lines elsewhere": (
        "text,label\na\u2028b\u0085c\x0bd,yes\n",
        TL,
        [("a\u2028b\u0085c\x0bd", "yes")],
    ),
    "a NUL character": (
        "text,label\n" + "good words and more of them,yes\n" * 20 + "a\0b,no\n",
        TL,
        [("good words and more of them", "yes")] * 20 + [("a\0b", "no")],
    ),
    "empty texts": ('text,label\n"",yes\n,no\n', TL, [("", "yes"), ("", "no")]),
    "a header and no rows": ("text,label\n", TL, []),
}


@pytest.mark.parametrize("kind", WELL_FORMED)
def test_every_text_is_read_as_it_was_written(kind: str, tmp_path: Path) -> None:
    """With its column, and no row set aside."""
    content, columns, rows = WELL_FORMED[kind]
    table = read(tmp_path, content)
    assert table.columns == columns, table.how
    assert values(table) == rows, table.how
    assert problems(table) == []


def test_long_fields_and_many_columns(tmp_path: Path) -> None:
    """A field above csv's own limit of 131,072 characters, and quotes as text in the last of 15 columns."""
    long = "a " * 70_000
    table = read(tmp_path, f'text,label\n"{long}",yes\n"b, c",no\n')
    assert values(table) == [(long, "yes"), ("b, c", "no")]
    wide = ["\t".join([f"{row}"] * 14 + [f'he said "{row}" and "'][:1]) for row in range(50)]
    table = read(tmp_path, "\t".join(f"c{n}" for n in range(15)) + "\n" + "\n".join(wide) + "\n")
    assert [row[-1] for row in values(table)] == [f'he said "{row}" and "' for row in range(50)]


def test_rows_with_other_numbers_of_fields_are_reported_one_by_one(tmp_path: Path) -> None:
    """With their lines, and what can be assigned to a column."""
    table = read(tmp_path, "id,text\n1,fine\n2,one, too many\n3,fine again\n4\n")
    assert values(table) == [("1", "fine"), ("3", "fine again")]
    assert problems(table) == [(3, "3 fields, the header has 2"), (5, "1 field, the header has 2")]
    assert [row.partial for row in table.rows if row.problem] == [{"id": "2", "text": "one, too many"}, {"id": "4"}]


def test_a_quote_that_is_not_closed_costs_its_own_line(tmp_path: Path) -> None:
    """And not those that follow it, also at the end of the file."""
    good = "".join(f'{n},"a, ""b"" c"\n' for n in range(20))
    table = read(tmp_path, f'id,text\n{good}20,"not closed\n{good}21,"nor this\nwith more lines\n')
    assert values(table) == [(str(n), 'a, "b" c') for n in range(20)] * 2
    assert [line for line, _ in problems(table)] == [22, 43, 44]
    assert "closed" not in "".join(problem for _, problem in problems(table)).replace("not closed", "")


def test_the_header_again_is_no_row(tmp_path: Path) -> None:
    """Two files were joined; with the columns in another order the rows below would be exchanged."""
    table = read(tmp_path, "text,label\na,yes\n\ufefftext,label\nb,no\n")
    assert (values(table), problems(table)) == ([("a", "yes"), ("b", "no")], [(3, "the header again")])
    with pytest.raises(TableError, match=r"Line 3 of .* is a second header"):
        read(tmp_path, "text,label\na,yes\nlabel,text\nno,b\n")


def test_without_a_header_names_are_made_and_said_without_the_text(tmp_path: Path) -> None:
    """No text of a row stands in what is shown."""
    content = "5\tSecret words that nobody may see.\n4\tOther words.\n5\tMore of them.\n"
    table = read(tmp_path, content, wanted=("text", "label"))
    assert table.columns == ("column_1", "column_2")
    assert table.notes == ["The first line is data, not a header; the columns are called column_1, column_2."]
    assert "Secret" not in f"{table.notes}{table.how.sentence()}"
    assert values(read(tmp_path, content, header="yes")) == [("4", "Other words."), ("5", "More of them.")]
    assert len(values(read(tmp_path, "text,label\na,yes\n", header="no"))) == 2


@pytest.mark.parametrize(
    ("text", "delimiter"), [("Order {} | Bob | new", ","), ("Mon, {} May, ok", "\t"), ("{}; b; c", ",")]
)
def test_a_pattern_that_all_texts_share_is_no_delimiter(text: str, delimiter: str, tmp_path: Path) -> None:
    """The header does not split at it, in however many rows."""
    rows = [(text.format(n), ("yes", "no")[n % 2]) for n in range(300)]
    table = read(tmp_path, "\n".join(delimiter.join(row) for row in [TL, *rows]))
    assert (table.columns, values(table)) == (TL, rows)
    table = read(tmp_path, "Export, 2024\ntext;label;id\n" + "a, b;yes;x\n" * 300)
    assert (table.columns, len(values(table))) == (("text", "label", "id"), 300)


def test_a_label_that_is_a_usual_name_makes_no_header(tmp_path: Path) -> None:
    """Where it occurs again, or stands beside a sentence; a survey's question beside a usual name is a name."""
    rows = "problem,It does not start.\nproblem,The bill is wrong. Twice!\nother,Hello there. It is me.\n"
    again = f"question,How do I reset my password?\n{rows}question,Where is my order?\n"
    assert len(values(read(tmp_path, again))) == 5
    assert read(tmp_path, again).columns == ("column_1", "column_2")
    assert len(values(read(tmp_path, f"description,The lamp is blue. It is big.\n{rows}"))) == 4
    assert read(tmp_path, again, wanted=("question",)).columns[0] == "question"
    survey = 'comment,"Are you happy? Rate it. (1 to 5)"\nI like it.,5\nIt broke.,1\nFine so far.,4\n'
    assert len(values(read(tmp_path, survey))) == 3
    assert read(tmp_path, again.replace("How do I reset my password?", "label")).columns == ("question", "label")


@pytest.mark.parametrize("before", ["# a comment, really\n", "Export of 2024\nBy: me\n\n", "#one\n#two\n"])
def test_lines_before_the_header_are_skipped_and_said(before: str, tmp_path: Path) -> None:
    """As exports write them."""
    table = read(tmp_path, before + 'text,label\n"a, b",yes\nc,no\nd,no\n')
    assert values(table) == [("a, b", "yes"), ("c", "no"), ("d", "no")]
    assert table.notes == [f"Lines before the header were skipped: {before.count(chr(10))}."]
    assert table.rows[-1].line == before.count("\n") + 4


def test_a_title_with_delimiters_after_it_is_skipped_and_said(tmp_path: Path) -> None:
    """As spreadsheets save it, as wide as the table; a first row without a label is none."""
    rows = "gut;ja\nschlecht;nein\nbesser;ja\n"
    for before, header in (("Kunden Export;\n;\n", "Aussage;Urteil"), ("Kunden Export;\n", "text;label")):
        table = read(tmp_path, f"{before}{header}\n{rows}")
        assert table.columns == tuple(header.split(";"))
        assert values(table) == [("gut", "ja"), ("schlecht", "nein"), ("besser", "ja")]
        assert table.notes == [f"Lines before the header were skipped: {before.count(chr(10))}."]
    assert len(values(read(tmp_path, "Ein Satz.;\n" + 2 * rows))) == 7


@pytest.mark.parametrize("before", ["Kunden Export;\n", "Kunden Export\n", "Export\nStand: Mai\n"])
def test_a_title_directly_above_unusual_names_is_skipped(before: str, tmp_path: Path) -> None:
    """Names stand above a column of labels, and are none of them."""
    rows = [(f"Satz {number} ist hier zu lesen", ("ja", "nein")[number % 2]) for number in range(20)]
    table = read(tmp_path, f"{before}Aussage;Urteil\n" + "".join(f"{text};{label}\n" for text, label in rows))
    assert (table.columns, values(table)) == (("Aussage", "Urteil"), rows)
    assert table.notes == [f"Lines before the header were skipped: {before.count(chr(10))}."]


def test_a_first_row_without_its_label_is_no_title(tmp_path: Path) -> None:
    """Below it stand labels, not names."""
    rows = "".join(f"Satz {number};{('ja', 'nein')[number % 2]}\n" for number in range(20))
    assert len(values(read(tmp_path, f"Der erste Satz.;\n{rows}"))) == 21


@pytest.mark.parametrize("text_first", [True, False])
def test_a_tab_separated_file_of_pandas_loses_its_quotes(text_first: bool, tmp_path: Path) -> None:
    """Where every quote stands as the writer puts it: around fields that need it, and twice within."""
    rows = [(f'he said "{n}"' if n % 3 == 0 else f"row {n}", ("yes", "no")[n % 2]) for n in range(12)]
    frame = pandas.DataFrame(rows, columns=list(TL))[list(TL) if text_first else list(TL)[::-1]]
    table = read(tmp_path, frame.to_csv(sep="\t", index=False))
    assert [(row.values["text"], row.values["label"]) for row in table.rows if row.values] == rows
    bare = read(tmp_path, "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    assert values(bare) == rows


@pytest.mark.parametrize("label", ["yes", "0.5"])
@pytest.mark.parametrize("text_first", [True, False])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("text", ["late \t \n n11", "\t\nn11", "a\tb\nc\td\ne"])
def test_one_text_of_tabs_and_line_breaks_stays_whole(
    text: str, header: bool, text_first: bool, label: str, tmp_path: Path
) -> None:
    """Each of its lines would make a row, with a piece of the text for a label."""
    rows = [(f"parcel n{n}", ("no", "1.5")[label == "0.5"] if n % 2 else label) for n in range(11)]
    frame = pandas.DataFrame([*rows, (text, label)], columns=list(TL))[list(TL)[:: 1 if text_first else -1]]
    table = read(tmp_path, frame.to_csv(sep="\t", index=False, header=header))
    assert values(table) == [tuple(row) for row in frame.to_numpy().tolist()]
    assert table.how.quote == "double" and not any("Quotes" in note for note in table.notes)


@pytest.mark.parametrize("more", ["", '"Wow"\tyes\n', 'a "word" of it\tno\n'])
def test_a_quotation_over_two_rows_stays_two_rows(more: str, tmp_path: Path) -> None:
    """Both have a label: the quotes are text, with or without others."""
    rows = "".join(f"row {n}\t{('yes', 'no')[n % 2]}\n" for n in range(10)) + more
    table = read(tmp_path, f'text\tlabel\n{rows}"So it begins\tyes\nand it ends."\tno\n')
    assert values(table)[-2:] == [('"So it begins', "yes"), ('and it ends."', "no")]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", "~"])
def test_of_two_delimiters_that_fit_the_rarer_one_counts(delimiter: str, tmp_path: Path) -> None:
    """Every text has one comma, and there is no header."""
    rows = [(f"First {n}, then another one.", ("yes", "no")[n % 2]) for n in range(20)]
    assert values(read(tmp_path, "".join(f"{text}{delimiter}{label}\n" for text, label in rows))) == rows


@pytest.mark.parametrize("between", [" ", "\t", " , "])
def test_fasttext_lines_are_labels_and_a_text(between: str, tmp_path: Path) -> None:
    """One label or several, whatever stands after them; a comma in the text is text."""
    content = f"__label__good{between}Fine, really.\n__label__bad __label__late{between}It came late\n"
    table = read(tmp_path, content)
    assert values(table) == [(["good"], "Fine, really."), (["bad", "late"], "It came late")]
    assert table.how.sentence().startswith("fastText")


def test_columns_that_were_asked_for_decide(tmp_path: Path) -> None:
    """Between delimiters, and for a header that looks like data."""
    content = "a,b;c\nx,y;1\nx,y;2\n"
    assert read(tmp_path, content, wanted=("a", "b;c")).columns == ("a", "b;c")
    assert read(tmp_path, content, wanted=("c",)).columns == ("a,b", "c")
    assert read(tmp_path, "7,8\n7,9\n7,10\n", wanted=("7", "8")).columns == ("7", "8")


def test_quotes_without_need_are_said(tmp_path: Path) -> None:
    """They are text with tabs, and taken off with commas; both can be set."""
    rows = "".join(f"row {n}\tyes\n" for n in range(9)) + '"Wow"\tno\n'
    table = read(tmp_path, "text\tlabel\n" + rows)
    assert values(table)[-1] == ('"Wow"', "no")
    assert table.notes == ["Quotes that no row needs were kept as text (rows: 1); quote=double takes them off."]
    assert values(read(tmp_path, "text\tlabel\n" + rows, quote="double"))[-1] == ("Wow", "no")
    table = read(tmp_path, "text,label\n" + rows.replace("\t", ","))
    assert values(table)[-1] == ("Wow", "no")
    assert table.notes == ["Quotes that no row needs were taken off (rows: 1); quote=none keeps them as text."]
    assert values(read(tmp_path, "text,label\n" + rows.replace("\t", ","), quote="none"))[-1] == ('"Wow"', "no")


def test_doubled_quotes_in_quotes_are_said(tmp_path: Path) -> None:
    """With tabs they are text where quotes stand bare, too; the note says what setting them gives."""
    rows = "".join(f'row "{n}\tyes\n' for n in range(9)) + '"He said ""hi"""\tno\n'
    table = read(tmp_path, "text\tlabel\n" + rows)
    assert values(table)[-1] == ('"He said ""hi"""', "no")
    note = "Quotes around fields were kept as text (rows: 1); quote=double takes them off, and makes single ones of"
    assert table.notes == [f"{note} those that are doubled within (rows: 1)."]
    assert values(read(tmp_path, "text\tlabel\n" + rows, quote="double"))[-1] == ('He said "hi"', "no")


def test_everything_can_be_set(tmp_path: Path) -> None:
    """Also what would be found otherwise."""
    table = read(tmp_path, "a^b\n'x^y'^z\n", delimiter="^", quote="single", header="no", format="csv")
    assert values(table) == [("a", "b"), ("x^y", "z")]
    assert values(read(tmp_path, "a;b,c\n", format="text")) == [("a;b,c",)]
    assert values(read(tmp_path, "a,b\tc\n1,2\t3\n", format="tsv", header="yes")) == [("1,2", "3")]
    assert read(tmp_path, "a|b\n1|2\n", delimiter="pipe").how.delimiter == "|"


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "xml"},
        {"quote": '"'},
        {"header": "maybe"},
        {"delimiter": "::"},
        {"delimiter": '"'},
        {"encoding": "x"},
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_is_allowed(settings: dict[str, str]) -> None:
    """Before any file is opened."""
    with pytest.raises(TableError) as caught:
        ReadSettings(**settings)
    assert next(iter(settings)) in caught.value.message
    assert caught.value.hint.startswith("Give one of: ")


REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b"\xef\xbb\xbf \n\n", "is empty"),
    "binary": (bytes(range(256)) * 20, "is a binary file"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(200)), "is a binary file"),
    "a PDF": (b"%PDF-1.7\n", "is a PDF"),
    "a web page as a sheet": (b"<table><tr><td>a</td></tr></table>", "is a web page"),
    "an array without rows": (b"[]", "has no rows"),
    "a web page": (b"\n<!DOCTYPE html><html></html>", "is a web page"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid x\n", "is a Git LFS pointer"),
    "a name twice": (b"label,text,label\na,b,c\n", "'label' twice"),
    "the text column twice": (b"text,text\na,b\n", "'text' twice"),
    "a header that is not closed": (b'text,"label\n"a, b",yes\n"c, d",no\n' + b'"e, f",no\n' * 9, "header"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_table_is_refused(kind: str, tmp_path: Path) -> None:
    """With the cause and the next step."""
    content, words = REFUSED[kind]
    with pytest.raises(TableError) as caught:
        read(tmp_path, content)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As is a folder."""
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(TableError, match=f"{path} cannot be read"):
            read_table(path)
