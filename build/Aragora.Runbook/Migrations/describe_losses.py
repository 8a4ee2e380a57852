"""Finds what a downgrade loses, or may lose. The first part of describe_tree.py, which is fed to the interpreter behind it."""
import ast
import re

# What is known not to lose data. Whatever is not listed is not known, and a person has to say that it is wanted.
HARMLESS_CALLS = frozenset("""
    add_column alter_column autocommit_block batch_alter_table bulk_insert create_check_constraint create_exclude_constraint create_foreign_key create_index create_primary_key
    create_table create_table_comment create_unique_constraint drop_constraint drop_index drop_table_comment f get_bind get_context inline_literal rename_table is_offline_mode
    attributes config get_main_option get_section get_x_argument
    all append begin begin_nested scalar bindparams c columns connect debug dialect execution_options extend fetchall fetchmany fetchone filter filter_by first format get get_check_constraints
    get_columns get_foreign_keys get_indexes get_pk_constraint get_table_names get_unique_constraints get_view_names group_by has_table info insert items join keys label limit lower mappings
    offset one one_or_none order_by partitions replace scalar_one scalar_one_or_none scalars select select_from split startswith endswith strip text upper values warning where with_only_columns
""".split())
RUNS_SQL = frozenset(("execute", "exec_driver_sql", "scalar", "scalars"))
HARMLESS_MODULES = frozenset("__future__ collections contextlib dataclasses datetime decimal enum functools hashlib itertools json logging math operator re sqlalchemy string textwrap time typing uuid warnings".split())
HARMLESS_BUILTINS = frozenset("abs all any bool bytes dict enumerate filter float format frozenset int isinstance len list map max min next print range repr reversed round set sorted str sum tuple zip".split())
NAME = r'(?:"(?:[^"]|"")*"|[^\s",;(]+)(?:\."(?:[^"]|"")*")?'
LOSING_SQL = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), label) for pattern, label in (
    (r"\bDROP\s+(?:TABLE|COLUMN|SCHEMA|DATABASE|OWNED|SEQUENCE|EXTENSION|ATTRIBUTE|FOREIGN\s+TABLE|TABLESPACE)\b|\bTRUNCATE\b|\bDELETE\s+FROM\b|\bMERGE\s+INTO\b", None),
    (r"\bALTER\s+(?:FOREIGN\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?" + NAME + r"\s*\*?\s+(?:[^;]*?,\s*)?DROP\s+(?!CONSTRAINT\b|COLUMN\b)", "DROP COLUMN"),
    (r"\bALTER\s+(?:COLUMN\s+)?" + NAME + r"\s+(?:SET\s+DATA\s+)?TYPE\b", "ALTER COLUMN TYPE"),
    (r"(?<!FOR\s)(?<!NO\sKEY\s)(?<!BEFORE\s)(?<!AFTER\s)(?<!OR\s)(?<!ON\s)\bUPDATE\s+(?:ONLY\s+)?" + NAME + r"(?:\s+(?:AS\s+)?\w+)?\s+SET\b", "UPDATE"),
    (r"\bDO\s+UPDATE\s+SET\b", "ON CONFLICT DO UPDATE"),
    (r"\bDROP\b[^;]*(?<!DELETE\s)(?<!UPDATE\s)\bCASCADE\b", "DROP … CASCADE"),
)]
HARMLESS_SQL = re.compile(
    r"(?:SELECT|WITH|VALUES|TABLE|SHOW|EXPLAIN|INSERT|COPY|CREATE|COMMENT|GRANT|REVOKE|ANALYZE|VACUUM|REINDEX|REFRESH|CLUSTER|CHECKPOINT|LOCK|SET|RESET|BEGIN|START|COMMIT|SAVEPOINT|RELEASE|NOTIFY|LISTEN|ALTER|UPDATE|DELETE|TRUNCATE|MERGE"
    r"|DROP\s+(?:INDEX|VIEW|MATERIALIZED\s+VIEW|TRIGGER|EVENT\s+TRIGGER|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OPERATOR|CAST|POLICY|RULE|STATISTICS|TYPE|DOMAIN|COLLATION|ROLE|PUBLICATION|TABLE|SCHEMA|SEQUENCE|EXTENSION|DATABASE|OWNED|FOREIGN))\b",
    re.IGNORECASE)
