"""Takes out of a PDF what acts, hides, calls home or tells about its author's machine. What is read stays.

The rules look at every dictionary of the file once, wherever it hangs, because a reader may reach it by a way that
we do not know. Actions are kept by an allow list. Page boxes, rotation, outlines, internal and web links, tags, page
labels, form fields with their appearance, fonts and optional content stay as they are.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream, String

# Actions that stay: they move within the document, show and hide its parts, or open a web page when clicked.
_KEPT_ACTIONS = frozenset(
    {"/GoTo", "/URI", "/Named", "/Hide", "/SetOCGState", "/Thread", "/Trans", "/ResetForm"}
)
# The four named actions of ISO 32000-1, table 212. Viewers know others, such as printing.
_KEPT_NAMED = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
_KEPT_SCHEMES = frozenset({"", "http", "https", "mailto", "tel"})
_ACTION_CODES = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "submit-form",
    "/ImportData": "import-data",
    "/GoToR": "remote-goto",
    "/GoToE": "embedded-goto",
    "/URI": "unsafe-uri",
    "/Rendition": "rich-media",
    "/RichMediaExecute": "rich-media",
    "/GoTo3DView": "rich-media",
    "/Movie": "rich-media",
    "/Sound": "rich-media",
}
_OTHER_ACTION = "other-action"
# Pages that no reader shows.
_HIDDEN = "private-data"
_PAGE_KEYS = ("/Contents", "/Resources", "/Annots", "/Thumb")
# What pdfTeX notes of a file that it includes: its path, and its document information.
_INCLUDED_KEYS = ("/PTEX.FileName", "/PTEX.InfoDict", "/PTEX.PageNumber")
# Keys under which an action, or a list of them, hangs.
_ACTION_KEYS = ("/A", "/PA", "/NA", "/Next")

_REMOVED_ANNOTATIONS = {
    "/FileAttachment": "embedded-files",
    "/RichMedia": "rich-media",
    "/3D": "rich-media",
    "/Screen": "rich-media",
    "/Movie": "rich-media",
    "/Sound": "rich-media",
}
# What such an annotation carries; a structure tree may still point at it.
_ANNOTATION_CARGO = (
    "/FS",
    "/RichMediaContent",
    "/RichMediaSettings",
    "/3DD",
    "/3DV",
    "/Movie",
    "/Sound",
    "/A",
    "/AA",
)

_CATALOG_KEYS = {
    "/Metadata": "metadata",
    "/Collection": "portfolio",
    "/AF": "embedded-files",
    "/Perms": "signatures",
    "/DSS": "signatures",
    "/Legal": "signatures",
    "/Requirements": _OTHER_ACTION,
    "/SpiderInfo": "machine-metadata",
    "/NeedsRendering": "xfa",
}
_NAME_TREE_KEYS = {
    "/JavaScript": "javascript",
    "/EmbeddedFiles": "embedded-files",
    "/Renditions": "rich-media",
    "/AlternatePresentations": "rich-media",
    "/Pages": _HIDDEN,
    "/Templates": _HIDDEN,
    "/XFAResources": "xfa",
    "/XFAImages": "xfa",
    "/IDS": "machine-metadata",
    "/URLS": "machine-metadata",
}


def clean(pdf: pikepdf.Pdf) -> dict[str, int]:
    """Clean this PDF in place and return what was taken out: a closed code and how often, by code.

    Afterwards no reader finds scripts, actions beyond moving and web links, embedded files, media, XFA, signatures,
    Info, XMP, private application data or thumbnails. Wrong types are left alone where they cannot act. Encryption
    ends when the PDF is saved. Raises `pikepdf.PdfError` only if the file has no catalog.
    """
    removed: Counter[str] = Counter()
    doomed: list[tuple[Object, tuple[str, ...] | None]] = []
    pages = {page.obj.objgen for page in pdf.pages}
    for holder in dictionaries(pdf):
        if holder.keys().isdisjoint(_TELLING_KEYS) and not isinstance(holder, Stream):
            continue
        for rule in _RULES:
            rule(holder, removed, doomed)
        _drop_hidden_page(holder, pages, removed, doomed)
    _clean_catalog(pdf.Root, removed)
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
        removed["info"] += 1
    if pdf.is_encrypted:
        removed["encryption"] += 1
    # Only now: the rules above had to see what each thing was.
    for thing, keys in doomed:
        if keys is None and isinstance(thing, Stream):
            thing.write(b"")
        for key in list(thing.keys()) if keys is None else keys:
            if key in thing:
                del thing[key]
    return dict(sorted(removed.items()))


def dictionaries(pdf: pikepdf.Pdf) -> Iterator[Object]:
    """Every dictionary of the file once, those of streams and those inside other objects too. Never recurses."""
    for top in (pdf.trailer, *pdf.objects):
        waiting = [top]
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, Array):
                waiting += [item for item in thing if _is_direct_container(item)]
            elif isinstance(thing, Dictionary | Stream):
                yield thing
                waiting += [item for _, item in thing.items() if _is_direct_container(item)]


def name_text(value: object) -> str:
    """A name with its slash; empty if it is none. Safe for names that are not UTF-8, which `str` is not."""
    return bytes(value).decode("utf-8", "surrogateescape") if isinstance(value, Name) else ""


def _is_direct_container(thing: object) -> bool:
    return isinstance(thing, Array | Dictionary) and not thing.is_indirect


_Doomed = list[tuple[Object, tuple[str, ...] | None]]


def _drop_actions(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    for key in _ACTION_KEYS:
        value = holder.get(key)
        codes: list[tuple[Object | None, str | None]]
        if isinstance(value, Array):
            codes = [(item, _action_code(item)) for item in value]
            if any(code for _, code in codes):
                holder[key] = Array([item for item, code in codes if code is None])
        else:
            codes = [(value, _action_code(value))]
            if codes[0][1]:
                del holder[key]
        for action, code in codes:
            if action is not None and code:
                removed[code] += 1
                doomed.append((action, None))


def _drop_triggers(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    table = holder.get("/AA")
    if isinstance(table, Dictionary) and any(_is_action(value) for _, value in table.items()):
        for _, value in list(table.items()):
            if code := _action_code(value):
                removed[code] += 1
                doomed.append((value, None))
        del holder["/AA"]
        removed["additional-actions"] += 1


def _drop_annotations(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    subtype = name_text(holder.get("/Subtype"))
    if subtype in _REMOVED_ANNOTATIONS and "/Rect" in holder:
        removed[_REMOVED_ANNOTATIONS[subtype]] += 1
        doomed.append((holder, _ANNOTATION_CARGO))
    annotations = holder.get("/Annots")
    if isinstance(annotations, Array):
        kept = [item for item in annotations if not _is_removed_annotation(item)]
        if len(kept) < len(annotations):
            holder["/Annots"] = Array(kept)


def _drop_files(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    if isinstance(holder.get("/EF"), Dictionary):
        removed["embedded-files"] += 1
        doomed.append((holder, ("/EF", "/RF")))
    associated = holder.get("/AF")
    files = list(associated) if isinstance(associated, Array) else [associated]
    if files and all(_is_file(item) for item in files):
        del holder["/AF"]
        removed["embedded-files"] += 1
    if isinstance(holder, Stream):
        for key in ("/F", "/Ref", "/OPI"):
            if key in holder:
                del holder[key]
                removed["external-files"] += 1


def _drop_signatures(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    if holder.get("/FT") == Name.Sig:
        for key in ("/V", "/DV", "/Lock", "/SV"):
            if key in holder:
                del holder[key]
                removed["signatures"] += key == "/V"
    is_signature = "/ByteRange" in holder or name_text(holder.get("/Type")) in ("/Sig", "/DocTimeStamp")
    if is_signature and "/Contents" in holder:
        # Its field may inherit the type from its parent, so the signature itself is emptied too.
        doomed.append((holder, None))
        removed["signatures"] += 1


def _drop_metadata(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    metadata = holder.get("/Metadata")
    if isinstance(metadata, Stream) and _is_metadata(metadata):
        del holder["/Metadata"]
        removed["metadata"] += 1
    if isinstance(holder.get("/PieceInfo"), Dictionary):
        del holder["/PieceInfo"]
        removed["private-data"] += 1
    if isinstance(holder, Stream):
        if holder.get("/Type") in (Name.Metadata, Name.EmbeddedFile):
            # Whatever else refers to it.
            doomed.append((holder, None))
        for key in _INCLUDED_KEYS:
            if key in holder:
                del holder[key]
                removed["machine-metadata"] += key == _INCLUDED_KEYS[0]
    # A resource may be called Thumb; the page's own entry stands beside its parent or resources.
    if isinstance(holder.get("/Thumb"), Stream) and ("/Parent" in holder or "/Resources" in holder):
        del holder["/Thumb"]
        removed["thumbnails"] += 1


def _is_metadata(stream: Stream) -> bool:
    """Whether this is XMP, said to be so or not: a resource may be called Metadata, too."""
    if stream.get("/Subtype") == Name.XML or stream.get("/Type") == Name.Metadata:
        return True
    try:
        return "/Subtype" not in stream and b"<rdf:RDF" in stream.read_bytes()
    except pikepdf.PdfError:
        return False


def _drop_hidden_page(
    holder: Object, pages: set[tuple[int, int]], removed: Counter[str], doomed: _Doomed
) -> None:
    """Empty a page that is not among the document's: links and tags may refer to it, and nothing marks it."""
    if name_text(holder.get("/Type")) not in ("/Page", "/Template") or holder.objgen in pages:
        return
    if "/Contents" in holder or "/Annots" in holder:
        doomed.append((holder, _PAGE_KEYS))
        removed[_HIDDEN] += 1


