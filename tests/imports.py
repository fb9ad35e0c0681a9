"""Which module of dlwa imports which, read from the sources without running them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def module_name(path: Path) -> str:
    """The dotted name of a file below the project's root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, Path]:
    """Every module of dlwa by its dotted name."""
    return {module_name(path): path for path in sorted((ROOT / "dlwa").rglob("*.py"))}


def imports_of(name: str, path: Path, known: set[str], top_only: bool = False) -> set[str]:
    """The modules of dlwa that a file imports, also inside functions unless `top_only`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in _nodes(tree, top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in known else base)
    return {target for target in found if target.split(".")[0] == "dlwa"} - {name}


def external_imports_of(path: Path) -> set[str]:
    """The first names of everything a file imports from outside dlwa, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def graph() -> dict[str, set[str]]:
    """Every module with the modules of dlwa it imports."""
    known = sources()
    return {name: imports_of(name, path, set(known)) for name, path in known.items()}


def _nodes(tree: ast.Module, top_only: bool) -> Iterator[ast.AST]:
    if top_only:
        yield from tree.body
    else:
        yield from ast.walk(tree)
