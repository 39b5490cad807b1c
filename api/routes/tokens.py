"""Tokens for programs."""

from __future__ import annotations

from fastapi import APIRouter, status

from api.dependencies import Address, Brake
from api.schemas.other import TokenIn, TokenOut
from autograder.services import accounts

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.post("", status_code=status.HTTP_201_CREATED)
def post_token(body: TokenIn, brake: Brake, address: Address) -> TokenOut:
    """A new token for your email address and password. Too many failures in a row are answered with 429."""
    brake.attempt(body.email, address)
    person = accounts.authenticate(body.email, body.password)
    brake.succeeded(body.email, address)
    return TokenOut(token=accounts.create_token(person.id, body.label))
