"""What endpoints ask for: the person behind a bearer token, the settings, the brake on sign-ins."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.limits import LoginBrake
from autograder.config import Settings
from autograder.errors import NotAuthenticated
from autograder.services import accounts
from autograder.services.views import Person

_bearer = HTTPBearer(auto_error=False, description="A token made on an assignment's page or with POST /api/v1/tokens.")


def signed_in(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Person:
    """The person the token belongs to. Raises NotAuthenticated."""
    if credentials is None:
        raise NotAuthenticated(
            "This address needs a token.", "Send the header “Authorization: Bearer TOKEN” with a token of yours."
        )
    return accounts.person_by_token(credentials.credentials)


def brake(request: Request) -> LoginBrake:
    """The brake that all doors of this process share."""
    found: LoginBrake = request.app.state.brake
    return found


def configuration(request: Request) -> Settings:
    """The settings this application was made with."""
    found: Settings = request.app.state.settings
    return found


def address(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else "unknown"


SignedIn = Annotated[Person, Depends(signed_in)]
Brake = Annotated[LoginBrake, Depends(brake)]
Configuration = Annotated[Settings, Depends(configuration)]
Address = Annotated[str, Depends(address)]
