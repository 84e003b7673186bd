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
EXPLORED = ("variant", "contrast")
#: The kinds that explain the shares. They repeat other comparisons, so they are exploratory in every quantity.
DESCRIBED = ("total", "rest", "add one in", "leave one out")
