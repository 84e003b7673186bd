"""The statements of a module: the names that they define and use, and digests without comments and formatting.

Docstrings do not count, and the declarations of options neither: their defaults are recorded by themselves, and their
texts and bounds change no result.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib.util
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Names of modules with a point, which a package may load by name.
_MODULE = re.compile(r"\.+\w+(\.\w+)*|\w+(\.\w+)+(:[\w.]+)?|\w+:[\w.]+")
#: Fields of the syntax tree that hold no meaning of their own.
_IGNORED = frozenset(("ctx", "kind", "type_comment", "type_ignores"))


@dataclasses.dataclass(frozen=True)
class Import:
    """An imported name: all of a module (``name`` is empty), or something in it (``"*"`` for everything)."""

    module: str
    name: str = ""


class Statement:
    """A statement at the top of a module.

    Attributes:
        node: its syntax tree.
        names: that it defines; a statement that defines none has another effect, and always counts.
        decorators: the names of its decorators; one of the plugin's own may have an effect, too.
    """

    def __init__(self, node: ast.stmt) -> None:
        self.node = node
        self.names = tuple(_defined(node))
        decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
        self.decorators = tuple(filter(None, map(_root, decorators)))

    @functools.cached_property
    def uses(self) -> set[str]:
        """Every name in it."""
        return {node.id for node in ast.walk(self.node) if isinstance(node, ast.Name)}

    @functools.cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """The imports inside it."""
        return [node for node in ast.walk(self.node) if isinstance(node, ast.Import | ast.ImportFrom)]

    @functools.cached_property
    def modules(self) -> set[str]:
        """Every text in it that may name a module (``"pkg.network"``, ``".network"``, ``"pkg.network:Net"``)."""
        texts = (node.value for node in ast.walk(self.node) if isinstance(node, ast.Constant))
        return {text for text in texts if isinstance(text, str) and _MODULE.fullmatch(text)}

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of its syntax tree, in hex; equal for every version of Python."""
        return hashlib.sha256("".join(_written(self.node)).encode()).hexdigest()


class ModuleSyntax:
    """The syntax of a module.

    Args:
        name: its full name.
        source: its text.
        is_package: whether it is the ``__init__`` of a package.

    Attributes:
        statements: at the top, without imports, docstrings and ``if TYPE_CHECKING``.
        by_name: the statements that define a name.
        imported: what the module's imports bind, by name; several of ``import a.b; import a.c``.
        starred: the modules of which it imports everything.
        plain: whether its names are all found in this way; false where it calls ``globals()``, say.

    Raises:
        SyntaxError: of the source.
    """

    def __init__(self, name: str, source: bytes | str, *, is_package: bool) -> None:
        self.name = name
        self._package = name if is_package else name.rpartition(".")[0]
        self.statements: list[Statement] = []
        self.by_name: dict[str, list[Statement]] = {}
        self.imported: dict[str, list[Import]] = {}
        self.starred: list[str] = []
        self.plain = True
        for node in _executed(ast.parse(source).body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._bind(node)
                continue
            statement = Statement(node)
            self.statements.append(statement)
            for each in statement.names:
                self.by_name.setdefault(each, []).append(statement)
            if not statement.names:
                for inner in statement.imports:
                    self._bind(inner)
        self.plain = not any({"globals", "vars", "__getattr__"} & {*s.names, *s.uses} for s in self.statements)

    def _bind(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, target in self.targets(node):
            if target.name == "*":
                self.starred.append(target.module)
            else:
                self.imported.setdefault(name, []).append(target)

    def targets(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
        """Yield each name that an import in this module binds, with what it stands for."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], Import(alias.name)
            return
        module = self.absolute("." * node.level + (node.module or ""))
        if not module:  # beyond the package at the top, which fails when it runs
            return
        for alias in node.names:
            yield alias.asname or alias.name, Import(module, alias.name)

    def absolute(self, name: str) -> str:
        """Return the full name of a module that this one names, maybe with leading points; empty if there is none."""
        try:
            return importlib.util.resolve_name(name, self._package) if name.startswith(".") else name
        except ImportError:
            return ""


def _executed(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run: no docstrings, and nothing for type checkers only."""
    for node in body:
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            yield from _executed(node.orelse)
        elif not _is_text(node):
            yield node


def _is_type_checking(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _is_text(node: ast.AST) -> bool:
    """Return whether a statement is a docstring, or another text that is not used."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_option(node: ast.AST) -> bool:
    """Return whether a statement declares an option of a component."""
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call)):
        return False
    function = node.value.func
    return getattr(function, "attr", getattr(function, "id", "")) == "option"


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, if this is all that it does."""
    if isinstance(node, _DEFINITIONS):
        yield node.name
        return
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    else:  # ``type X = ...`` of Python 3.12, or nothing of the kind
        targets = [node.name] if type(node).__name__ == "TypeAlias" else []  # type: ignore[attr-defined]
    flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
    names = [each.id for each in flat if isinstance(each, ast.Name)]
    if len(names) == len(flat):
        yield from names


def _root(node: ast.expr) -> str:
    """Return the first name of ``a``, ``a.b`` or ``a.b(...)``; empty for another expression."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _written(value: object) -> Iterator[str]:
    """Yield a syntax tree as text, in parts, without empty fields: other versions of Python have others of these."""
    if isinstance(value, ast.AST):
        yield f"{type(value).__name__}("
        for field, inner in ast.iter_fields(value):
            if inner is not None and inner != [] and field not in _IGNORED:
                yield f"{field}="
                yield from _written(inner)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for each in value:
            if not (_is_text(each) or _is_option(each)):
                yield from _written(each)
                yield ","
        yield "]"
    else:
        yield repr(value)
