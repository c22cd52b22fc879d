"""The annotations of kept pages, without what hangs on them beyond their look, their note and where they lead."""

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from watermark.clean import name_text
from watermark.cut.destinations import Destinations
from watermark.cut.reach import Id

# What is drawn or noted on a page. Others, such as marks of a printer, belong to no reader.
_KINDS = frozenset(
    (
        *(
            "/Text",
            "/Link",
            "/FreeText",
            "/Line",
            "/Square",
            "/Circle",
            "/Polygon",
            "/PolyLine",
            "/Highlight",
        ),
        *(
            "/Underline",
            "/Squiggly",
            "/StrikeOut",
            "/Caret",
            "/Stamp",
            "/Ink",
            "/Popup",
            "/Widget",
            "/Watermark",
        ),
    )
)
_LOOK = (
    *(
        "/Type",
        "/Subtype",
        "/Rect",
        "/Contents",
        "/NM",
        "/M",
        "/F",
        "/AP",
        "/AS",
        "/Border",
        "/C",
        "/OC",
        "/BS",
    ),
    *(
        "/BE",
        "/CA",
        "/ca",
        "/BM",
        "/Lang",
        "/T",
        "/RC",
        "/CreationDate",
        "/Subj",
        "/RT",
        "/IT",
        "/QuadPoints",
    ),
    *(
        "/InkList",
        "/L",
        "/LE",
        "/IC",
        "/LL",
        "/LLE",
        "/LLO",
        "/Cap",
        "/CP",
        "/CO",
        "/CL",
        "/Vertices",
        "/RD",
        "/DA",
    ),
    *("/DS", "/Q", "/Sy", "/Name", "/Open", "/State", "/StateModel", "/H", "/MK"),
)
FIELD = (
    "/FT",
    "/T",
    "/TU",
    "/TM",
    "/Ff",
    "/V",
    "/DV",
    "/Opt",
    "/MaxLen",
    "/TI",
    "/I",
    "/RV",
    "/DA",
    "/DS",
    "/Q",
)
"""What a form field holds itself, its place in the form aside."""

# Links to other annotations of the page.
_TIES = ("/Popup", "/IRT", "/Parent")
_KEYS = {*_LOOK, *_TIES, "/Dest", "/A", "/P"}


def keep_annotations(document: pikepdf.Pdf, pages: list[Dictionary], leads: Destinations) -> list[Dictionary]:
    """Give each page the annotations that stay, and return them all; links that led to omitted pages are gone.

    A widget keeps its parent, which is `kept_form`'s to mend.
    """
    kept: list[Dictionary] = []
    for page in pages:
        listed = page.get("/Annots")
        found = [
            item if item.is_indirect else document.make_indirect(item)
            for item in (listed if isinstance(listed, Array) else [])
            if isinstance(item, Dictionary) and name_text(item.get("/Subtype")) in _KINDS
        ]
        found = [item for item in found if _mend(item, page, leads)]
        if "/Annots" in page:
            del page["/Annots"]
        if found:
            page["/Annots"] = Array(found)
        kept += found
    numbers = {item.objgen for item in kept}
    for page in pages:
        _tie(page, numbers)
    gone = {item.objgen for page in pages for item in page.get("/Annots", [])}
    return [item for item in kept if item.objgen in gone]


def _mend(item: Dictionary, page: Dictionary, leads: Destinations) -> bool:
    """Leave only what may stay; whether the annotation itself may."""
    kind = item.Subtype
    action = leads.action(item.get("/A"))
    target = leads.array(item.get("/Dest"))
    if kind == Name.Link and action is None and target is None:
        return False
    keys = _KEYS | set(FIELD) if kind == Name.Widget else _KEYS
    for key in list(item.keys()):
        if key not in keys:
            del item[key]
    for key, value in (("/A", action), ("/Dest", target)):
        if value is not None:
            item[key] = value
        elif key in item:
            del item[key]
    item["/P"] = page
    return True


def _tie(page: Dictionary, kept: set[Id]) -> None:
    """Unfasten what is not there any more; a window of a note that is gone goes with it."""
    found = []
    for item in page.get("/Annots", []):
        widget = item.Subtype == Name.Widget
        for key in _TIES:
            if key in item and not (widget and key == "/Parent") and not _is_one_of(item[key], kept):
                del item[key]
        if item.Subtype != Name.Popup or "/Parent" in item:
            found.append(item)
    if found:
        page["/Annots"] = Array(found)
    elif "/Annots" in page:
        del page["/Annots"]


def _is_one_of(thing: Object, kept: set[Id]) -> bool:
    return isinstance(thing, Dictionary) and thing.objgen in kept
