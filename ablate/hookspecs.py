"""All hook points of ablate, on one page.

A plugin is a module that an entry point of the group ``ablate`` names. It implements any of the functions up to
``ablate_executors`` with ``@ablate.hookimpl``. Each yields records (``ablate.specs``); nothing is built or imported
before it is needed. The functions after ``ablate_executors`` are the events of a running study: methods of the object
that the record of an observer builds. The example of each hook is run as a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.events import RunFinished, RunStarted, StepLogged, StudyFinished
    from ablate.specs import (
        AugmenterSpec,
        ConditionerSpec,
        CorpusSpec,
        ExecutorSpec,
        MetricSpec,
        ModelMetricSpec,
        ModelSpec,
        ObserverSpec,
        OptimizerSpec,
        SamplerSpec,
        ScheduleSpec,
        SetMetricSpec,
        TokenizerSpec,
    )

hookspec = pluggy.HookspecMarker("ablate")
#: Marks a plugin's implementation of a hook.
hookimpl = pluggy.HookimplMarker("ablate")


@hookspec
def ablate_corpora() -> Iterable[CorpusSpec]:  # type: ignore[empty-body]
    """Offer corpora: sets of performances for training and as the reference of metrics.

    Example::

        import ablate

        class Scale(ablate.Corpus):
            def identity(self):
                return "c-major-scale"
            def load(self):
                pitches = (60, 62, 64, 65, 67, 69, 71, 72)
                notes = [(p, 64, 0.5 * i, 0.5 * i + 0.4) for i, p in enumerate(pitches)]
                return [ablate.Performance.from_notes(notes, name="scale")]

        @ablate.hookimpl
        def ablate_corpora():
            yield ablate.CorpusSpec(name="scale", summary="C major, once up.", build=lambda options: Scale())
    """


@hookspec
def ablate_augmenters() -> Iterable[AugmenterSpec]:  # type: ignore[empty-body]
    """Offer augmenters: labelled variations of a performance before training.

    Example::

        import ablate

        class Louder(ablate.Augmenter):
            def augment(self, performance, rng):
                notes = performance.notes.copy()
                notes["velocity"] = (notes["velocity"] + 10).clip(1, 127)
                return [performance, performance.replace(notes=notes).labelled(louder=1.0)]

        @ablate.hookimpl
        def ablate_augmenters():
            yield ablate.AugmenterSpec(name="louder", summary="Adds a louder copy.", build=lambda options: Louder())
    """


@hookspec
def ablate_tokenizers() -> Iterable[TokenizerSpec]:  # type: ignore[empty-body]
    """Offer tokenizers: performances as token ids, and back.

    One that is fitted on the training pieces, such as byte-pair encoding, is an ``ablate.FittedTokenizer``, and its
    record has ``fitted=True``.

    One that writes and restores the instrument of every note, drums included, sets the attribute ``instruments`` to
    true; one that writes all pitched instruments as one and leaves out drums sets ``merges``. Both may depend on the
    options. Any other tokenizer gets music of one instrument only, and its decoded notes get that instrument.

    Example::

        import numpy as np
        import ablate

        class PitchesOnly(ablate.Tokenizer):
            vocabulary = tuple(f"pitch {p}" for p in range(128))
            start_token = 60
            def encode(self, performance):
                return performance.canonical().notes["pitch"].astype(np.int64)
            def decode(self, tokens):
                notes = [(int(p), 64, 0.25 * i, 0.25 * i + 0.25) for i, p in enumerate(tokens)]
                return ablate.Performance.from_notes(notes)
            def times(self, tokens):
                return 0.25 * np.arange(len(tokens))

        @ablate.hookimpl
        def ablate_tokenizers():
            yield ablate.TokenizerSpec(name="pitches", summary="Pitch alone.", build=lambda options: PitchesOnly())
    """


@hookspec
def ablate_conditioners() -> Iterable[ConditionerSpec]:  # type: ignore[empty-body]
    """Offer conditioners: numbers about the music as additional inputs of the network.

    Example::

        import numpy as np
        import ablate

        class Loudness(ablate.Conditioner):
            labels = {"loudness": 0.5}
            def from_performance(self, performance, times):
                mean = performance.notes["velocity"].mean() / 127
                return np.full((len(times), 1), mean, np.float32)
            def from_labels(self, labels, times):
                return np.full((len(times), 1), labels["loudness"], np.float32)
            def module(self, embedding):
                import torch
                return torch.nn.Linear(1, embedding)

        @ablate.hookimpl
        def ablate_conditioners():
            yield ablate.ConditionerSpec(name="loudness", summary="Mean velocity.", build=lambda options: Loudness())
    """


@hookspec
def ablate_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Offer models: networks that predict the next token.

    Example::

        import ablate

        def build(options, vocabulary, conditioners):
            import torch

            class Bigram(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.table = torch.nn.Embedding(vocabulary, vocabulary)
                def forward(self, tokens, conditions, state=None):
                    return self.table(tokens), state

            return Bigram()

        @ablate.hookimpl
        def ablate_models():
            yield ablate.ModelSpec(name="bigram", summary="A table of next tokens.", build=build)
    """


