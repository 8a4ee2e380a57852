"""The steps of GitHub Actions and Azure Pipelines, run as their hosts run them, with a stand-in for build.sh that says what it was given.

What a host puts in the place of its expressions is put there by these tests: inputs, variables and secrets go in at one end, and what
arrives on the command line and in the environment is looked at.

Run: /usr/bin/python3 -m pytest tests/Bootstrap
"""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
MIGRATE = HOUSE / ".github/workflows/migrate.yml"
ROLLBACK = HOUSE / ".github/workflows/rollback.yml"
AZURE = HOUSE / "azure-pipelines.yml"
HOSTS = ["github", "azure"]
JOBS = ["Backup and VerifyBackup", "MigrateStaging", "MigrateProduction", "Rollback"]
# What Azure hands to no step by itself.
SECRETS = {"STAGING_DATABASE_URL", "PRODUCTION_DATABASE_URL", "EVIDENCE_KEY", "KUBECONFIG_TEXT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
DATABASES = {"STAGING_DATABASE_URL": "postgresql://s", "PRODUCTION_DATABASE_URL": "postgresql://p"}
FAKE_BUILD = '#!/bin/bash\nprintf "%s\\n" "$@" > asked\nenv -0 > seen\n[ ! -f "${KUBECONFIG:-/nonexistent}" ] || cp -p "$KUBECONFIG" login\n'

# What a form has when nobody touches it, by the name that GitHub gives it.
UNTOUCHED = {"revision": "-1", "environment": "Staging", "strategy": "Auto", "backup": "", "snapshot-identifier": "", "switch": "Print", "accept-data-loss": False,
             "accept-lost-writes": "", "suspend-gitops": False, "application-revisions": "", "migration-image": "", "team-notified": False, "dashboards-open": False, "fresh": False}
PRODUCTION = {"environment": "Production"}


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def mapping(lines, start: int):
    """The `name: value` lines below the line at `start`."""
    found = {}
    for line in lines[start + 1:]:
        if line.strip() and indent(line) <= indent(lines[start]):
            break
        if match := re.match(r"\s+([A-Z_]+): (.*)", line):
            found[match[1]] = match[2].strip().strip('"')
    return found


class Step:
    """One step of a definition: its script, and the expressions that its environment is made of."""

    def __init__(self, file: Path, name: str):
        self.is_azure = file == AZURE
        lines = file.read_text().splitlines()
        key = "displayName" if self.is_azure else "name"
        named = next(i for i, line in enumerate(lines) if re.fullmatch(rf"\s+(?:- )?{key}: {re.escape(name)}", line))
        first = max(i for i in range(named + 1) if re.match(r"\s+- ", lines[i]))
        last = next((i for i in range(named + 1, len(lines)) if re.match(r"\s+- ", lines[i]) and indent(lines[i]) <= indent(lines[first])), len(lines))
        self.lines = lines[first:last]
        script = next(i for i, line in enumerate(self.lines) if re.search(r"\b(run|bash): \|$", line))
        end = next((i for i in range(script + 1, len(self.lines)) if self.lines[i].strip() and indent(self.lines[i]) <= indent(self.lines[0]) + 2), len(self.lines))
        self.script = "\n".join(self.lines[script + 1:end])
        self.env = {} if self.is_azure else mapping(lines, lines.index("env:")) if "env:" in lines else {}
        self.env |= mapping(self.lines, next(i for i, line in enumerate(self.lines) if line.strip() == "env:"))


def camel(name: str) -> str:
    return re.sub(r"-(\w)", lambda match: match[1].upper(), name)


def step(host: str, name: str) -> Step:
    return Step(AZURE if host == "azure" else ROLLBACK if name == "Rollback" else MIGRATE, name)


class Ran:
    def __init__(self, folder: Path, done):
        self.code, self.error = done.returncode, done.stderr
        self.asked = (folder / "asked").read_text().splitlines() if (folder / "asked").exists() else None
        self.seen = dict(pair.split("=", 1) for pair in (folder / "seen").read_text().split("\0") if pair) if (folder / "seen").exists() else {}

    def value(self, switch: str):
        return self.asked[self.asked.index(switch) + 1] if switch in self.asked else None


@pytest.fixture
def run(tmp_path):
    def run(host: str, name: str, typed=None, made=None, own=None) -> Ran:
        """Runs a step: `typed` into the form, `made` as variables or secrets, `own` in the environment of the runner or agent."""
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        (folder / ".ci").mkdir(parents=True)
        (folder / "temp").mkdir()
        shutil.copy(HOUSE / ".ci/settings", folder / ".ci/settings")
        (folder / "build.sh").write_text(FAKE_BUILD)
        (folder / "build.sh").chmod(0o755)
        this, made = step(host, name), DATABASES | {"BACKUP_DIRECTORY": "/backups"} | (made or {})
        typed = UNTOUCHED | ({} if name == "Rollback" else {"revision": "head"}) | (typed or {})
        if this.is_azure:
            # Azure wants a value in each field: none, and default for a revision.
            empty = {"revision": "default" if typed["revision"] in ("-1", "head") else typed["revision"]}
            typed = {camel(name): "none" if value == "" else value for name, value in (typed | empty).items()}
        said = {name: str(value) if this.is_azure else str(value).lower() if isinstance(value, bool) else value for name, value in typed.items()}

        def evaluated(text: str) -> str:
            text = re.sub(r"\$\{\{ (?:inputs|parameters)\.([\w-]+) \}\}", lambda match: said[match[1]], text)
            text = re.sub(r"\$\{\{ replace\(parameters\.(\w+), '\$', ''\) \}\}", lambda match: said[match[1]].replace("$", ""), text)
            text = re.sub(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}", lambda match: made.get(match[1], ""), text)
            assert "${{" not in text, text
            return re.sub(r"\$\((\w+)\)", lambda match: made.get(match[1], match[0]), text)

        env = {"PATH": os.environ["PATH"], "AGENT_TEMPDIRECTORY" if this.is_azure else "RUNNER_TEMP": str(folder / "temp"), "PIPELINE_WORKSPACE": str(folder / "work")}
        handed = {name: value for name, value in made.items() if this.is_azure and name not in SECRETS}
        env |= (own or {}) | handed | {name: evaluated(text) for name, text in this.env.items()}
        (folder / "script").write_text(this.script)
        flags = [] if this.is_azure else ["-eo", "pipefail"]
        done = subprocess.run(["bash", "--noprofile", "--norc", *flags, "script"], cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        return Ran(folder, done)

    return run


def from_environment():
    """The parameters of the build that count from the environment, by the names of their variables."""
    schema = json.loads((HOUSE / ".nuke/build.schema.json").read_text())
    source = (HOUSE / "build/Build.Parameters.cs").read_text()
    dangerous = {alias or name for alias, name in re.findall(r'\[Parameter\([^\n]*?(?:Name = "(\w+)")?\)\]\n(?:    \[Secret\]\n)?    \[CommandLineOnly\]\n    readonly \S+ (\w+);', source)}
    assert {"Revision", "Switch", "SnapshotIdentifier", "SuspendGitops", "Backup", "Strategy"} <= dangerous
    names = {name for part in [schema, *schema.get("definitions", {}).values(), *schema.get("allOf", [])] for name in part.get("properties", {})}
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in names - dangerous}


# ---- What is typed ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("typed, asked", [
    ({}, ["--target-environment", "Staging", "--strategy", "Auto", "--revision", "-1"]),
    (PRODUCTION | {"strategy": "Downgrade", "revision": "b86d1e4f97c2", "accept-data-loss": True},
     ["--target-environment", "Production", "--strategy", "Downgrade", "--revision", "b86d1e4f97c2", "--accept-data-loss"]),
    (PRODUCTION | {"strategy": "Restore", "backup": "b 1", "accept-lost-writes": "12"},
     ["--target-environment", "Production", "--strategy", "Restore", "--backup", "b 1", "--accept-lost-writes", "12"]),
    (PRODUCTION | {"strategy": "Restore", "backup": "b1", "revision": "base"}, ["--target-environment", "Production", "--strategy", "Restore", "--backup", "b1", "--revision", "base"]),
    (PRODUCTION | {"strategy": "Restore", "backup": "b1", "suspend-gitops": True, "application-revisions": "a1,b2"},
     ["--target-environment", "Production", "--strategy", "Restore", "--backup", "b1", "--suspend-gitops", "--application-revisions", "a1,b2"]),
    (PRODUCTION | {"strategy": "Snapshot", "snapshot-identifier": "aragora-prod-1"},
     ["--target-environment", "Production", "--strategy", "Snapshot", "--snapshot-identifier", "aragora-prod-1", "--switch", "Print"]),
    (PRODUCTION | {"strategy": "Snapshot", "snapshot-identifier": "rds:prod-1", "switch": "Rename", "accept-lost-writes": "unknown"},
     ["--target-environment", "Production", "--strategy", "Snapshot", "--snapshot-identifier", "rds:prod-1", "--switch", "Rename", "--accept-lost-writes", "unknown"]),
    # What does not go together goes to the build, which refuses it by name.
    (PRODUCTION | {"strategy": "Downgrade", "switch": "Rename", "snapshot-identifier": "s"},
     ["--target-environment", "Production", "--strategy", "Downgrade", "--revision", "-1", "--snapshot-identifier", "s", "--switch", "Rename"]),
    (PRODUCTION | {"strategy": "Snapshot", "revision": "base"}, ["--target-environment", "Production", "--strategy", "Snapshot", "--revision", "base", "--switch", "Print"])])