def _drop_programs(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    """PostScript, which a printer would run (ISO 32000-1, 8.8.2)."""
    if isinstance(holder, Stream) and Name.PS in (holder.get("/Subtype"), holder.get("/Subtype2")):
        holder.write(b"")
        removed[_OTHER_ACTION] += 1


def _drop_xfa(holder: Object, removed: Counter[str], doomed: _Doomed) -> None:
    if isinstance(holder.get("/XFA"), Stream | Array):
        del holder["/XFA"]
        removed["xfa"] += 1


_RULES: tuple[Callable[[Object, Counter[str], _Doomed], None], ...] = (
    _drop_actions,
    _drop_triggers,
    _drop_annotations,
    _drop_files,
    _drop_signatures,
    _drop_metadata,
    _drop_xfa,
    _drop_programs,
)


# A dictionary with none of these is no rule's business; most of a file's are such, so this saves most of the time.
_TELLING_KEYS = frozenset(_ACTION_KEYS) | frozenset(
    (
        "/AA",
        "/Subtype",
        "/Annots",
        "/EF",
        "/AF",
        "/FT",
        "/ByteRange",
        "/Contents",
        "/Metadata",
        "/PieceInfo",
        "/Thumb",
        "/XFA",
    )
)


def _clean_catalog(catalog: Object, removed: Counter[str]) -> None:
    _clean_open_action(catalog, removed)
    for keys, holder in ((_CATALOG_KEYS, catalog), (_NAME_TREE_KEYS, catalog.get("/Names"))):
        for key, code in keys.items():
            if isinstance(holder, Dictionary) and key in holder:
                del holder[key]
                removed[code] += 1
    base = catalog.get("/URI")
    if isinstance(base, Dictionary) and "/Base" in base and _scheme(base.get("/Base")) not in _KEPT_SCHEMES:
        del catalog["/URI"]
        removed["unsafe-uri"] += 1
    form = catalog.get("/AcroForm")
    if isinstance(form, Dictionary) and "/SigFlags" in form:
        del form["/SigFlags"]


def _clean_open_action(catalog: Object, removed: Counter[str]) -> None:
    """Keep where the document opens; everything else that opening it would do goes."""
    action = catalog.get("/OpenAction")
    if action is None or isinstance(action, Array):
        return
    target = action.get("/D") if isinstance(action, Dictionary) and action.get("/S") == Name.GoTo else None
    if isinstance(target, Array):
        catalog["/OpenAction"] = target
    else:
        del catalog["/OpenAction"]
        removed["open-action"] += 1


def _is_action(thing: object) -> bool:
    return isinstance(thing, Dictionary | Stream) and isinstance(thing.get("/S"), Name)


def _action_code(thing: object) -> str | None:
    """Why this action must go; None if it may stay or is none."""
    if not isinstance(thing, Dictionary | Stream) or not _is_action(thing):
        return None
    kind = name_text(thing.get("/S"))
    kept = kind in _KEPT_ACTIONS
    if kind == "/URI":
        kept = _scheme(thing.get("/URI")) in _KEPT_SCHEMES
    elif kind == "/Named":
        kept = name_text(thing.get("/N")) in _KEPT_NAMED
    elif kind == "/Thread":
        kept = "/F" not in thing
    return None if kept else _ACTION_CODES.get(kind, _OTHER_ACTION)


def _scheme(uri: object) -> str:
    if not isinstance(uri, String):
        return "unreadable"
    # Readers skip white space and control characters before and inside a scheme, so they do not hide one here.
    text = "".join(character for character in str(uri) if character > " ")
    if text.startswith(("\\", "//")):
        return "file"  # of another machine, which would learn who opens it
    try:
        return urlsplit(text).scheme.lower()
    except ValueError:
        return "unreadable"


def _is_removed_annotation(thing: object) -> bool:
    return isinstance(thing, Dictionary) and name_text(thing.get("/Subtype")) in _REMOVED_ANNOTATIONS


def _is_file(thing: object) -> bool:
    return isinstance(thing, Dictionary) and (
        "/EF" in thing or "/UF" in thing or name_text(thing.get("/Type")) in ("/Filespec", "/F")
    )