@hookspec
def ablate_optimizers() -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
    """Offer optimizers: rules that update the weights of a model from their gradients.

    Example::

        import ablate

        class RmsProp(ablate.Optimizer):
            def build(self, groups):
                import torch
                return torch.optim.RMSprop(groups)

        @ablate.hookimpl
        def ablate_optimizers():
            yield ablate.OptimizerSpec(name="rmsprop", summary="RMSprop of torch.", build=lambda options: RmsProp())
    """


@hookspec
def ablate_schedules() -> Iterable[ScheduleSpec]:  # type: ignore[empty-body]
    """Offer schedules: the learning rate of every step of a training.

    Example::

        import ablate

        class Polynomial(ablate.Schedule):
            def rates(self, learning_rate, steps):
                from torch.optim.lr_scheduler import PolynomialLR
                return ablate.scheduler_rates(lambda o: PolynomialLR(o, steps, power=2.0), learning_rate, steps)

        @ablate.hookimpl
        def ablate_schedules():
            yield ablate.ScheduleSpec(name="polynomial", summary="Falls with the square of the remaining steps.",
                                      build=lambda options: Polynomial())
    """


@hookspec
def ablate_samplers() -> Iterable[SamplerSpec]:  # type: ignore[empty-body]
    """Offer samplers: changes to the distribution from which the next token is drawn.

    Example::

        from dataclasses import dataclass
        import ablate

        @dataclass(frozen=True)
        class Options:
            k: int = ablate.option(8, ge=1, doc="Number of tokens to keep.")

        class KeepBest(ablate.Sampler):
            def __init__(self, rows):
                self.keep = [row.k for row in rows]
            def __call__(self, logits, history):
                ranks = logits.argsort(-1, descending=True).argsort(-1)
                return logits.masked_fill(ranks >= ranks.new_tensor(self.keep)[:, None], float("-inf"))

        @ablate.hookimpl
        def ablate_samplers():
            yield ablate.SamplerSpec(name="best", summary="Keeps the k likeliest tokens.", options=Options,
                                     build_rows=KeepBest)
    """


@hookspec
def ablate_metrics() -> Iterable[MetricSpec | SetMetricSpec | ModelMetricSpec]:  # type: ignore[empty-body]
    """Offer metrics: of samples, of all samples of a run (``SetMetricSpec``) or of models (``ModelMetricSpec``).

    Example::

        import ablate

        class NotesPerSecond(ablate.Metric):
            def measure(self, generated, reference):
                rate = len(generated) / max(generated.seconds, 1e-9)
                return ablate.Measurements((ablate.Value(rate, unit="notes/s", n=len(generated)),))

        class Diversity(ablate.SetMetric):
            def measure(self, generated, reference):
                pitches = {pitch for sample in generated for pitch in sample.notes["pitch"].tolist()}
                return ablate.Measurements((ablate.Value(len(pitches), unit="pitches", n=len(generated)),))

        @ablate.hookimpl
        def ablate_metrics():
            yield ablate.MetricSpec(name="density", summary="Notes per second.", build=lambda options: NotesPerSecond())
            yield ablate.SetMetricSpec(name="diversity", summary="Pitches in use.", build=lambda options: Diversity())
    """


@hookspec
def ablate_observers() -> Iterable[ObserverSpec]:  # type: ignore[empty-body]
    """Offer observers: they receive the events of a study that runs, and write them down where people look.

    Example::

        import ablate

        class Diary:
            def __init__(self, folder):
                self.path = folder / "diary.txt"
                folder.mkdir(parents=True, exist_ok=True)
            @ablate.hookimpl
            def ablate_run_finished(self, event):
                with self.path.open("a") as file:
                    print(event.variant, event.replicate, event.state, file=file)

        @ablate.hookimpl
        def ablate_observers():
            yield ablate.ObserverSpec(name="diary", summary="A line for each run.",
                                      build=lambda options, folder: Diary(folder))
    """


