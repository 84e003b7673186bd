"""The sources of a study in BibTeX: of the components that it uses, and of the statistical methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.registry import Registry
    from ablate.report.data.study import Study


def bibliography(study: Study, registry: Registry) -> str:
    """Return the BibTeX entries of the components that were used, and of the methods behind the verdicts."""
    entries = dict.fromkeys([*_component_entries(study, registry), *METHODS.values()])
    return "\n\n".join(entry.strip() for entry in entries) + "\n"


def _component_entries(study: Study, registry: Registry) -> Iterator[str]:
    components = {
        (kind, choice["name"]): None
        for config in study.configs().values()
        for kind, choices in config.items()
        if isinstance(choices, list)
        for choice in choices
    }
    for kind, name in components:
        try:
            yield from registry.spec(kind, name).cite
        except AblateError:  # its plugin is not installed here
            continue


#: The sources of the methods in docs/explanation/statistics/index.md.
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
    "johnson": """
@article{johnson1978,
  author = {Norman J. Johnson},
  title = {Modified t tests and confidence intervals for asymmetrical populations},
  journal = {Journal of the American Statistical Association},
  volume = {73}, number = {363}, pages = {536--544}, year = {1978}
}""",
    "yuen": """
@article{yuen1974,
  author = {Karen K. Yuen},
  title = {The two-sample trimmed t for unequal population variances},
  journal = {Biometrika},
  volume = {61}, number = {1}, pages = {165--170}, year = {1974}
}""",
    "clopper": """
@article{clopper1934,
  author = {C. J. Clopper and E. S. Pearson},
  title = {The use of confidence or fiducial limits illustrated in the case of the binomial},
  journal = {Biometrika},
  volume = {26}, number = {4}, pages = {404--413}, year = {1934}
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
