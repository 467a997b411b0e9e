"""Collecting from a web address, against a real server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import time
from dataclasses import replace

import pytest

from ingest.addresses import AddressRule
from ingest.collect import collect, collect_bundled
from ingest.errors import DataUnavailableError, SourceUnreachableError
from ingest.sources.base import Limits
from ingest.sources.http import HttpSource
from shared.errors import InvalidExecutionInputError

TRAIN = b'{"sentence": "Sturdy.", "helpful": 1.5}\n' * 40
TEST = b'{"sentence": "Hello.", "helpful": 0.2}\n' * 10


def test_files_arrive_with_size_and_hash(site, quick, tmp_path):
    """Both files are there byte for byte, and the result states what was received."""
    site.serve("/data/train.json", TRAIN)
    site.serve("/data/test.json", TEST)
    collected = collect(f"{site.url}/data/", tmp_path, limits=quick)
    assert [(file.name, file.size, file.sha256) for file in collected.files] == [
        ("train.json", len(TRAIN), hashlib.sha256(TRAIN).hexdigest()),
        ("test.json", len(TEST), hashlib.sha256(TEST).hexdigest()),
    ]
    assert [file.path.read_bytes() for file in collected.files] == [TRAIN, TEST]
    assert (collected.source, collected.fell_back, collected.reason) == (f"{site.url}/data", False, "")


@pytest.mark.parametrize("name", ["tickets.csv", "tickets.jsonl.gz", "my%20tickets.xlsx"])
def test_address_of_a_file_is_that_file(site, quick, tmp_path, name):
    """An address that ends like a data file is requested as it is, and nothing else."""
    site.serve(f"/data/{name}", TRAIN)
    collected = collect(f"{site.url}/data/{name}", tmp_path, limits=quick)
    assert [(file.name, file.path.read_bytes()) for file in collected.files] == [(name, TRAIN)]
    assert (collected.source, site.requested) == (f"{site.url}/data/{name}", [f"/data/{name}"])


def test_slash_says_that_an_address_is_a_folder(site, quick, tmp_path):
    """Below an address with a slash at its end the usual two files are asked for, whatever its name."""
    site.serve("/data.csv/train.json", TRAIN)
    site.serve("/data.csv/test.json", TEST)
    collect(f"{site.url}/data.csv/", tmp_path, limits=quick)
    assert site.requested == ["/data.csv/train.json", "/data.csv/test.json"]


@pytest.mark.parametrize("url", ["https://data.zip", "http://host.json"])
def test_host_is_no_file(url):
    """A host whose name ends like a data file is a host."""
    assert HttpSource(url, Limits()).find_files() == ("train.json", "test.json")


def test_packed_file_stays_packed(site, answer, quick, tmp_path):
    """What the host sends as a packed file is stored as it is: the training job unpacks it."""
    packed = gzip.compress(TRAIN)
    site.serve("/tickets.jsonl.gz", answer(packed, headers={"Content-Type": "application/gzip"}))
    assert collect(f"{site.url}/tickets.jsonl.gz", tmp_path, limits=quick).files[0].path.read_bytes() == packed


def test_data_hash_covers_the_names(data_file, tmp_path):
    """The same bytes under another name are another data set: the name may decide what is the test file."""
    hashes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        data_file("a", name=f"{name}/{name}.csv")
        hashes.append(collect_bundled(tmp_path, tmp_path / name).data_sha256)
    assert hashes[0] != hashes[1]


def test_data_hash_is_that_of_the_listing(site, quick, tmp_path):
    """The hash of the whole set is that of its listing, as sha256sum would print it."""
    site.serve("/train.json", TRAIN)
    site.serve("/test.json", TEST)
    listing = f"{hashlib.sha256(TEST).hexdigest()}  test.json\n{hashlib.sha256(TRAIN).hexdigest()}  train.json\n"
    assert collect(site.url, tmp_path, limits=quick).data_sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_interrupted_download_is_an_error(site, answer, quick, tmp_path):
    """A connection that breaks in every attempt ends in an error with the numbers."""
    site.serve("/train.json", answer(TRAIN, announced=len(TRAIN) + 100))
    numbers = f"broke off after {len(TRAIN)} of {len(TRAIN) + 100} bytes"
    with pytest.raises(SourceUnreachableError, match=numbers):
        collect(site.url, tmp_path, limits=quick)
    assert len(site.requested) == quick.attempts


def test_download_is_tried_again_from_the_start(site, answer, quick, tmp_path):
    """A file whose first transfer broke off is whole after the second."""
    site.serve("/train.json", answer(TRAIN[:50], announced=len(TRAIN)), answer(TRAIN))
    site.serve("/test.json", TEST)
    collected = collect(site.url, tmp_path, limits=quick)
    assert collected.files[0].path.read_bytes() == TRAIN


def test_compressed_answer_is_unpacked(site, answer, quick, tmp_path):
    """A host that compresses although it was not asked to: its announced size is not that of the file."""
    site.serve("/train.json", answer(gzip.compress(TRAIN), headers={"Content-Encoding": "gzip"}))
    site.serve("/test.json", TEST)
    assert collect(site.url, tmp_path, limits=quick).files[0].size == len(TRAIN)


def test_answer_in_chunks_of_unannounced_size(site, answer, quick, tmp_path):
    """Chunked transfer, without a Content-Length, arrives whole."""
    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (7, TRAIN[:7], len(TRAIN) - 7, TRAIN[7:])
    site.serve("/train.json", answer(body, headers={"Transfer-Encoding": "chunked", "Content-Length": ""}))
    site.serve("/test.json", TEST)
    assert collect(site.url, tmp_path, limits=quick).files[0].path.read_bytes() == TRAIN


def test_chunks_that_break_off_are_noticed(site, answer, quick, tmp_path):
    """A chunked transfer that ends before its last chunk is incomplete, though no size was announced."""
    body = b"%x\r\n%s\r\n" % (len(TRAIN), TRAIN)
    site.serve("/train.json", answer(body, headers={"Transfer-Encoding": "chunked", "Content-Length": ""}))
    with pytest.raises(SourceUnreachableError, match=f"broke off after {len(TRAIN)} of an unknown number of bytes"):
        collect(site.url, tmp_path, limits=quick)


def test_passing_error_is_tried_again(site, answer, quick, tmp_path):
    """A host that answers 503 once and then the file is not a failure."""
    site.serve("/train.json", answer(status=503), answer(TRAIN))
    site.serve("/test.json", TEST)
    assert collect(site.url, tmp_path, limits=quick).files[0].size == len(TRAIN)
    assert site.requested == ["/train.json", "/train.json", "/test.json"]


def test_lasting_503_is_unreachable(site, answer, quick, tmp_path):
    """After the allowed attempts a 503 counts as a host that can't be reached."""
    site.serve("/train.json", answer(status=503))
    with pytest.raises(SourceUnreachableError, match="503"):
        collect(site.url, tmp_path, limits=quick)
    assert len(site.requested) == quick.attempts


