"""Files that are refused as a whole: the message says what is wrong, what is allowed and what to do next."""

from __future__ import annotations

import pytest

GOOD = {"sentence": "The hinge broke.", "helpful": 1.6}
BAD = {"sentence": "For my nephew.", "helpful": 0.3}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n  \n",
        b'{"sentence": "", "helpful": 1}\n',
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"just some prose\nover two lines\n",
        b'{"review": "a", "stars": 1}\n',
        b'{"sentence": "a", "stars": 1}\n',
        b'{"sentence": "a", "helpful": 1}\n{"sentence": "b", "helpful": 2}\n',
        b"[" * 1000,
    ],
)
def test_refused_json(data_file, refused, content):
    """Each kind of unusable JSON Lines file has a message that names the file."""
    assert "train.json" in refused(data_file(content=content))


@pytest.mark.parametrize(
    "content",
    [b"", b"sentence,helpful\n", b"\x00\x01\x02\x03", b"text,helpful\na,1\n", b"sentence,helpful\na,b,c\nd\ne,1\n"],
)
def test_refused_csv(data_file, refused, content):
    """The same for CSV."""
    assert "train.csv" in refused(data_file(content=content, name="train.csv"))


@pytest.mark.parametrize(("rows", "name"), [([BAD, {**BAD, "sentence": "Hi."}], "not_helpful"), ([GOOD], "helpful")])
def test_one_class_names_the_class(data_file, refused, rows, name):
    """All scores on one side of the threshold: the error says which side."""
    assert f"of one class, '{name}'" in refused(data_file(*rows))


def test_no_text_of_a_row_is_quoted(data_file, refused):
    """Messages go to logs and into the job's failure reason, where customers' words have no place."""
    private = "my secret address is 5 Elm Street"
    files = [
        [{"text": private + str(n), "other": private + str(n * n)} for n in range(20)],
        [{"text": private + str(n), "label": n} for n in range(20)],
        [{"text": private, "label": [[private]]}] * 9,
        [{"text": private + str(n), "label": None} for n in range(20)],
        [private] * 20,
    ]
    for number, rows in enumerate(files):
        assert "secret" not in refused(data_file(*rows, name=f"{number}.jsonl"))
    for name in ("lines.txt", "one.csv", "quoted.csv"):
        line = f'"{private}, they said"\n' if name == "quoted.csv" else f"{private}\n"
        assert "secret" not in refused(data_file(content=(line * 20).encode(), name=name))