def test_a_rollback_gets_what_was_typed_and_nothing_of_what_was_not(run, host, typed, asked):
    done = run(host, "Rollback", typed)
    assert done.code == 0 and done.asked[0] == "Rollback", done.error

    def pairs(words):
        return sorted(" ".join(words).replace(" --", "\n--").split("\n"))

    assert pairs(done.asked[1:]) == pairs(asked)


@pytest.mark.parametrize("host", HOSTS)
def test_a_migration_gets_revision_image_and_attestations_and_nothing_of_what_was_not_typed(run, host):
    plain = ["--revision", "head", "--evidence-directory", "artifacts/evidence"]
    assert run(host, "MigrateStaging").asked == ["MigrateStaging", *plain]
    assert run(host, "MigrateProduction").asked == ["MigrateProduction", *plain]
    assert run(host, "Backup and VerifyBackup").asked == ["VerifyBackup"]

    typed = {"revision": "b86d1e4f97c2", "migration-image": "registry/api:1.42", "team-notified": True, "dashboards-open": True, "fresh": True}
    staging, production = run(host, "MigrateStaging", typed), run(host, "MigrateProduction", typed)
    for done in (staging, production):
        assert (done.value("--revision"), done.value("--migration-image")) == ("b86d1e4f97c2", "registry/api:1.42")
    assert "--attest" not in staging.asked and production.value("--attest") == "TeamNotified,DashboardsOpen"
    assert run(host, "Backup and VerifyBackup", typed).asked == ["VerifyBackup", "--fresh"]


