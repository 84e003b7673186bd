"""Bundles: a study with everything that belongs to it in one zip file, and back into another home.

- :mod:`ablate.study.bundle.archive`: zip files, written as a stream and read without trust;
- :mod:`ablate.study.bundle.manifest`: what a bundle is, and the check of its files;
- :mod:`ablate.study.bundle.versions`: components, packages, and the lock of packages;
- :mod:`ablate.study.bundle.records`: the study's records as lines of JSON;
- :mod:`ablate.study.bundle.pack`: write a bundle;
- :mod:`ablate.study.bundle.unpack`: bring a bundle into a home.
"""
