"""The role of each quantity in a study, as in the register of a clinical trial.

A study answers one question with its primary quantity. The comparisons of that quantity, of all kinds together, are one
family; those of all secondary quantities together are another one. In each family, the chance of any false claim of a
difference is at most alpha. Exploratory quantities are shown with intervals and without verdicts.
"""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["primary", "secondary", "exploratory"]
ROLES: tuple[Role, ...] = get_args(Role)
PRIMARY, SECONDARY, EXPLORATORY = ROLES
#: The kinds of comparisons that exploratory quantities have too.
EXPLORED = ("variant", "contrast", "step")
#: The kinds that explain the shares. They repeat other comparisons, so they are exploratory in every quantity.
DESCRIBED = ("total", "rest", "add one in", "leave one out")


def judged_as(kind: str, role: Role) -> Role | None:
    """Return the role of a comparison of this kind in a quantity with this role; None if it is not made there.

    A prediction was stated in advance, so it has a verdict in every quantity: in exploratory ones it belongs to the
    secondary family.
    """
    if kind in DESCRIBED:
        return EXPLORATORY if role != EXPLORATORY else None
    if role != EXPLORATORY:
        return role
    if kind == "prediction":
        return SECONDARY
    return EXPLORATORY if kind in EXPLORED else None
