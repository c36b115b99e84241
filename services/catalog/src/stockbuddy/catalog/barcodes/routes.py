"""HTTP of barcodes as pictures."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from stockbuddy.catalog.barcodes.pictures import draw_barcode, is_printable
from stockbuddy.catalog.barcodes.queries import codes_of
from stockbuddy.catalog.errors import NoBarcode, UnknownProduct
from stockbuddy.catalog.wording import Id, Words
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import authenticate

router = APIRouter(prefix="/api/v1/products", tags=["barcodes"], route_class=ConditionalRoute)

SVG_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}}


@router.get(
    "/{product_id}/barcode.svg",
    response_class=Response,
    responses=SVG_CONTENT,
    dependencies=[Depends(authenticate)],
)
async def get_barcode_picture(
    session: ReadSession, product_id: Id, code: Annotated[Words | None, Query()] = None
) -> Response:
    """The product's first barcode, or that `code` of it; without any, its SKU. EAN-13 where valid, else Code 128."""
    found = await codes_of(session, product_id)
    if found is None:
        raise UnknownProduct()
    sku, barcodes = found
    wanted = [*barcodes, sku] if code is None else [known for known in (*barcodes, sku) if known == code]
    printable = next((known for known in wanted if is_printable(known)), None)
    if printable is None:
        raise NoBarcode()
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(draw_barcode(printable), headers=headers, media_type="image/svg+xml")
