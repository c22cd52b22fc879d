"""Cut: some pages of a report as a PDF of their own. Runs in the child process, before compile.

What remains is chosen by allow lists: a page keeps what draws it, the catalog what is mended here, and whatever else
the file holds is not written. A page is kept or omitted whole.

1. Open; resolve what leads where, while all pages are there.
2. Clean.
3. Each kept page keeps its content, the resources that this uses, and its annotations; links to omitted pages go.
4. Mend structure and layers, as outline, labels and form were.
5. Make the catalog and the page tree anew; empty the omitted pages.
6. Prove that nothing is reached which only omitted pages reached.
7. Write anew: what is not reached is not written.
"""

from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from watermark.clean import clean, dictionaries
from watermark.compile import compile_pdf
from watermark.cut.annotations import keep_annotations
from watermark.cut.destinations import Destinations
from watermark.cut.forms import kept_form
from watermark.cut.labels import kept_labels
from watermark.cut.layers import kept_layers
from watermark.cut.outline import kept_outline
from watermark.cut.reach import Id, reached
from watermark.cut.structure import kept_structure
from watermark.cut.used import Pruning
from watermark.errors import RefusalReason, Refused
from watermark.inspection import DEFAULT_PDF_LIMITS, PdfLimits, limits_from, open_sound_pdf
from watermark.kept import read_kept
from watermark.pages import SourcePage, source_page
from watermark.writing import written

# What of a page's own entries draws it. Boxes, rotation and resources are resolved into it.
_PAGE_KEYS = frozenset(
    (
        *(
            "/Type",
            "/MediaBox",
            "/CropBox",
            "/Rotate",
            "/UserUnit",
            "/Contents",
            "/Resources",
            "/Group",
            "/Tabs",
        ),
        *("/Annots", "/Parent"),
    )
)
# Entries of the catalog whose values are names, truths or texts, and tell nothing of single pages.
_PLAIN_KEYS = ("/Version", "/Lang", "/PageLayout", "/PageMode")
_VIEWER_KEYS = (
    "/DisplayDocTitle",
    "/Direction",
    "/HideToolbar",
    "/HideMenubar",
    "/FitWindow",
    "/CenterWindow",
)
_INTENT_KEYS = (
    *("/Type", "/S", "/OutputCondition", "/OutputConditionIdentifier", "/RegistryName", "/DestOutputProfile"),
)


