"""A tagged report in which omitted pages leave their words wherever a PDF can hold one; and where words are found."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

PAGES = 6
KEPT = [2, 5]
OMITTED = [1, 3, 4, 6]

SECRET = "CANARY"
"""Every word of an omitted page begins so."""


def word(page: int, what: str) -> str:
    """A word of this page that says where it stands: a secret one if the page is omitted."""
    return f"{SECRET if page in OMITTED else 'PUBLIC'}{what}{page}"


def report() -> bytes:
    """Six pages that share one dictionary of resources, with words of each page in all places that are known to us."""
    with pikepdf.new() as pdf:
        _Report(pdf).make()
        written = BytesIO()
        pdf.save(written, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return written.getvalue()


class _Report:
    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.pdf = pdf
        self.pages: list[Object] = []

    def make(self) -> None:
        pdf = self.pdf
        resources = pdf.make_indirect(self.resources())
        for number in range(1, PAGES + 1):
            page = Dictionary(
                Type=Name.Page,
                Contents=pdf.make_stream(self.content(number)),
                StructParents=number,
                Thumb=pdf.make_stream(word(number, "Thumb").encode()),
                PieceInfo=Dictionary(Editor=Dictionary(Private=String(word(number, "Piece")))),
            )
            pdf.pages.append(pikepdf.Page(page))
            self.pages.append(pdf.pages[-1].obj)
        tree = pdf.Root.Pages
        tree["/Resources"] = resources  # inherited, as older producers write it
        tree["/MediaBox"] = Array([0, 0, 595, 842])
        self.names()
        for number in range(1, PAGES + 1):
            self.annotate(number)
        self.outline()
        self.structure()
        self.layers()
        self.form()
        self.threads()
        pdf.Root["/PageLabels"] = Dictionary(
            Nums=Array([0, Dictionary(S=Name.r), 3, Dictionary(S=Name.D, St=7, P=String("A-"))])
        )
        pdf.Root["/Metadata"] = pdf.make_stream(
            f"<rdf:RDF>{word(1, 'Xmp')}</rdf:RDF>".encode(), {"/Type": Name.Metadata, "/Subtype": Name.XML}
        )
        pdf.Root["/CanaryOfTheCatalog"] = String(word(1, "Catalog"))
        pdf.docinfo["/Title"] = "A report"
        pdf.docinfo["/Keywords"] = word(1, "Keywords")

    def font(self) -> Object:
        return self.pdf.make_indirect(
            Dictionary(
                Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding
            )
        )

    def image(self, number: int) -> Object:
        data = word(number, "Image").encode().ljust(48, b" ")
        image = self.pdf.make_stream(data)
        for key, value in (
            *(("/Type", Name.XObject), ("/Subtype", Name.Image), ("/Width", 4), ("/Height", 4)),
            *(("/ColorSpace", Name.DeviceRGB), ("/BitsPerComponent", 8)),
        ):
            image[key] = value
        return image

    def formed(self, text: str, **entries: object) -> Object:
        """A form that shows this text with the resources of the page."""
        form = self.pdf.make_stream(f"BT /F1 9 Tf 60 500 Td ({text}) Tj ET".encode())
        for key, value in (
            ("/Type", Name.XObject),
            ("/Subtype", Name.Form),
            ("/BBox", Array([0, 0, 595, 842])),
        ):
            form[key] = value
        for key, value in entries.items():
            form[f"/{key}"] = value
        return form

    def resources(self) -> Dictionary:
        shared = Dictionary(Font=Dictionary(F1=self.font()))
        inner = self.formed("PUBLICInner")
        both = self.formed("PUBLICBoth", Resources=shared)
        both["/Resources"] = Dictionary(Font=shared.Font, XObject=Dictionary(Im1=self.image(1), In=inner))
        both.write(b"BT /F1 9 Tf 60 480 Td (PUBLICBoth) Tj ET q 1 0 0 1 0 -20 cm /In Do Q")
        drawn: dict[str, object] = {"/Both": both}
        properties: dict[str, object] = {}
        states: dict[str, object] = {}
        spaces: dict[str, object] = {}
        for number in range(1, PAGES + 1):
            drawn[f"/Im{number}"] = self.image(number)
            drawn[f"/Fm{number}"] = self.formed(word(number, "Form"))
            properties[f"/Mc{number}"] = self.pdf.make_indirect(
                Dictionary(Type=Name.OCG, Name=String(word(number, "Layer")))
            )
            states[f"/Gs{number}"] = Dictionary(Type=Name.ExtGState, CanaryName=String(word(number, "State")))
            spaces[f"/Cs{number}"] = Array(
                [Name.Indexed, Name.DeviceRGB, 0, String(word(number, "Color")[:3].ljust(3))]
            )
        return Dictionary(
            Font=shared.Font,
            XObject=Dictionary(drawn),
            Properties=Dictionary(properties),
            ExtGState=Dictionary(states),
            ColorSpace=Dictionary(spaces),
        )

    def content(self, number: int) -> bytes:
        lines = [
            f"/H1 <</MCID 0>> BDC BT /F1 16 Tf 60 780 Td ({word(number, 'Text')} heading) Tj ET EMC",
            f"/OC /Mc{number} BDC /P <</MCID 1>> BDC BT /F1 10 Tf 60 740 Td (Words of page {number}, which tell "
            f"{word(number, 'More')}.) Tj ET EMC EMC",
            f"/Span <</ActualText ({word(number, 'Inline')})>> BDC BT /F1 10 Tf 60 720 Td (span) Tj ET EMC",
            f"q /Gs{number} gs 40 0 0 40 60 600 cm /Im{number} Do Q",
            f"q /Fm{number} Do /Both Do Q",
            f"/Table <</MCID 2>> BDC BT /F1 10 Tf 60 560 Td (cell of page {number}) Tj ET EMC",
        ]
        return "\n".join(lines).encode()

    def names(self) -> None:
        listed = Array()
        for number in range(1, PAGES + 1):
            listed.append(String(word(number, "Dest")))
            listed.append(Array([self.pages[number - 1], Name.XYZ, 60, 780, 0]))
        pairs = sorted(
            ((bytes(listed[at]), listed[at], listed[at + 1]) for at in range(0, len(listed), 2)),
            key=lambda pair: pair[0],
        )
        dests = self.pdf.make_indirect(Dictionary(Names=Array([part for pair in pairs for part in pair[1:]])))
        self.pdf.Root["/Names"] = Dictionary(Dests=dests)
        self.pdf.attachments["notes.txt"] = word(1, "Attachment").encode()

    def link(self, place: int, **entries: object) -> Object:
        return self.pdf.make_indirect(
            Dictionary(
                {
                    "/Type": Name.Annot,
                    "/Subtype": Name.Link,
                    "/Rect": Array([60, 100 + 20 * place, 200, 115 + 20 * place]),
                    **{f"/{key}": value for key, value in entries.items()},
                }
            )
        )

    def annotate(self, number: int) -> None:
        pages = self.pages
        annotations = [
            self.link(at, Contents=String(word(target, "LinkTo")), Dest=String(word(target, "Dest")))
            for at, target in enumerate(range(1, PAGES + 1))
        ]
        annotations.append(
            self.link(
                7,
                A=Dictionary(
                    S=Name.GoTo,
                    D=Array([pages[4], Name.Fit]),
                    Next=Dictionary(S=Name.GoTo, D=Array([pages[0], Name.Fit]), Note=String(word(1, "Next"))),
                ),
            )
        )
        annotations.append(
            self.link(8, A=Dictionary(S=Name.GoTo, D=Array([2, Name.Fit]), Note=String(word(3, "ByNumber"))))
        )
        annotations.append(self.link(9, A=Dictionary(S=Name.URI, URI=String("https://example.com/"))))
        note = self.pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Text,
                Rect=Array([400, 100, 420, 120]),
                Contents=String(word(number, "Note")),
                T=String(word(number, "Author")),
            )
        )
        annotations.append(note)
        self.pages[number - 1]["/Annots"] = Array(annotations)

    def outline(self) -> None:
        """Page 1 above 2 and 3; a heading without a page above 4 and 5; a heading above 5 only; 6."""
        pdf = self.pdf

        def item(title: str, number: int | None) -> pikepdf.OutlineItem:
            if number is None:
                return pikepdf.OutlineItem(title)
            return pikepdf.OutlineItem(title, number - 1, "FitH", top=700)

        with pdf.open_outline() as outline:
            first = item(word(1, "Title"), 1)
            first.children.extend([item(word(2, "Title"), 2), item(word(3, "Title"), 3)])
            mixed = item(f"{SECRET}Mixed", None)
            mixed.children.extend([item(word(4, "Title"), 4), item(word(5, "Title"), 5)])
            whole = item("PUBLICWhole", None)
            whole.children.append(item("PUBLICBelow", 5))
            outline.root.extend([first, mixed, whole, item(word(6, "Title"), 6)])

    def structure(self) -> None:
        pdf = self.pdf
        root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        document = self.element("Document", root, T=String(f"{SECRET}Document"))
        parts: list[Object] = []
        parents: dict[int, list[Object]] = {}
        table = self.element(
            "Table", document, ActualText=String(f"{SECRET}Table"), A=Dictionary(O=Name.Table)
        )
        table.A["/Summary"] = String(f"{SECRET}Summary")
        table["/K"] = Array()
        for number in range(1, PAGES + 1):
            page = self.pages[number - 1]
            section = self.element("Sect", document, T=String(word(number, "Sect")))
            heading = self.element(
                f"Role{word(number, 'Role')}", section, Pg=page, K=0, Alt=String(word(number, "Alt"))
            )
            paragraph = self.element(
                "P",
                section,
                Pg=page,
                K=Array([1]),
                ActualText=String(word(number, "Actual")),
                E=String(word(number, "Expansion")),
                ID=String(word(number, "Id")),
                C=Name(f"/{word(number, 'Class')}"),
            )
            linked = self.element("Link", section, Pg=page)
            annotation = page.Annots[4]  # to page 5
            annotation["/StructParent"] = 100 + number
            linked["/K"] = Dictionary(Type=Name.OBJR, Obj=annotation)
            section["/K"] = Array([heading, paragraph, linked])
            table.K.append(Dictionary(Type=Name.MCR, Pg=page, MCID=2))
            parts.append(section)
            parents[number] = [heading, paragraph, table]
        document["/K"] = Array([*parts, table])
        root["/K"] = document
        root["/RoleMap"] = Dictionary(
            {f"/Role{word(number, 'Role')}": Name.H1 for number in range(1, PAGES + 1)}
        )
        root["/ClassMap"] = Dictionary(
            {
                f"/{word(number, 'Class')}": Dictionary(O=Name.Layout, SpaceAfter=number)
                for number in range(1, PAGES + 1)
            }
        )
        root["/ParentTree"] = Dictionary(
            Nums=Array([part for number, held in parents.items() for part in (number, Array(held))])
        )
        pdf.Root["/StructTreeRoot"] = root
        pdf.Root["/MarkInfo"] = Dictionary(Marked=True)

    def element(self, kind: str, parent: Object, **entries: object) -> Object:
        return self.pdf.make_indirect(
            Dictionary(
                {
                    "/Type": Name.StructElem,
                    "/S": Name(f"/{kind}"),
                    "/P": parent,
                    **{f"/{key}": value for key, value in entries.items()},
                }
            )
        )

    def layers(self) -> None:
        groups = [self.pdf.Root.Pages.Resources.Properties[f"/Mc{number}"] for number in range(1, PAGES + 1)]
        self.pdf.Root["/OCProperties"] = Dictionary(
            OCGs=Array(groups),
            D=Dictionary(
                ON=Array(groups), Order=Array([Array([String(f"{SECRET}Labels"), *groups[2:4]]), *groups])
            ),
        )

    def form(self) -> None:
        """A field a page below one parent; and one field with a widget on pages 5 and 6."""
        pdf = self.pdf
        top = pdf.make_indirect(Dictionary(T=String("answers"), TU=String(f"{SECRET}Answers"), Kids=Array()))
        fields = [top]
        for number in range(1, PAGES + 1):
            field = pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Widget,
                    FT=Name.Tx,
                    T=String(word(number, "Field")),
                    TU=String(word(number, "Tooltip")),
                    V=String(word(number, "Value")),
                    Rect=Array([300, 200, 400, 220]),
                    Parent=top,
                    DA=String("/F1 9 Tf"),
                )
            )
            field["/AP"] = Dictionary(N=self.formed(word(number, "Appearance"), Resources=Dictionary()))
            top.Kids.append(field)
            self.pages[number - 1].Annots.append(field)
        pdf.Root["/AcroForm"] = Dictionary(
            Fields=Array(fields),
            DR=Dictionary(
                Font=Dictionary(F1=pdf.Root.Pages.Resources.Font.F1),
                XObject=Dictionary(Im1=pdf.Root.Pages.Resources.XObject.Im1),
            ),
        )

    def threads(self) -> None:
        pdf = self.pdf
        thread = pdf.make_indirect(
            Dictionary(Type=Name.Thread, I=Dictionary(Title=String(f"{SECRET}Thread")))
        )
        beads = [
            pdf.make_indirect(Dictionary(Type=Name.Bead, T=thread, P=page, R=Array([0, 0, 9, 9])))
            for page in self.pages
        ]
        for at, bead in enumerate(beads):
            bead["/N"], bead["/V"] = beads[(at + 1) % PAGES], beads[at - 1]
            self.pages[at]["/B"] = Array([bead])
        thread["/F"] = beads[0]
        pdf.Root["/Threads"] = Array([thread])


def everything(pdf: bytes) -> Iterator[bytes]:
    """The raw bytes, every stream as it inflates, every object as it is written."""
    yield pdf
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        inflater = zlib.decompressobj()
        try:
            yield inflater.decompress(found[1])
        except zlib.error:
            continue
    with pikepdf.open(BytesIO(pdf)) as opened:
        for thing in opened.objects:
            yield thing.unparse(resolved=True) if not isinstance(thing, pikepdf.Stream) else b""
            if isinstance(thing, pikepdf.Stream):
                yield repr(dict(thing.items())).encode()
                try:
                    yield thing.read_bytes()
                except pikepdf.PdfError:
                    yield thing.read_raw_bytes()


def canaries(pdf: bytes, folder: Path) -> set[str]:
    """All secret words that stand anywhere in this file, by our own means and by qpdf's plain form."""
    found: set[str] = set()
    pieces = list(everything(pdf))
    if shutil.which("qpdf"):
        path = folder / "searched.pdf"
        path.write_bytes(pdf)
        plain = subprocess.run(
            ["qpdf", "--qdf", "--object-streams=disable", "--stream-data=uncompress", path, "-"],
            capture_output=True,
            check=False,
            timeout=60,
        )
        pieces.append(plain.stdout)
    for piece in pieces:
        for data in (piece, piece.replace(b"\x00", b"")):  # UTF-16, too
            found |= {one.decode() for one in re.findall(rb"CANARY\w*", data)}
            found |= {
                bytes.fromhex(one.decode()).decode("latin-1")
                for one in re.findall(rb"(?i)43414e415259(?:[0-9a-f]{2})*", data)
            }
    return found