def test_a_rollback_in_azure_names_an_image_where_one_was_typed(run):
    assert run("azure", "Rollback", {"migration-image": "registry/api:1.41"}).value("--migration-image") == "registry/api:1.41"
    assert "--migration-image" not in run("azure", "Rollback").asked


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("field", ["backup", "snapshot-identifier", "accept-lost-writes", "application-revisions"])
def test_what_is_typed_is_one_word_and_never_a_command_or_a_switch(run, host, field):
    switch, nasty = f"--{field}", "x'; touch owned; \"$(touch owned)\" `touch owned` * --no-dry-run"
    done = run(host, "Rollback", PRODUCTION | {"strategy": "Snapshot", field: nasty})
    assert done.value(switch) == (nasty.replace("$", "") if host == "azure" else nasty) and "--no-dry-run" not in done.asked

    for word in ["--skip", "-h", "--accept-data-loss"]:
        refused = run(host, "Rollback", PRODUCTION | {"strategy": "Snapshot", field: word})
        assert refused.code == 2 and refused.asked is None and "would be taken for a switch" in refused.error


@pytest.mark.parametrize("host, name", [(host, name) for host in HOSTS for name in ["MigrateStaging", "MigrateProduction", "Rollback"]])
def test_a_revision_that_is_a_switch_is_refused(run, host, name):
    refused = run(host, name, {"revision": "--continue"})
    assert refused.code == 2 and refused.asked is None


