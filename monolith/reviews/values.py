"""What the rest of the shop sees of reviews, the same wherever they live."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class ReviewCard:
    """One review with its author's name and its votes counted."""

    id: int
    reference: UUID
    product: int
    product_name: str
    author_id: int
    author: str
    rating: int
    title: str
    body: str
    status: str
    helpful_votes: int
    votes: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReviewPage:
    """One page of reviews; `count` is that of all pages."""

    count: int
    number: int
    has_next: bool
    results: tuple[ReviewCard, ...]


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A product's average (two decimals, 0 without reviews) over its published reviews, and their number."""

    product: int
    average: float
    count: int
