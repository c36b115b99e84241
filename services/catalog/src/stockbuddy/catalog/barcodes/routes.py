"""HTTP of barcodes as SVG."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from stockbuddy.catalog.barcodes.queries import get_codes
from stockbuddy.catalog.barcodes.symbols import is_printable, render_barcode
from stockbuddy.catalog.errors import NoBarcode, UnknownProduct
from stockbuddy.catalog.fields import SearchText
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import authenticate, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession

router = APIRouter(prefix="/api/v1/products", tags=["barcodes"], route_class=ConditionalRoute)

SVG_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}}


@router.get(
    "/{product_id}/barcode.svg",
    response_class=Response,
    responses=SVG_CONTENT,
    dependencies=[requires(Permission.CATALOG_READ), Depends(authenticate)],
)
@raises(UnknownProduct, NoBarcode)
async def get_barcode_image(
    session: ReadSession, product_id: Id, code: Annotated[SearchText | None, Query()] = None
) -> Response:
    """Draw a barcode as SVG.

    EAN-13 if the code is one, otherwise Code 128. Without `code`: the first barcode of the product, or its SKU.
    The thinnest bar is 0.33 mm wide: print it at three quarters of this size or more.
    """
    codes = await get_codes(session, product_id)
    printable = next((own for own in codes if code in (None, own) and is_printable(own)), None)
    if printable is None:
        raise NoBarcode()
    # The code is text in the SVG; the policy keeps a browser that opens the file from running anything in it.
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(render_barcode(printable), headers=headers, media_type="image/svg+xml")