def test_every_field_of_a_form_reaches_a_step_and_github_takes_no_more_than_ten():
    for file in (MIGRATE, ROLLBACK):
        text = file.read_text()
        form = re.search(r"    inputs:\n(.*?)\n\n", text, re.S)[1]
        fields = re.findall(r"^      ([\w-]+):$", form, re.M)
        assert 0 < len(fields) <= 10 and all(re.search(rf"ASKED_FOR_\w+: \$\{{\{{ inputs\.{field} \}}\}}", text) for field in fields), file.name
    text = AZURE.read_text()
    fields = re.findall(r"^  - name: (\w+)$", text, re.M)
    assert all(f"parameters.{field}" in text for field in fields) and {"snapshotIdentifier", "switch", "suspendGitops"} <= set(fields)


def test_a_secret_that_is_named_in_a_field_is_not_read_into_it(run):
    typed = PRODUCTION | {"strategy": "Snapshot", "snapshot-identifier": "$(EVIDENCE_KEY)", "application-revisions": "$$(EVIDENCE_KEY)", "accept-lost-writes": "$(EVIDENCE_KEY)"}
    done = run("azure", "Rollback", typed, made={"EVIDENCE_KEY": "the-key"})
    assert "the-key" not in " ".join(done.asked) + done.error
    text = AZURE.read_text()
    free = re.findall(r"^  - name: (\w+)\n(?:    displayName: [^\n]*\n)?    type: string\n    default: [^\n]*\n(?!    values)", text, re.M)
    assert {"revision", "backup", "snapshotIdentifier"} <= set(free)
    assert not [name for name in free if f"${{{{ parameters.{name} }}}}" in text], "each goes through replace"


# ---- What is the same in every run ------------------------------------------------------------------------------------------------

EVERYWHERE = {"STAGING_RUNNER": "Kubernetes", "PRODUCTION_RUNNER": "DockerCompose", "STAGING_KUBERNETES_CONTEXT": "s", "PRODUCTION_KUBERNETES_CONTEXT": "p",
              "STAGING_NAMESPACE": "aragora-staging", "PRODUCTION_NAMESPACE": "aragora", "STAGING_PORT_FORWARD": "service/s:5432", "PRODUCTION_PORT_FORWARD": "pod/p:5432",
              "MIGRATION_IMAGE": "registry/api:1.42", "COMPOSE_FILE": "a.yaml:b.yaml", "COMPOSE_PROJECT": "shop", "COMPOSE_SERVICE": "api",
              "STAGING_HEALTH_URL": "https://s/health", "PRODUCTION_HEALTH_URL": "https://p/health"}
ROLLBACKS = {"STAGING_APPLICATION": "deployment/api,statefulset/worker", "PRODUCTION_APPLICATION": "compose/api"}
INSTANCE = {"PRODUCTION_DB_INSTANCE_IDENTIFIER": "prod"}


@pytest.mark.parametrize("host, name", [(host, name) for host in HOSTS for name in JOBS])
def test_settings_reach_the_build_and_those_that_nobody_made_do_not(run, host, name):
    expected = EVERYWHERE | (ROLLBACKS if name == "Rollback" else {}) | (INSTANCE if name != "MigrateStaging" else {})
    seen = run(host, name, made=EVERYWHERE | ROLLBACKS | INSTANCE | {"EVIDENCE_KEY": "k"}).seen
    assert {key: seen.get(key) for key in expected} == expected and seen["EVIDENCE_KEY"] == "k"
    assert name != "MigrateStaging" or not INSTANCE.keys() & seen.keys()

    bare = run(host, name).seen
    assert not (expected | {"EVIDENCE_KEY": "", "KUBECONFIG": "", "KUBECONFIG_TEXT": "", "MAINTENANCE_WINDOW": ""}).keys() & bare.keys()
    assert not [f"{key}={value}" for key, value in bare.items() if not key.startswith("ASKED_FOR_") and (value == "" or value.startswith("$("))]


def test_a_window_reaches_production_alone(run):
    for host in HOSTS:
        assert run(host, "MigrateProduction", made={"MAINTENANCE_WINDOW": "Sun 02:00-04:00 UTC"}).seen["MAINTENANCE_WINDOW"] == "Sun 02:00-04:00 UTC"


