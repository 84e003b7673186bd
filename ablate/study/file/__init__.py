"""Read and check a study file.

The modules, in the order of reading:

study_file     read_study: all steps in order; StudySpec, a study without problems
locate         find the file
overrides      apply --profile, --corpus, --set and the other options of the command line
paths          dotted paths into the file, and the spellings of components
keys           shape of the keys at the top: unknown keys, wrong types, profiles
axes           shape of axes, named variants and baseline
sections       shape of everything else; Sections, the typed content of a file
configuration  resolve components, settings and labels; check their options
check          check the meaning of a file: calls the modules below; needed components, labels
check_levels   paths and levels of axes, changes of named variants, levels of the baseline
check_design   the design, the budget, each variant as a whole
reading        objectives, margins, contrasts, the hypothesis, reported values: what only the report needs
"""
