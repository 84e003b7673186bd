"""Writes docs/reference/hooks.md from the code: ``python tools/make_hooks.py``."""  # noqa: INP001 - a script

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate import events, hookspecs, interfaces
from ablate.specs import ALL_SPEC_TYPES, ALL_SPECS, ComponentSpec, ObserverSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The methods of components with names of Python.
_SPECIAL = ("__call__", "__enter__", "__exit__")
PAGE = Path(__file__).parent.with_name("docs") / "reference" / "hooks.md"
HEAD = """\
# Hook points

*Made from `ablate/hookspecs.py`, `ablate/specs.py`, `ablate/events.py` and `ablate/interfaces/` by
`python tools/make_hooks.py`.*

A plugin is a module named by an entry point of the group `ablate`.
It implements any of these hooks with `@ablate.hookimpl`, up to `ablate_executors`.
Each yields records, which name a component and know how to build it.
The hooks after `ablate_executors` are the events of a running study.
They are methods of the object that the record of an observer builds.
[Writing a plugin](../guides/writing-a-plugin.md) shows one from the first line to the last.
"""


def render() -> str:
    """Return the page: one section for each hook point, in the order of the data flow."""
    return "\n".join([HEAD, *map(_section, ALL_SPECS), *map(_event_section, hookspecs.EVENTS)])


def example(hook: str) -> str:
    """Return the example of a hook, as the text of a module."""
    return textwrap.dedent(_hook_parts(hook)[1]).strip() + "\n"


def _hook_parts(hook: str) -> tuple[str, str]:
    said, _, code = (inspect.getdoc(getattr(hookspecs, hook)) or "").partition("Example:\n")
    return said.strip().replace("``", "`"), code


def _section(kind: str) -> str:
    specs = [spec for spec in ALL_SPEC_TYPES if spec.kind == kind]
    hook = f"ablate_{specs[0].kinds}"
    return f"""\
## `{hook}() -> Iterable[{" | ".join(spec.__name__ for spec in specs)}]`

{_hook_parts(hook)[0]}

```python
{example(hook)}```

{chr(10).join(map(_component, specs))}"""


def _event_section(hook: str) -> str:
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    (name,) = re.findall(r"event: (\w+)", signature)
    attributes = (inspect.getdoc(getattr(events, name)) or "").partition("Attributes:")[2]
    fields = re.split(r"^    (\w+): ", attributes, flags=re.MULTILINE)
    said = (f"- `{field}`: {_markdown_text(text)}" for field, text in zip(fields[1::2], fields[2::2], strict=True))
    return f"""\
## `{hook}{signature}`

{_hook_parts(hook)[0]}

```python
{example(hook)}```

The attributes of `{name}`:

{chr(10).join(said)}
"""


def _component(spec: type[ComponentSpec]) -> str:
    """Return the description of the component that a record builds."""
    if spec is ObserverSpec:
        return _observer(spec)
    name = "LanguageModel" if spec.kind == "model" else spec.__name__.removesuffix("Spec")
    component = getattr(interfaces, name)
    field, kind = next(item for item in inspect.get_annotations(spec).items() if item[0].startswith("build"))
    return f"""\
`{field}` of `{spec.__name__}` is a `{kind}`.
{_markdown(component)}{" [Optional base classes](../guides/fast-models.md)." if spec.kind == "model" else ""}

{chr(10).join(_methods(component))}
"""


def _observer(spec: type[ComponentSpec]) -> str:
    """Return the description of what the record of an observer builds, and of its target."""
    about, _, attributes = (inspect.getdoc(spec) or "").partition("\n\n")[2].partition("Attributes:")
    paragraphs = [_markdown_text(text) for text in about.strip().split("\n\n")]
    target = _markdown_text(attributes).removeprefix("target: ")
    return "\n\n".join([*paragraphs, f"- `target`: {target}\n"])


def _methods(component: type[Any]) -> Iterator[str]:
    for name, method in vars(component).items():
        if inspect.isfunction(method) and (name in _SPECIAL or not name.startswith("_")):
            signature = str(inspect.signature(method)).replace("'", "").replace("self, ", "").replace("self", "")
            yield f"- `{name}{signature}`: {_markdown(method)}"


def _markdown(documented: Any) -> str:
    """Return the first paragraph of a docstring."""
    return _markdown_text((inspect.getdoc(documented) or "").partition("\n\n")[0])


def _markdown_text(text: str) -> str:
    return re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", " ".join(text.split())).replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