def test_requested_wait_is_respected_up_to_the_limit(site, answer, quick, tmp_path):
    """Retry-After lengthens the wait, but not beyond max_wait."""
    site.serve("/train.json", answer(status=503, headers={"Retry-After": "3600"}), answer(TRAIN))
    site.serve("/test.json", TEST)
    start = time.monotonic()
    collect(site.url, tmp_path, limits=replace(quick, max_wait=0.3))
    assert 0.3 <= time.monotonic() - start < 3


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusal_is_final(site, answer, quick, tmp_path, bundled, status):
    """A host that says no is asked once, and no other data is used in its stead."""
    site.serve("/train.json", answer(status=status))
    with pytest.raises(DataUnavailableError, match=str(status)):
        collect(site.url, tmp_path, limits=quick, fallback=bundled)
    assert len(site.requested) == 1


def test_web_page_is_refused(site, answer, quick, tmp_path):
    """A login page with status 200 is not taken for the data."""
    site.serve("/train.json", answer(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}))
    with pytest.raises(DataUnavailableError, match="web page"):
        collect(site.url, tmp_path, limits=quick)


def test_silent_host_is_given_up(site, answer, quick, tmp_path):
    """A host that accepts the connection and says nothing is left after the read timeout."""
    site.serve("/train.json", answer(TRAIN, pause=20))
    start = time.monotonic()
    with pytest.raises(SourceUnreachableError, match=r"silent for 0\.2 s"):
        collect(site.url, tmp_path, limits=replace(quick, read_timeout=0.2, attempts=1))
    assert time.monotonic() - start < 5


