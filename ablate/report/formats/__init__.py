"""Reports as files: HTML, Markdown, LaTeX, CSV, sound."""
