"""The pages of the tour as static HTML: `learn.py site DIR`.

The site runs nothing. All of its links are relative and name a file, so it works in any folder of
any web server, and from the disk without one.
"""

import json
import re
import shutil
from pathlib import Path
from posixpath import relpath
from xml.sax.saxutils import escape

from course.catalog import Catalog
from course.tour import text
from course.tour.search import make_index
from course.tour.text import Page, outline, page, render, render_other
from course.translation import translate

STATIC = Path(__file__).parent / "static"
STATIC_FILES = ("style.css", "text.css", "site.css", "search.js", "icon.svg", "diagrams")
LIST = "site-files.json"
"""Names the files of a site, so that the next one replaces them and nothing else."""
LOCAL_LINK = re.compile(r'(?<= )(href|src|action)="(/[^"#?]*)')
SEARCH = "/search"
NOT_FOUND = "404.html"
INDEX = "search-index.js"


class SiteError(Exception):
    """The site cannot be written there; the message says why."""


def write_site(catalog: Catalog, folder: Path, url: str = "") -> int:
    """Write the site, in place of an earlier one in the same folder.

    Args:
        catalog: the course.
        folder: the folder, which is made if it is missing.
        url: the address at which the site will be. Without it there is no sitemap, which needs
            whole addresses, and the links of the page for unknown addresses work only in the
            folder itself.

    Returns:
        The number of pages.

    Raises:
        SiteError: the folder cannot be made, or it has files, and no site is among them.
    """
    try:
        _remove_old(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{error.strerror}: {folder}"
        raise SiteError(translate("The site cannot be written: {reason}.", reason=reason)) from None
    base = url.rstrip("/") + "/" if url else ""
    site = _Site(folder)
    pages = [page(catalog, place.address) for place in outline(catalog).places()]
    for each in pages:
        site.add_page(each.place.address, render(catalog, each, tour=False))
    site.add_page(SEARCH, render_other("search.html", "Search"))
    site.add(INDEX, f"const SEARCH_INDEX = {make_index(pages)};\n")
    site.add(NOT_FOUND, _link(render_other("not_found.html", "No such page"), base=base))
    if base:
        site.add("sitemap.xml", _sitemap(pages, base))
    site.add(".nojekyll", "")  # GitHub would leave out names that begin with an underscore
    site.add_static_files()
    site.write_list()
    return len(pages)


class _Site:
    """The files that were written, for the next site in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []

    def add(self, name: str, content: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="\n")
        self.files.append(name)

    def add_page(self, address: str, document: str) -> None:
        name = file_of(address)
        self.add(name, _link(document, folder=name.rpartition("/")[0] or "."))

    def add_static_files(self) -> None:
        for name in STATIC_FILES:
            source = STATIC / name
            for file in sorted(source.iterdir()) if source.is_dir() else [source]:
                target = self.folder / "static" / file.relative_to(STATIC)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
                self.files.append(target.relative_to(self.folder).as_posix())

    def write_list(self) -> None:
        self.add(LIST, json.dumps([*self.files, LIST], indent=0) + "\n")


def file_of(address: str) -> str:
    """Return the file of a page's address: `01/1/index.html` for `/01/1`."""
    return f"{address.strip('/')}/index.html".lstrip("/")


def _link(document: str, *, folder: str = ".", base: str = "") -> str:
    """Return a document whose links name files of the site.

    Args:
        document: a document with links to addresses of the tour.
        folder: the folder of the document, to which its links are relative.
        base: the address of the site, for a page that is shown at any address.
    """

    def file_link(link: re.Match[str]) -> str:
        name, address = link[1], link[2]
        is_file = address.startswith("/static/") or address == f"/{INDEX}"
        target = address.lstrip("/") if is_file else file_of(address)
        return f'{name}="{escape(base) + target if base else relpath(target, folder)}'

    return LOCAL_LINK.sub(file_link, document)


def _remove_old(folder: Path) -> None:
    """Remove the files of an earlier site; leave all other files where they are."""
    if folder.is_file():
        raise SiteError(translate("{folder} is a file.", folder=folder))
    if not folder.exists() or not any(folder.iterdir()):
        return
    names = folder / LIST
    if not names.exists():
        raise SiteError(
            translate(
                "{folder} holds files that are not a site of this command. Name an empty or a "
                "new folder.",
                folder=folder,
            )
        )
    for name in json.loads(names.read_text(encoding="utf-8")):
        file = folder / name
        if file.resolve().is_relative_to(folder.resolve()):
            file.unlink(missing_ok=True)
    for inner in sorted(folder.rglob("*"), reverse=True):  # the deepest first
        if inner.is_dir() and not any(inner.iterdir()):
            inner.rmdir()


def _sitemap(pages: list[Page], base: str) -> str:
    """Return the sitemap of the pages of the lessons and of the documents."""
    shown = [each for each in pages if each.place.kind != "file" or text.is_document(each.place)]
    names = [file_of(each.place.address).removesuffix("index.html") for each in shown]
    entries = "".join(f"<url><loc>{escape(base + name)}</loc></url>\n" for name in names)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    head += '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{entries}</urlset>\n"