def test_every_setting_is_a_parameter_that_counts_from_the_environment_and_no_field_is():
    parameters = from_environment()
    for file in (MIGRATE, ROLLBACK, AZURE):
        names = set(re.findall(r"^\s+([A-Z_]+): \$(?:\{\{ (?:vars|secrets)\.|\()", file.read_text(), re.M))
        ours = {name for name in names if not name.startswith("GROUP_AWS_")} - {"KUBECONFIG_TEXT"}
        assert ours and ours <= parameters, ours - parameters
        assert not {name for name in re.findall(r"ASKED_FOR_\w+", file.read_text())} & parameters
    header = AZURE.read_text().split("parameters:")[0]
    assert {name for name in re.findall(r"\b(?:STAGING|PRODUCTION|MIGRATION|COMPOSE)_[A-Z_]+\b", header)} <= parameters
    assert (EVERYWHERE | ROLLBACKS | INSTANCE).keys() <= parameters


# ---- Logins -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host, name", [(host, name) for host in HOSTS for name in JOBS])
def test_a_kubeconfigs_text_becomes_a_private_file_of_the_job_and_goes_no_further(run, tmp_path, host, name):
    text = '{"apiVersion": "v1",\n  "users": ["$(id)"]}'
    seen = run(host, name, made={"KUBECONFIG_TEXT": text} if host == "github" else {"KUBECONFIG_TEXT": text.replace("\n", "")}).seen
    login = next(tmp_path.glob("run*")) / "login"
    assert login.read_text().replace("\n", "") == text.replace("\n", "") and stat.S_IMODE(login.stat().st_mode) == 0o600
    assert seen["KUBECONFIG"].startswith(str(tmp_path)) and "/temp/" in seen["KUBECONFIG"] and "KUBECONFIG_TEXT" not in seen


@pytest.mark.parametrize("host", HOSTS)
def test_without_a_text_the_runners_own_login_stays(run, host):
    own = {"KUBECONFIG": "/home/runner/.kube/config", "AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "own", "AWS_REGION": "eu-central-1"}
    seen = run(host, "Rollback", own=own).seen
    assert {key: seen.get(key) for key in own} == own


@pytest.mark.parametrize("name", JOBS)
def test_credentials_of_the_variable_group_reach_every_step_in_azure(run, name):
    made = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_REGION": "eu-central-1"}
    seen = run("azure", name, made=made, own={"AWS_SECRET_ACCESS_KEY": "the agent's"}).seen
    assert {key: seen.get(key) for key in made} == made and not [key for key in seen if key.startswith("GROUP_")]


@pytest.mark.parametrize("file, jobs", [(MIGRATE, 3), (ROLLBACK, 1)], ids=["migrate", "rollback"])
def test_a_role_in_aws_is_taken_by_web_identity_and_only_where_one_is_named(file, jobs):
    text = file.read_text()
    assert re.search(r"^permissions:\n  contents: read\n  id-token: write", text, re.M)
    roles = re.findall(r"      - name: Role in AWS\n        if: (.*)\n        uses: aws-actions/configure-aws-credentials@v\d+\n        with:\n((?:          .*\n)+)      - name: (.*)\n", text)
    assert len(roles) == jobs
    for condition, settings, following in roles:
        assert condition == "${{ vars.AWS_ROLE_ARN != '' }}" and following in JOBS
        assert "role-to-assume: ${{ vars.AWS_ROLE_ARN }}" in settings and "aws-region: ${{ vars.AWS_REGION }}" in settings and "access-key" not in settings


# ---- What is refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host, name", [(host, name) for host in HOSTS for name in JOBS])
def test_without_its_database_nothing_runs_on_the_local_stack_instead(run, host, name):
    missing = run(host, name, PRODUCTION, made={"PRODUCTION_DATABASE_URL": ""} if host == "github" else {"PRODUCTION_DATABASE_URL": "$(PRODUCTION_DATABASE_URL)"})
    assert missing.code != 0 and missing.asked is None and "PRODUCTION_DATABASE_URL" in missing.error