def test_host_that_falls_silent_half_way_is_given_up(site, answer, quick, tmp_path):
    """The read timeout holds for the body too."""
    site.serve("/train.json", answer(b"ab", drip=20))
    with pytest.raises(SourceUnreachableError, match=r"silent for 0\.2 s"):
        collect(site.url, tmp_path, limits=replace(quick, read_timeout=0.2, attempts=1))


def test_unfinished_file_is_given_up_after_the_time_limit(site, answer, quick, tmp_path):
    """A host that never pauses long enough for the read timeout is left after the time limit."""
    site.serve("/train.json", answer(TRAIN, drip=0.02))
    start = time.monotonic()
    with pytest.raises(SourceUnreachableError, match=r"not complete after 0\.3 s"):
        collect(site.url, tmp_path, limits=replace(quick, read_timeout=5, time_limit=0.3, attempts=1))
    assert time.monotonic() - start < 5


def test_unreachable_host_leads_to_the_bundled_data(closed_url, quick, tmp_path, bundled):
    """The bundled files are used, and the result says so and why."""
    collected = collect(closed_url, tmp_path, limits=quick, fallback=bundled)
    assert (collected.fell_back, collected.source) == (True, "bundled")
    assert closed_url in collected.reason
    assert (tmp_path / "train.json").read_bytes() == (bundled / "train.json").read_bytes()


def test_fallback_replaces_both_files(site, answer, quick, tmp_path, bundled):
    """Data of two sources is never mixed: a host lost after the first file leads to both bundled ones."""
    site.serve("/train.json", TRAIN)
    site.serve("/test.json", answer(status=500))
    assert collect(site.url, tmp_path, limits=quick, fallback=bundled).fell_back
    assert (tmp_path / "train.json").read_bytes() == (bundled / "train.json").read_bytes()


def test_unreachable_host_without_fallback_is_an_error(closed_url, quick, tmp_path):
    """Nothing is made up where no fallback is allowed."""
    with pytest.raises(SourceUnreachableError, match=f"{closed_url}/train.json cannot be reached"):
        collect(closed_url, tmp_path, limits=quick)


def test_every_redirect_is_checked(site, answer, quick, tmp_path):
    """A redirect to an address that is not allowed is not followed, whatever the first host was."""
    elsewhere = type(site)()
    elsewhere.serve("/secret", b"secret")
    port = elsewhere.url.rpartition(":")[2]
    site.serve("/train.json", answer(status=302, headers={"Location": f"http://[::ffff:127.0.0.1]:{port}/secret"}))
    rule = AddressRule(internal=True, runtime_api=f"127.0.0.1:{port}")
    with pytest.raises(InvalidExecutionInputError):
        collect(site.url, tmp_path, limits=quick, rule=rule)
    assert (site.requested, elsewhere.requested) == (["/train.json"], [])
    elsewhere.close()


def test_packed_answer_ends_at_the_limit(site, answer, quick, tmp_path):
    """An answer of some KB that unpacks to many MB is left at the limit of a data set."""
    packed = gzip.compress(b"a" * 50_000_000)
    site.serve("/train.json", answer(packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(DataUnavailableError, match="more than 1 MB"):
        collect(site.url, tmp_path, limits=replace(quick, max_bytes=1_000_000))


def test_limit_holds_for_all_files_together(site, quick, tmp_path):
    """Two files that are small enough each may be too much together; an announced size is refused unread."""
    site.serve("/train.json", TRAIN)
    site.serve("/test.json", TEST)
    with pytest.raises(DataUnavailableError, match=r"test\.json .* makes more than"):
        collect(site.url, tmp_path, limits=replace(quick, max_bytes=len(TRAIN) + len(TEST) - 1))
