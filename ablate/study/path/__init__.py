"""Paths: studies that change a baseline into a target, one change at a time, each time the best one that is left.

The procedure is that of C. Fawcett and H. H. Hoos, "Analysing differences between algorithm configurations through
ablation", Journal of Heuristics 22, 2016. The modules in the order of reading:

- :mod:`ablate.study.path.runner`: the loop: run what is known to be needed, then look at the results again;
- :mod:`ablate.study.path.follow`: from results to the path so far, and to the runs that it needs next;
- :mod:`ablate.study.path.race`: which changes are clearly worse than the best one of their round.
"""