FUNCTION_CALL = re.compile(r"SELECT\s+(?!set_config|setval|pg_sleep|pg_advisory|count|max|min|now|exists|coalesce)[\w.\"]+\s*\((?!.*\bFROM\b)", re.IGNORECASE | re.DOTALL)


def function(module, name):
    found = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name]
    return found[-1] if found else None


def text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class Losses:
    """Walks a function and all of its module that it uses, and collects the operations that lose data or may."""

    def __init__(self, module):
        self.module = module
        self.functions = {node.name: node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
        self.constants = {}
        self.assigned(module.body, self.constants)
        self.imports = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                self.imports.update({(alias.asname or alias.name).split(".")[0]: alias.name for alias in node.names})
            elif isinstance(node, ast.ImportFrom):
                self.imports.update({alias.asname or alias.name: "." * node.level + (node.module or "") for alias in node.names})
        self.found = []
        self.seen = set()

    @staticmethod
    def assigned(nodes, into):
        """Names and what is assigned to them; all of it, where that is more than one thing."""
        for top in nodes:
            if isinstance(top, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            for node in ast.walk(top):
                if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
                    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                        if isinstance(target, ast.Name):
                            into.setdefault(target.id, []).append(node.value)
                elif isinstance(node, (ast.For, ast.AsyncFor)) and isinstance(node.target, ast.Name):
                    into.setdefault(node.target.id, []).append(node.iter)

    def of(self, node):
        self.walk(node)
        return ", ".join(dict.fromkeys(self.found)) or None

    def unknown(self, what, node):
        self.found.append("not known: %s (line %d)" % (what, node.lineno))

    def walk(self, node):
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        local = {}
        self.assigned(getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else [], local)
        docstrings = {id(part.value) for part in ast.walk(node) if isinstance(part, ast.Expr)}
        called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                self.call(part, local)
            elif isinstance(part, ast.Attribute) and id(part) not in called:
                self.reference(part)
            elif isinstance(part, (ast.Constant, ast.JoinedStr)) and id(part) not in docstrings:
                self.losing(self.sql(part, local) or "")
            elif isinstance(part, ast.Name) and part.id in self.functions:
                self.walk(self.functions[part.id])

    def losing(self, sql):
        for pattern, label in LOSING_SQL:
            self.found += [label or " ".join(match.group().upper().split()) for match in pattern.finditer(sql)]

    def call(self, node, local):
        func = node.func
        root = func
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            root = root.func if isinstance(root, ast.Call) else root.value
        start = root.id if isinstance(root, ast.Name) else None
        origin = self.imports.get(start)
        if isinstance(func, ast.Attribute):
            self.method(node, func.attr, start, origin, local)
        elif isinstance(func, ast.Name):
            if func.id in self.functions or (origin is not None and origin.split(".")[0] in HARMLESS_MODULES):
                if func.id in ("delete", "update") and origin is not None:
                    self.found.append(func.id.upper())
            elif origin is not None or func.id not in HARMLESS_BUILTINS:
                self.unknown("what %s() does%s" % (func.id, ", imported from " + origin if origin else ""), node)
        elif not isinstance(func, ast.Call):
            self.unknown("what is called", node)

    def method(self, node, name, start, origin, local):
        words = [word for word in map(text, node.args) if word]
        words += [word for word in (text(k.value) for k in node.keywords if k.arg in ("table_name", "column_name")) if word]
        if name in ("drop_table", "drop_column"):
            self.found.append("%s(%s)" % (name, ", ".join(words)))
        elif name in ("delete", "update"):
            self.found.append(name.upper())
        elif name == "alter_column" and any(k.arg in ("type_", "postgresql_using", None) and not self.is_text(k.value) for k in node.keywords):
            self.found.append("alter_column(%s) to another type" % ", ".join(words))
        elif name in RUNS_SQL and not (name in ("scalar", "scalars") and not node.args):
            self.statement(node, local)
        elif origin is not None and origin.split(".")[0] in HARMLESS_MODULES and self.is_plain(node.func):
            pass
        elif name in ("create", "drop") and self.is_enum(node.func.value, local):
            pass
        elif name not in HARMLESS_CALLS or (origin is not None and origin.split(".")[0] not in ("alembic", "sqlalchemy")):
            self.unknown("what %s does" % (start + "." + name if start else name), node)

    @staticmethod
    def is_plain(func):
        """Whether it is a name of the module itself, and not a method of what the module made."""
        while isinstance(func, ast.Attribute):
            func = func.value
        return isinstance(func, ast.Name)

    def is_enum(self, node, local):
        """A type that a column has cannot be dropped: the server refuses."""
        given = (local.get(node.id) or self.constants.get(node.id) or []) if isinstance(node, ast.Name) else [node]
        return bool(given) and all(isinstance(one, ast.Call) and getattr(one.func, "attr", getattr(one.func, "id", "")) in ("Enum", "ENUM") for one in given)

    def reference(self, node):
        """An operation that is handed on, to be called elsewhere."""
        if node.attr in ("drop_table", "drop_column"):
            self.found.append(node.attr)
        elif isinstance(node.value, ast.Name) and self.imports.get(node.value.id) == "alembic" and node.attr not in HARMLESS_CALLS:
            self.unknown("what becomes of %s.%s" % (node.value.id, node.attr), node)

    @staticmethod
    def is_text(node):
        """Text takes every value."""
        target = node.func if isinstance(node, ast.Call) else node
        return getattr(target, "attr", getattr(target, "id", "")) in ("Text", "TEXT", "UnicodeText")

    def statement(self, node, local):
        """A statement that runs: it has to be known, or to be found out."""
        given = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg in ("sqltext", "statement")), None)
        sql = None if given is None else self.sql(given, local)
        if sql is None:
            built = {part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "") for part in ast.walk(given) if isinstance(part, ast.Call)} if given is not None else set()
            if not built & {"select", "insert", "update", "delete"}:
                self.unknown("the statement that is executed", node)
            return
        self.losing(sql)
        plain = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
        # A semicolon within a body or a literal begins no statement: those are taken out first.
        plain = re.sub(r"(\$\w*\$).*?\1|'(?:[^']|'')*'", "''", plain, flags=re.DOTALL)
        for one in filter(None, (one.strip() for one in plain.split(";"))):
            if not HARMLESS_SQL.match(one) or FUNCTION_CALL.match(one):
                self.unknown("what \"%s\" does" % " ".join(one.split())[:40].rstrip(), node)

    def sql(self, node, local, depth=0):
        """The text of an expression, with ? for what is put in; null where it is not text."""
        def inner(part):
            return self.sql(part, local, depth + 1)

        if depth > 20:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.JoinedStr):
            return "".join(part.value if isinstance(part, ast.Constant) else "?" for part in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return inner(node.left)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [inner(node.left), inner(node.right)]
            return None if parts == [None, None] else "".join("?" if part is None else part for part in parts)
        if isinstance(node, (ast.Tuple, ast.List)):
            parts = [inner(part) for part in node.elts]
            return None if None in parts else ";\n".join(parts)
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("text", "dedent", "DDL", "f") and node.args:
                return inner(node.args[0])
            if name in ("format", "strip", "bindparams", "execution_options", "replace") and isinstance(node.func, ast.Attribute):
                return inner(node.func.value)
            return None
        if isinstance(node, ast.Name):
            parts = [inner(value) for value in local.get(node.id) or self.constants.get(node.id) or [None] if value is not None]
            return None if not parts or None in parts else ";\n".join(parts)
        return None


def destroyed(module, script):
    """What the module's downgrade loses or may lose, such as drop_table(users); null for nothing."""
    losses = Losses(module)
    downgrade = function(module, "downgrade")
    if downgrade is not None:
        return losses.of(downgrade)
    given = losses.constants.get("downgrade", [None])[-1]
    if isinstance(given, ast.Name) and given.id in losses.functions:
        return losses.of(losses.functions[given.id])
    if not callable(getattr(script.module, "downgrade", None)):
        return None
    origin = losses.imports.get("downgrade")
    return "not known: its downgrade is %s" % ("imported from " + origin if origin else "not written in its file")
