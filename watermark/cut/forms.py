"""The form: the fields whose widgets stand on kept pages, and the fields above them."""

import re

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from watermark.cut.annotations import FIELD
from watermark.cut.reach import Id

# Fields above fields; a loop of parents is deeper.
_MOST_NESTED = 100
# Words for all that stand below a field: where some of those are gone, they go, too.
_FOR_ALL = ("/TU", "/TM")
_FONT = re.compile(rb"/([^\0\t\n\f\r ()<>\[\]{}/%]+)[\0\t\n\f\r ]+[-+.0-9]+[\0\t\n\f\r ]+Tf")


def kept_form(document: pikepdf.Pdf, annotations: list[Dictionary]) -> Dictionary | None:
    """The form of these widgets, made anew; each widget's parent is set to the field in it. None without a field."""
    form = document.Root.get("/AcroForm")
    widgets = [item for item in annotations if item.Subtype == Name.Widget]
    made: dict[Id, Dictionary] = {}
    roots: list[Object] = []
    texts: list[bytes] = []
    sizes: list[tuple[Dictionary, int]] = []
    for widget in widgets:
        child: Object = widget
        above = _above(widget)
        if "/Parent" in widget:
            del widget["/Parent"]
        for field in above:
            new = made.get(field.objgen)
            known = new is not None
            if new is None:
                entries = {key: field[key] for key in FIELD if field.get(key) is not None}
                new = made[field.objgen] = document.make_indirect(Dictionary({**entries, "/Kids": Array()}))
                texts.append(_text(new.get("/DA")))
                kids = field.get("/Kids")
                sizes.append((new, len(kids) if isinstance(kids, Array) else 0))
            new["/Kids"].append(child)
            child["/Parent"] = new
            child = new
            if known:
                break
        else:
            roots.append(child)
        texts.append(_text(widget.get("/DA")))
    for field in [new for new, size in sizes if len(new["/Kids"]) < size]:
        for key in _FOR_ALL:
            if key in field:
                del field[key]
    if not isinstance(form, Dictionary) or not roots:
        return None
    kept = {key: form[key] for key in ("/DA", "/Q", "/NeedAppearances") if form.get(key) is not None}
    texts.append(_text(form.get("/DA")))
    found = Dictionary({**kept, "/Fields": Array(roots)})
    fonts = _fonts(form.get("/DR"), {name for text in texts for name in _FONT.findall(text)})
    if fonts:
        found["/DR"] = Dictionary(Font=Dictionary(fonts))
    return found


def _above(widget: Dictionary) -> list[Dictionary]:
    """The fields above a widget, the nearest first."""
    found: list[Dictionary] = []
    field = widget.get("/Parent")
    while isinstance(field, Dictionary) and field.is_indirect and len(found) < _MOST_NESTED:
        if any(field.objgen == one.objgen for one in found):
            break
        found.append(field)
        field = field.get("/Parent")
    return found


def _fonts(resources: object, names: set[bytes]) -> dict[str, Object]:
    fonts = resources.get("/Font") if isinstance(resources, Dictionary) else None
    if not isinstance(fonts, Dictionary):
        return {}
    return {
        name: font
        for name, font in fonts.items()
        if font is not None and name[1:].encode("utf-8", "surrogateescape") in names
    }


def _text(value: object) -> bytes:
    return bytes(value) if isinstance(value, String) else b""
