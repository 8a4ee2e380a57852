"""Describes a tree of Alembic migrations as JSON on standard output.

Fed to the interpreter on standard input behind describe_losses.py: python - <alembic.ini>. It never runs env.py and never connects.
Written for Alembic 1.8 to the newest: only the public parts of ScriptDirectory and Script.
"""
import ast
import json
import os
import re
import sys
import traceback
import warnings

answer = sys.stdout
sys.stdout = sys.stderr  # a revision that prints while it is imported must not spoil the answer

WRITING = re.compile(r"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|COPY)\b", re.IGNORECASE)


def say(tree):
    json.dump(tree, answer)
    answer.write("\n")
    answer.flush()


def statements(node):
    """What a function does, without docstrings and pass."""
    return [
        part for part in node.body
        if not isinstance(part, ast.Pass) and not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
    ]


def does_something(node):
    found = statements(node)
    return bool(found) and not isinstance(found[0], ast.Raise)


def raises(node):
    found = statements(node)
    return bool(found) and isinstance(found[0], ast.Raise)


def commits_rows(module, other):
    """Whether a direction may commit written rows before it is over: an autocommit_block in it or in a function of the module, and a statement that writes."""
    def opens_autocommit(node):
        return any(isinstance(part, ast.Attribute) and part.attr == "autocommit_block" for part in ast.walk(node))

    own = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name != other]
    writes = any(text(part) is not None and WRITING.search(text(part)) for node in module.body if getattr(node, "name", None) != other and not isinstance(node, ast.Expr) for part in ast.walk(node))
    return writes and any(opens_autocommit(node) for node in own)


def describe(script):
    path = os.path.abspath(script.path)
    with open(path, "rb") as file:
        source = file.read()
    module = ast.parse(source, path)
    upgrade, downgrade = function(module, "upgrade"), function(module, "downgrade")
    declared = hasattr(script.module, "downgrade_destroys")
    if downgrade is not None:
        # A downgrade that does nothing is real where there is nothing to undo, or where its author says so.
        nothing_to_undo = upgrade is not None and not statements(upgrade)
        real = does_something(downgrade) or (not raises(downgrade) and (nothing_to_undo or declared))
    else:
        real = callable(getattr(script.module, "downgrade", None))
    if declared:
        destroys = script.module.downgrade_destroys or None
    else:
        destroys = destroyed(module, script)
    parents = []
    for parent in script._all_down_revisions if hasattr(script, "_all_down_revisions") else script._versioned_down_revisions:
        if parent not in parents:
            parents.append(parent)
    return {
        "id": script.revision,
        "parents": parents,
        "message": (script.doc or "").strip().splitlines()[0] if (script.doc or "").strip() else "",
        "file": path,
        "hasDowngrade": bool(real),
        "downgradeDestroys": None if destroys is None else str(destroys),
        "upgradeCommitsRows": commits_rows(module, "downgrade"),
        "downgradeCommitsRows": commits_rows(module, "upgrade"),
    }


def place(error):
    """The file and line that an exception is about."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if os.path.isfile(frame.filename)]
    library = os.path.dirname(os.__file__)
    outside = [frame for frame in own if not frame.filename.startswith(library) and "site-packages" not in frame.filename and "dist-packages" not in frame.filename]
    last = outside[-1] if outside else None
    return (last.filename, last.lineno) if last else (None, None)


def main():
    try:
        from alembic.config import Config
        from alembic.script import ScriptDirectory
    except ImportError as missing:
        say({"errors": [{"kind": "alembic", "message": str(missing)}]})
        return

    seen = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            seen = caught
            tree = ScriptDirectory.from_config(Config(sys.argv[1]))
            scripts = list(tree.walk_revisions("base", "heads"))
            heads = list(tree.get_heads())
    except (Exception, SystemExit) as error:
        file, line = place(error)
        say({
            "errors": [{"kind": "load", "type": type(error).__name__, "message": str(error), "file": file, "line": line}]
            + [{"kind": "warning", "message": str(warning.message)} for warning in seen],
        })
        return

    duplicates = [str(warning.message) for warning in seen if "more than once" in str(warning.message)]
    if duplicates:
        say({"errors": [{"kind": "duplicate", "message": message} for message in duplicates]})
        return

    folder = os.path.abspath(str(tree.dir))
    others = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name == "env.py" or name.endswith(".mako")]
    say({"folder": folder, "heads": heads, "revisions": [describe(script) for script in scripts], "otherFiles": others, "errors": []})


main()