def compile_cut(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The task `cut` of the sandbox: what `compile_pdf` answers of the pages that `parameters["pages"]` names, from 1.

    Raises `Refused`.
    """
    whole = {name: value for name, value in parameters.items() if name != "pages"}
    return compile_pdf(cut_pdf(pdf, parameters["pages"], limits_from(parameters)), whole)


def cut_pdf(pdf: bytes, pages: list[int], limits: PdfLimits = DEFAULT_PDF_LIMITS) -> bytes:
    """A PDF of these pages (from 1), in the order of the file, in which nothing of the others remains.

    What the kept pages show and extract is as before; links, outline entries and labels of kept pages lead and read as
    before. The glyphs of an embedded font stay together: a font that kept pages use keeps those of omitted ones, too.
    Raises `Refused` for a file that is not sound, for pages that it does not have (no-pages) and where the proof fails
    (cannot-cut).
    """
    with open_sound_pdf(pdf, limits) as document:
        try:
            return _cut(document, {number - 1 for number in pages})
        except (pikepdf.PdfError, ValueError, RuntimeError) as error:
            raise Refused(RefusalReason.CANNOT_CUT) from error


def _cut(document: pikepdf.Pdf, wanted: set[int]) -> bytes:
    title = read_kept(document).title
    pages = [page.obj for page in document.pages]
    numbers = sorted(wanted)
    if not numbers or numbers[0] < 0 or numbers[-1] >= len(pages):
        raise Refused(RefusalReason.NO_PAGES)
    kept = [pages[number] for number in numbers]
    omitted = [page for number, page in enumerate(pages) if number not in wanted]

    # 1. Before an entry of the outline loses its script: it would look like a heading that leads nowhere.
    root = document.Root
    leads = Destinations(document, pages, numbers)
    outline = kept_outline(document, root.get("/Outlines"), leads)

    # 2. And what stands in the catalog, before it goes.
    clean(document)
    secret = _of_omitted(document, pages, omitted)
    labels = kept_labels(document, numbers)
    opens = leads.array(root.get("/OpenAction"))  # cleaning leaves no action there

    # 3. The form first: parents of fields would lead to other pages.
    sources = [source_page(document, page) for page in kept]
    annotations = keep_annotations(document, kept, leads)
    form = kept_form(document, annotations)
    shown = _keep_contents(document, sources)

    # 4.
    structure = kept_structure(document, sources, shown)
    layers = kept_layers(document, shown)

    # 5.
    _make_catalog(document, kept)
    made = {
        "/Outlines": outline,
        "/PageLabels": labels,
        "/OpenAction": opens,
        "/StructTreeRoot": structure,
        "/AcroForm": form,
        "/OCProperties": layers,
    }
    for key, value in made.items():
        if value is not None:
            root[key] = value
    if structure is None and "/MarkInfo" in root:
        del root["/MarkInfo"]
    for page in omitted:
        for key in list(page.keys()):
            del page[key]
    _make_trailer(document, title)

    # 6.
    _prove(document, kept, omitted, secret)
    return written(document)


def _of_omitted(document: pikepdf.Pdf, pages: list[Dictionary], omitted: list[Dictionary]) -> set[Id]:
    """All objects that omitted pages reach, not by way of other pages or the page tree."""
    stops = {page.objgen for page in pages}
    stops |= {holder.objgen for holder in dictionaries(document) if holder.get("/Type") == Name.Pages}
    return reached([value for page in omitted for _, value in page.items()], stops)


def _keep_contents(document: pikepdf.Pdf, sources: list[SourcePage]) -> list[pikepdf.Object]:
    """Let each page hold only what draws it; returns every dictionary that the pages then reach, streams too."""
    pruning = Pruning(document)
    for source in sources:
        for key in list(source.page.keys()):
            if key not in _PAGE_KEYS:
                del source.page[key]
        source.page[Name.Resources] = pruning.resources(source.page.Resources, [source.content])
    return pruning.within([source.page for source in sources])


def _make_catalog(document: pikepdf.Pdf, kept: list[Dictionary]) -> None:
    root = document.Root
    plain = {key: root[key] for key in _PLAIN_KEYS if isinstance(root.get(key), Name | String)}
    viewer = _only(root.get("/ViewerPreferences"), _VIEWER_KEYS)
    marks = _only(root.get("/MarkInfo"), ("/Marked", "/Suspects"))
    intents = root.get("/OutputIntents")
    found = [_only(intent, _INTENT_KEYS) for intent in intents] if isinstance(intents, Array) else []
    for key in list(root.keys()):
        del root[key]
    root["/Type"] = Name.Catalog
    for key, value in plain.items():
        root[key] = value
    if viewer:
        root["/ViewerPreferences"] = Dictionary(viewer)
    if marks:
        root["/MarkInfo"] = Dictionary(marks)
    if any(found):
        root["/OutputIntents"] = Array([Dictionary(intent) for intent in found if intent])
    tree = document.make_indirect(Dictionary(Type=Name.Pages, Kids=Array(kept), Count=len(kept)))
    for page in kept:
        page["/Parent"] = tree
    root["/Pages"] = tree


def _only(holder: object, keys: tuple[str, ...]) -> dict[str, Any]:
    """These entries of a dictionary, those that hold others aside; nothing where it is none."""
    if not isinstance(holder, Dictionary):
        return {}
    found = {key: holder.get(key) for key in keys}
    return {
        key: value
        for key, value in found.items()
        if value is not None and not isinstance(value, Dictionary | Array)
    }


def _make_trailer(document: pikepdf.Pdf, title: str) -> None:
    """The title is the document's, which its recipient knows; author, tools and dates are not written."""
    for key in ("/ID", "/Info"):
        if key in document.trailer:
            del document.trailer[key]
    # Written only where it was, and readers need it; the number is qpdf's.
    document.trailer["/Size"] = 0
    if title:
        document.trailer["/Info"] = document.make_indirect(Dictionary(Title=String(title)))


def _prove(document: pikepdf.Pdf, kept: list[Dictionary], omitted: list[Dictionary], secret: set[Id]) -> None:
    """Raise `Refused` if the document reaches an omitted page, or anything that only omitted pages reached."""
    root = document.Root
    # What the document as a whole draws with: output profiles, and fonts of the form.
    allowed = reached([*kept, root.get("/OutputIntents"), *_fonts_of(root.get("/AcroForm"))], set())
    found = reached([document.trailer], set())
    left = (found & secret) - allowed
    if left or found & {page.objgen for page in omitted}:
        raise Refused(RefusalReason.CANNOT_CUT, where=f"{len(left)} objects of omitted pages are reached")


def _fonts_of(form: object) -> list[object]:
    return [form.get("/DR")] if isinstance(form, Dictionary) else []
