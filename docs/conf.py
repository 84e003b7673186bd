"""The settings of the documentation site, which ``make site`` builds with Sphinx."""

from __future__ import annotations

import sys
from pathlib import Path

import ablate

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

repository = "https://github.com/ablate-music/ablate"

project = "ablate"
author = copyright = "The ablate authors"
release = ablate.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "repository_links",
    "from_code",
    "command_text",
    "python_names",
    "gallery_reports",
    "titles_only",
]
exclude_patterns = ["examples"]
repository_files = f"{repository}/blob/main/"
# an option such as --home keeps its two hyphens
smartquotes = False
myst_heading_anchors = 3
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 88
# types of other packages, whose pages a build without a network cannot look up, and types that no user makes
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(torch|np|pd|pretty_midi|os)\..*|Path|Figure"),
    ("py:.*", r"(.*\.)?(Array|Study|Registry|MidiFile|Log|Chooser|merged|Block|Intervals|Caption|FIGURES)"),
]
# the notebook has no outputs: it is executed once, and again when it changes
nb_execution_mode = "cache"
nb_execution_cache_path = "build/notebooks"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_merge_streams = True
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"ablate {release}"
html_baseurl = "https://ablate-music.github.io/ablate/"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_js_files = [("accessible.js", {"defer": "defer"})]
html_search_scorer = str(Path(__file__).with_name("_ext") / "search_scorer.js")
html_theme_options = {
    "source_repository": repository,
    "source_branch": "main",
    "source_directory": "docs/",
    "footer_icons": [{"name": "GitHub", "url": repository, "html": "GitHub", "class": ""}],
}
