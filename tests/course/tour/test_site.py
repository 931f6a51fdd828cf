"""The static site: links that work in any folder, nothing from elsewhere, no file lost."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from click.testing import CliRunner

from course.catalog import Catalog
from course.cli import app
from course.tour.search import make_index
from course.tour.site import LIST, SiteError, file_of, write_site
from course.tour.text import outline, page
from tests.course.sample_course import make_course

ROOT = Path(__file__).resolve().parents[3]
URL = "https://example.org/course/"
ATTRIBUTE = re.compile(r'<(\w+)[^>]*? (href|src|action)="([^"]*)"')
# In shown code the angle bracket is an entity, so its ids are in no tag.
ID = re.compile(r'<\w+(?: [^<>]*)? id="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the course."""
    folder = tmp_path_factory.mktemp("site")
    write_site(Catalog(ROOT), folder, URL)
    return folder


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[str, str]:
    """The documents of the site, by the names of their files."""
    return {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
        if path.is_file()  # a folder has the name of a template
    }


def test_each_page_of_the_tour_has_its_file(documents: dict[str, str]) -> None:
    places = outline(Catalog(ROOT)).places()
    assert set(documents) == {file_of(place.address) for place in places} | {
        "search/index.html",
        "404.html",
    }


def test_links_are_relative_and_lead_to_files_and_headings(
    site: Path, documents: dict[str, str]
) -> None:
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    ids = {name: set(ID.findall(text)) for name, text in documents.items()}
    for name, document in documents.items():
        for _, _, link in ATTRIBUTE.findall(document):
            if link.startswith("https://"):
                continue
            target, fragment = urldefrag(link)
            assert not target.startswith("/"), f"{name}: {link} names the root of the server"
            there = normpath(f"{name}/../{unquote(target)}") if target else name
            assert there in files, f"{name}: {link}"
            assert not fragment or fragment in ids[there], f"{name}: {link}"


def test_ids_are_unique(documents: dict[str, str]) -> None:
    for name, document in documents.items():
        found = ID.findall(document)
        assert len(found) == len(set(found)), name


def test_nothing_is_loaded_from_elsewhere(site: Path, documents: dict[str, str]) -> None:
    for name, document in documents.items():
        loaded = [link for tag, _, link in ATTRIBUTE.findall(document) if tag != "a"]
        foreign = {link for link in loaded if urlsplit(link).netloc}
        assert not foreign or name == "404.html", f"{name}: {foreign}"
        assert "<script>" not in document
    for style in (site / "static").glob("*.css"):
        assert not re.search(r"@import|url\(", style.read_text(encoding="utf-8")), style


def test_only_the_search_has_a_script(documents: dict[str, str]) -> None:
    scripts = {name for name, document in documents.items() if "<script" in document}
    assert scripts == {"search/index.html"}


def test_the_page_for_unknown_addresses_works_at_any_of_them(documents: dict[str, str]) -> None:
    links = [link for _, _, link in ATTRIBUTE.findall(documents["404.html"])]
    assert all(link.startswith((URL, "#")) for link in links)
    assert f"{URL}index.html" in links
    assert f"{URL}static/style.css" in links


def test_the_sitemap_names_the_pages_to_read(site: Path, documents: dict[str, str]) -> None:
    tree = ElementTree.parse(site / "sitemap.xml")
    found = [each.text or "" for each in tree.iterfind("{*}url/{*}loc")]
    assert {f"{URL}01/1/", URL, f"{URL}file/lessons/TROUBLESHOOTING.md/"} <= set(found)
    assert all(f"{each.removeprefix(URL)}index.html" in documents for each in found)
    assert not [each for each in found if "/file/" in each and not each.endswith(".md/")]


def test_a_site_replaces_its_files_and_nothing_else(tmp_path: Path) -> None:
    catalog = Catalog(make_course(tmp_path / "course"))
    folder = tmp_path / "site"
    write_site(catalog, folder)
    old = folder / "99" / "index.html"
    old.parent.mkdir()
    old.write_text("a page that is no more")
    names = json.loads((folder / LIST).read_text())
    (folder / LIST).write_text(json.dumps([*names, "99/index.html", "../outside"]))
    outside = tmp_path / "outside"
    outside.write_text("not of the site")
    own = folder / "CNAME"
    own.write_text("example.org")
    write_site(catalog, folder)
    assert not old.parent.exists()
    assert outside.exists()
    assert own.exists()
    assert (folder / "01" / "index.html").exists()
    assert not (folder / "sitemap.xml").exists()  # it needs whole addresses


@pytest.mark.parametrize("name", ["letter.txt", ".git"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear Ann")
    with pytest.raises(SiteError, match="holds files that are not a site"):
        write_site(Catalog(ROOT), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_refused_by_the_command(tmp_path: Path) -> None:
    root = make_course(tmp_path / "course")
    file = tmp_path / "site"
    file.write_text("Dear Ann")
    done = CliRunner().invoke(app, ["--root", str(root), "site", str(file)])
    assert done.exit_code == 2
    assert done.output == f"learn.py: {file} is a file.\n"
    assert file.read_text() == "Dear Ann"


def test_the_command_says_what_to_open(tmp_path: Path) -> None:
    root = make_course(tmp_path / "course")
    done = CliRunner().invoke(app, ["--root", str(root), "site", str(tmp_path / "site")])
    assert done.exit_code == 0
    assert done.output.endswith(f"pages. Open {tmp_path / 'site' / 'index.html'}\n")
    assert (tmp_path / "site" / "index.html").exists()


def test_the_index_has_the_words_of_titles_first() -> None:
    catalog = Catalog(ROOT)
    pages = [
        page(catalog, address) for address in ("/", "/01/2", "/01/6", "/exercise/01/allow_head")
    ]
    index = json.loads(make_index(pages))
    assert [entry[0] for entry in index["pages"]] == ["/01/2", "/01/6", "/exercise/01/allow_head"]
    assert index["words"]["json"] == [0, -2]  # the second page has it in its title
    assert index["words"]["head"] == [0, -3]
    assert index["words"]["objecthandler"] == [1]
    assert index["words"]["xhtml_escape"] == index["words"]["xhtml"] == [1]