@hookspec
def ablate_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
    """Offer executors: they bring the work of a study to processes, on this machine or on others.

    The example starts a process for each task, and kills it where it must. ``ablate`` decides what a task is, in which
    order tasks are submitted, and what happens after the death of a worker.

    Example::

        import multiprocessing
        from pathlib import Path
        import ablate
        from ablate.interfaces.executor import Begun, Died, Ended, Place, Signed, Told

        processes = multiprocessing.get_context("forkserver")

        class Channel:
            device = "cpu"
            def __init__(self, setup, task, paths, pipe, stopping):
                self.home, self.pipe, self.paths, self.stopping = setup.home, pipe, paths, stopping
                try:
                    setup.work(task.data, self)
                    pipe.send(Ended(task.name))
                except Exception as error:
                    pipe.send(Died(task.name, f"raised {error!r}"))
            def send(self, message):
                self.pipe.send(message)
            def sign(self, doing):
                self.pipe.send(doing)
            def fetch(self, digest):
                return Path(self.paths[digest]).read_bytes()
            def should_stop(self):
                return bool(self.stopping.value)

        class ProcessEach(ablate.Executor):
            shares_home = same_installation = True
            def __init__(self, setup):
                self.setup, self.paths, self.stopping = setup, {}, processes.RawValue("b", 0)
                self.waiting, self.running, self.ended = [], {}, set()
            def __enter__(self):
                return self
            def __exit__(self, kind, error, trace):
                self.stop()
                for process, _ in self.running.values():
                    process.join(0 if kind and not issubclass(kind, Exception) else 5)
                    process.kill()
                    process.join()
            def places(self):
                return [Place("here", slots=self.setup.workers)]
            def put(self, digest, path):
                self.paths[digest] = str(path)
            def submit(self, task):
                self.waiting.append(task)
            def end(self, name):
                self.waiting = [task for task in self.waiting if task.name != name]
                if name in self.running:
                    self.ended.add(name)
                    self.running[name][0].kill()
            def stop(self):
                self.stopping.value = 1
            def wait(self, seconds):
                events = []
                while self.waiting and len(self.running) < self.setup.workers:
                    task = self.waiting.pop(0)
                    here, there = processes.Pipe(duplex=False)
                    arguments = (self.setup, task, self.paths, there, self.stopping)
                    process = processes.Process(target=Channel, args=arguments)
                    process.start()
                    there.close()
                    self.running[task.name] = process, here
                    events.append(Begun(task.name, "here"))
                ready = multiprocessing.connection.wait([pipe for _, pipe in self.running.values()], seconds)
                for name, (process, pipe) in [*self.running.items()]:
                    if pipe in ready:
                        events.append(self.heard(name, process, pipe))
                return events
            def heard(self, name, process, pipe):
                try:
                    message = pipe.recv()
                except EOFError:
                    process.join()
                    message = Died(name, f"ended with status {process.exitcode}",
                                   outside=process.exitcode < 0 and name not in self.ended)
                if isinstance(message, (Ended, Died)):
                    del self.running[name]
                    return message
                return Signed(name, message) if isinstance(message, str) else Told(name, message)

        @ablate.hookimpl
        def ablate_executors():
            yield ablate.ExecutorSpec(name="process-each", summary="A process for each task.",
                                      build=lambda options, setup: ProcessEach(setup))
    """


@hookspec
def ablate_run_started(event: RunStarted) -> None:
    """Handle a run that has started: the first of its stages after preparing the music runs now.

    Runs that share a training start together. A run whose results all exist is announced with ``reused=True``.

    Example::

        class Printer:
            @ablate.hookimpl
            def ablate_run_started(self, event):
                print(f"{event.variant}, replicate {event.replicate}: {event.levels}")
    """


@hookspec
def ablate_step_logged(event: StepLogged) -> None:
    """Handle a step of the training of a run: at most one each second, and the last one.

    Every run that waits for a training receives its steps. A training that is reused, or that is resumed, sends none
    of the steps that it did before. These events alone are dropped if the observer is too slow for them.

    Example::

        class Printer:
            @ablate.hookimpl
            def ablate_step_logged(self, event):
                print(f"{event.variant}, replicate {event.replicate}: {event.step} of {event.steps}, {event.loss:.3f}")
    """


@hookspec
def ablate_run_finished(event: RunFinished) -> None:
    """Handle a run that is done, has failed or was interrupted; it has started before, in the same command.

    Example::

        class Printer:
            @ablate.hookimpl
            def ablate_run_finished(self, event):
                values = ", ".join(f"{each.name} {each.value:.3g}" for each in event.measurements)
                print(f"{event.variant}, replicate {event.replicate}: {event.state} {event.error}{values}")
    """


@hookspec
def ablate_study_finished(event: StudyFinished) -> str | None:
    """Handle the end of the command, which is the last event; return a line to print, or None.

    Example::

        class Printer:
            @ablate.hookimpl
            def ablate_study_finished(self, event):
                for sentence in event.verdicts:
                    print(sentence)
                return f"printed {len(event.verdicts)} verdicts"
    """


#: The names of the hooks of events.
EVENTS = ("ablate_run_started", "ablate_step_logged", "ablate_run_finished", "ablate_study_finished")
