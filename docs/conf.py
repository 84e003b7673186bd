"""The settings of the documentation site, which ``make site`` builds with Sphinx."""

from __future__ import annotations

import ablate

project = "ablate"
author = copyright = "The ablate authors"
release = ablate.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"ablate {release}"
html_copy_source = False
# an option such as --home keeps its two hyphens
smartquotes = False
myst_heading_anchors = 3
exclude_patterns = ["decisions/README.md", "examples"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
