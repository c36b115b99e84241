"""Draws a barcode as SVG: EAN-13 where the code is a valid one, else Code 128."""

import io

from barcode import EAN13, Code128
from barcode.writer import SVGWriter

EAN13_DIGITS = 13


def is_ean13(code: str) -> bool:
    """13 digits, the last of which is right (GS1 General Specifications §7.9)."""
    if len(code) != EAN13_DIGITS or not (code.isascii() and code.isdigit()):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code[:12]))
    return (10 - weighted % 10) % 10 == int(code[12])


def is_printable(code: str) -> bool:
    """Code 128 knows the printable characters of ASCII."""
    return all(" " <= character <= "~" for character in code)


def draw_barcode(code: str) -> bytes:
    """An SVG document. The code must be printable."""
    symbol = EAN13(code, SVGWriter()) if is_ean13(code) else Code128(code, SVGWriter())
    target = io.BytesIO()
    symbol.write(target)
    return target.getvalue()
