"""Observers of a running study: chosen by a person, called in the driver process, unable to disturb a run.

- :mod:`ablate.study.observe.choice`: which observers, with which options;
- :mod:`ablate.study.observe.delivery`: the thread that calls one observer;
- :mod:`ablate.study.observe.observers`: the events of the runs, made from what happens to stages.
"""
