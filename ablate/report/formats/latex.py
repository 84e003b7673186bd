"""For a paper: a LaTeX table in booktabs style, and BibTeX of what was used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.registry import get_registry
from ablate.report.text import sentences, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis import Analysis

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{MINUS SIGN}": r"$-$",
    "±": r"$\pm$",
    "\N{EN DASH}": "--",
}
#: How verdicts are marked: in superscript behind a value.
_MARKS = {
    "better": r"$^{+}$",
    "worse": r"$^{-}$",
    "higher": r"$^{>}$",
    "lower": r"$^{<}$",
    "no difference that matters": r"$^{=}$",
}


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is, in one line: an empty one would end a caption."""
    return "".join(_ESCAPES.get(char, char) for char in " ".join(text.split()))


def latex_table(analysis: Analysis) -> str:
    """The headline quantities of every variant with verdicts against the baseline, and the floors; needs booktabs."""
    grid = tables.estimate_grid(analysis)
    verdicts = {
        (row["comparison"], row["metric"], row["feature"]): row["verdict"]
        for row in analysis.against_baseline.to_dict("records")
    }
    head = " & ".join(["", *(escaped(column.title) for column in grid.columns)])
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(_caption(analysis))}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', analysis.study.record.name).strip('-')}}}",
        rf"\begin{{tabular}}{{l{'r' * len(grid.columns)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    floors = False
    for row in grid.rows:
        if row.kind == "floor" and not floors:
            lines.append(r"\midrule")
            floors = True
        found = {} if row.kind == "floor" else verdicts  # a variant may have a floor's name
        marks = (_MARKS.get(found.get((row.name, *quantity), ""), "") for quantity in analysis.in_order)
        cells = [f"{escaped(cell.text)}{mark}{_small(cell)}" for cell, mark in zip(row.cells, marks, strict=True)]
        # braces: behind the end of a row LaTeX takes [ or * for an argument
        name = (
            ("{}" if row.name[:1] in ("[", "*") else "")
            + escaped(row.name)
            + (r" \emph{(baseline)}" if "baseline" in row.tags else "")
        )
        lines.append(rf"{' & '.join([name, *cells])} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _small(cell: tables.Cell) -> str:
    between = cell.small.partition(";")[0]
    return rf" {{\scriptsize [{escaped(between.replace(' to ', ', '))}]}}" if between and " to " in between else ""


def _caption(analysis: Analysis) -> str:
    question = str(analysis.study.spec.get("question") or analysis.study.record.name)
    replicates = analysis.study.spec.get("replicates", "?")
    return (
        f"{question} Means over {replicates} replicates with 95 % intervals. Marks against the baseline: + better, "
        f"- worse, > higher, < lower, = no difference that matters; none: cannot tell. "
        f"{sentences.rules_in_words(analysis).partition(' Marks:')[0]}"
    )


def bibliography(study: Study) -> str:
    """BibTeX of the components that were used, as far as their plugins say, and of the methods behind the verdicts."""
    entries = dict.fromkeys([*_component_entries(study), *METHODS.values()])
    return "\n\n".join(entry.strip() for entry in entries) + "\n"


def _component_entries(study: Study) -> Iterator[str]:
    chosen: dict[tuple[str, str], Any] = {}
    for config in study.configs().values():
        for kind, choices in config.items():
            if isinstance(choices, list):
                chosen |= {(kind, choice["name"]): None for choice in choices}
    for kind, name in chosen:
        try:
            yield from get_registry().spec(kind, name).cite
        except AblateError:  # of a plugin that is not installed here
            continue


#: The sources of what docs/statistics.md describes.
METHODS = {
    "holm": """
@article{holm1979,
  author = {Sture Holm},
  title = {A simple sequentially rejective multiple test procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6}, number = {2}, pages = {65--70}, year = {1979}
}""",
    "fisher": """
@book{fisher1935,
  author = {Ronald A. Fisher},
  title = {The Design of Experiments},
  publisher = {Oliver and Boyd}, year = {1935}
}""",
    "schuirmann": """
@article{schuirmann1987,
  author = {Donald J. Schuirmann},
  title = {A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of
           average bioavailability},
  journal = {Journal of Pharmacokinetics and Biopharmaceutics},
  volume = {15}, number = {6}, pages = {657--680}, year = {1987}
}""",
    "kendall": """
@article{kendall1938,
  author = {Maurice G. Kendall},
  title = {A new measure of rank correlation},
  journal = {Biometrika},
  volume = {30}, number = {1/2}, pages = {81--93}, year = {1938}
}""",
    "efron": """
@article{efron1987,
  author = {Bradley Efron},
  title = {Better bootstrap confidence intervals},
  journal = {Journal of the American Statistical Association},
  volume = {82}, number = {397}, pages = {171--185}, year = {1987}
}""",
    "scipy": """
@article{scipy2020,
  author = {Pauli Virtanen and others},
  title = {{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}},
  journal = {Nature Methods}, volume = {17}, pages = {261--272}, year = {2020}
}""",
    "statsmodels": """
@inproceedings{statsmodels2010,
  author = {Skipper Seabold and Josef Perktold},
  title = {statsmodels: econometric and statistical modeling with {Python}},
  booktitle = {Proceedings of the 9th Python in Science Conference}, year = {2010}
}""",
    "optuna": """
@inproceedings{optuna2019,
  author = {Takuya Akiba and Shotaro Sano and Toshihiko Yanase and Takeru Ohta and Masanori Koyama},
  title = {Optuna: a next-generation hyperparameter optimization framework},
  booktitle = {Proceedings of the 25th ACM SIGKDD International Conference on Knowledge Discovery and Data Mining},
  year = {2019}
}""",
}
