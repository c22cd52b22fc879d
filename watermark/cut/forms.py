"""The form: the fields whose widgets stand on kept pages, and the fields above them."""

import re

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from watermark.cut.annotations import FIELD
from watermark.cut.reach import Id

# Fields above fields; a loop of parents is deeper.
_MOST_NESTED = 100
# What a field says for all that stands below it: where some of that is gone, it may have been said there.
_FOR_ALL = ("/TU", "/TM", "/V", "/DV", "/RV", "/Opt", "/TI", "/I")
_FONT = re.compile(rb"/([^\0\t\n\f\r ()<>\[\]{}/%]+)[\0\t\n\f\r ]+[-+.0-9]+[\0\t\n\f\r ]+Tf")


def kept_form(document: pikepdf.Pdf, annotations: list[Dictionary]) -> Dictionary | None:
    """The form of these widgets, made anew; each widget's parent is set to the field in it. None without a field.

    A field that had more below it than these widgets loses its words and values; a number names it, unless it is the
    field of widgets themselves. The document must still have all its pages, those that are omitted as they were.
    """
    form = document.Root.get("/AcroForm")
    widgets = [item for item in annotations if item.Subtype == Name.Widget]
    made: dict[Id, Dictionary] = {}
    roots: list[Object] = []
    texts: list[bytes] = []
    losing = _losing(document, widgets)
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
                if field.objgen in losing and "/T" in child and "/T" in new:
                    new["/T"] = String(f"group-{len(made)}")
            new["/Kids"].append(child)
            child["/Parent"] = new
            child = new
            if known:
                break
        else:
            roots.append(child)
        texts.append(_text(widget.get("/DA")))
    lost = [field for number, field in made.items() if number in losing]
    lost += [widget for widget in widgets if widget.objgen in losing]
    # Readers would draw the appearances anew, without the values.
    keys = ("/DA", "/Q") if any("/V" in field for field in lost) else ("/DA", "/Q", "/NeedAppearances")
    for field in lost:
        for key in _FOR_ALL:
            if key in field:
                del field[key]
    if not isinstance(form, Dictionary) or not roots:
        return None
    kept = {key: form[key] for key in keys if form.get(key) is not None}
    texts.append(_text(form.get("/DA")))
    found = Dictionary({**kept, "/Fields": Array(roots)})
    fonts = _fonts(form.get("/DR"), {name for text in texts for name in _FONT.findall(text)})
    if fonts:
        found["/DR"] = Dictionary(Font=Dictionary(fonts))
    return found


def _losing(document: pikepdf.Pdf, widgets: list[Dictionary]) -> set[Id]:
    """The fields below which stands, or stood, anything but these widgets."""
    found: set[Id] = set()
    kept = {widget.objgen for widget in widgets}
    for page in document.pages:
        listed = page.obj.get("/Annots")
        for item in listed if isinstance(listed, Array) else []:
            if isinstance(item, Dictionary) and item.objgen not in kept:
                found |= {field.objgen for field in _above(item)}
    fields = {field.objgen: field for widget in widgets for field in _above(widget)}
    for field in fields.values():
        kids = field.get("/Kids")
        for kid in kids if isinstance(kids, Array) else []:
            if not isinstance(kid, Dictionary) or kid.objgen not in kept | fields.keys():
                found |= {one.objgen for one in (field, *_above(field))}
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
