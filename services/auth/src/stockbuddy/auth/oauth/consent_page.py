"""The page on which a user allows an app to act for them."""

from fastapi import Response

from stockbuddy.auth.apps.model import App
from stockbuddy.auth.oauth.pages import render_page
from stockbuddy.auth.oauth.visitors import Visitor
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.chassis.access.permissions import Permission


def consent_page(
    app: App,
    scopes: list[str],
    visitor: Visitor,
    rights: Rights,
    *,
    form_action: str,
    other_account_url: str,
    form_target: str = "",
    destination: str | None = None,
    user_code: str | None = None,
) -> Response:
    """`rights`: of the user, who may consent to what they may not do yet. `destination`: the host that gets the code.
    `user_code`: what the device shows. `form_target` as in `render_page`."""
    asked = [permission for permission in Permission if permission in scopes]
    return render_page(
        "consent",
        form_target=form_target,
        app=app,
        scopes=[
            {
                "description": permission.description[0].upper() + permission.description[1:],
                "is_held": permission in rights.permissions,
            }
            for permission in asked
        ],
        username=visitor.user.username if visitor.user else "",
        csrf_token=visitor.csrf_token,
        form_action=form_action,
        destination=destination,
        user_code=user_code,
        other_account_url=other_account_url,
    )
