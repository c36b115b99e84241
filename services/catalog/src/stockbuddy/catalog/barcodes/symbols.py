"""Barcode symbols as SVG: EAN-13 for a valid code, otherwise Code 128."""

import io

from barcode import EAN13, Code128
from barcode.writer import SVGWriter

EAN13_DIGITS = 13
MODULE_MILLIMETRES = 0.33
"""Width of the thinnest bar: the nominal size of an EAN-13 (GS1 General Specifications §5.2.6)."""
QUIET_ZONE_MILLIMETRES = 11 * MODULE_MILLIMETRES
"""White space beside the bars, without which scanners do not find them."""


def is_ean13(code: str) -> bool:
    """13 digits with the right check digit (GS1 General Specifications §7.9)."""
    if len(code) != EAN13_DIGITS or not (code.isascii() and code.isdigit()):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code[:12]))
    return (10 - weighted % 10) % 10 == int(code[12])


def is_printable(code: str) -> bool:
    """Code 128 encodes the printable characters of ASCII."""
    return all(" " <= character <= "~" for character in code)


def render_barcode(code: str) -> bytes:
    """An SVG document, whose size is in millimetres. The code must be printable."""
    symbol = EAN13(code, SVGWriter()) if is_ean13(code) else Code128(code, SVGWriter())
    target = io.BytesIO()
    symbol.write(target, {"module_width": MODULE_MILLIMETRES, "quiet_zone": QUIET_ZONE_MILLIMETRES})
    return target.getvalue()
