"""build.sh, run as people run it: in scratch copies of the house with a trivial host.

Most tests put a stand-in for `dotnet` on the PATH that answers as the real one was seen to answer (NU1101, NU1301, 401), so that
they take milliseconds and need no registry. The class `WithTheRealSdk` compiles a real project against folders as package sources.

Run: /usr/bin/python3 -m pytest tests/Bootstrap
"""

import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
HOUSE_FILES = ["build.sh", "Directory.Build.props", "Directory.Packages.props", "global.json", "BannedSymbols.txt", ".editorconfig"]

NUKE_MISSING = "{root}/build/_build.csproj : error NU1101: Unable to find package Nuke.Common. No packages exist with this id in source(s): nuget.org"
RDS_MISSING = (
    "{root}/build/Aragora.Runbook/Aragora.Runbook.csproj : error NU1101: Unable to find package AWSSDK.RDS. "
    "No packages exist with this id in source(s): nuget.org [{root}/build/_build.csproj]"
)
RDS_TOO_OLD = (
    "{root}/build/_build.csproj : error NU1102: Unable to find package AWSSDK.RDS with version (>= 4.0.14)\n"
    "{root}/build/_build.csproj : error NU1102:   - Found 2 version(s) in nuget.org [ Nearest version: 3.7.0 ]"
)
OTHER_MISSING = "{root}/build/_build.csproj : error NU1101: Unable to find package Npgsql. No packages exist with this id in source(s): nuget.org"
UNREACHABLE = (
    "{root}/build/_build.csproj : error NU1301: Unable to load the service index for source https://127.0.0.1:9/v3/index.json.\n"
    "{root}/build/_build.csproj : error NU1301:   Connection refused (127.0.0.1:9)"
)
UNAUTHORIZED = (
    "{root}/build/_build.csproj : error NU1301: Unable to load the service index for source https://registry.example/v3/index.json.\n"
    "{root}/build/_build.csproj : error NU1301:   Response status code does not indicate success: 401 (Unauthorized)."
)

# The stand-in. `says/<switches>` holds what a build with these switches answers before it fails; without that file it succeeds.
FAKE_DOTNET = r"""#!/usr/bin/env bash
here=$(dirname "$(readlink -f "$0")")
printf '%s\n' "$*" >> "$here/calls"
case $1 in
    --version) [ ! -f "$here/broken" ] || exit 1; echo 10.0.100; exit ;;
    build)
        env > "$here/compile.env"
        for a in "$@"; do
            case $a in
                -p:ArtifactsPath=*) out=${a#*=} ;;
                -p:PackagedNuke=*) nuke=${a#*=} ;;
                -p:PackagedRds=*) rds=${a#*=} ;;
            esac
        done
        out=${out//%2C/,} out=${out//%3B/;} out=${out//%25/%}
        mkdir -p "$out/bin/_build/release" || exit 1
        sleep "$(cat "$here/slow" 2>/dev/null || echo 0)"
        if [ -f "$here/says/$nuke-$rds" ]; then cat "$here/says/$nuke-$rds"; exit 1; fi
        echo "half" > "$out/bin/_build/release/_build.dll"
        sleep "$(cat "$here/slow" 2>/dev/null || echo 0)"
        echo "whole nuke=$nuke rds=$rds" > "$out/bin/_build/release/_build.dll"
        echo "{}" > "$out/bin/_build/release/_build.runtimeconfig.json"
        ;;
    *_build.dll)
        echo "host $1"
        cat "$1"
        echo "PackagedNuke=$PackagedNuke PackagedRds=$PackagedRds DOTNET_EXE=$DOTNET_EXE telemetry=$NUKE_TELEMETRY_OPTOUT"
        shift
        for a in "$@"; do printf 'arg <%s>\n' "$a"; done
        [ "${1:-}" != wait ] || { trap 'echo interrupted; exit 130' INT TERM; echo waiting; while :; do sleep 0.1; done; }
        [ "${1:-}" != exit ] || exit "$2"
        ;;
    *) exit 9 ;;
esac
"""


class House:
    """A scratch copy of the repository with a trivial host, and a stand-in SDK beside it."""

    def __init__(self, parent: Path, name: str = "house", real: bool = False):
        self.root = parent / name
        self.root.mkdir(parents=True)
        for file in HOUSE_FILES:
            shutil.copy(HOUSE / file, self.root / file)
        (self.root / ".nuke").mkdir()
        (self.root / ".nuke/parameters.json").write_text("{}")
        for project in ["build/_build.csproj", "build/Aragora.Runbook/Aragora.Runbook.csproj", "build/dropins/Nuke.Common/Nuke.Common.csproj"]:
            self.write(project, '<Project Sdk="Microsoft.NET.Sdk" />\n')
        self.write("build/dropins/AWSSDK.RDS/AWSSDK.RDS.csproj", '<Project Sdk="Microsoft.NET.Sdk" />\n')
        self.write("build/Program.cs", "return 0;\n")
        self.env = {k: v for k, v in os.environ.items() if not re.match(r"(?i)packaged|dotnet_root|dotnet_exe|nuget_packages|version$", k)}
        self.sdk = None if real else self.fake_sdk(parent / "fake sdk")

    def fake_sdk(self, folder: Path) -> Path:
        (folder / "sdk/10.0.100").mkdir(parents=True)
        (folder / "sdk/10.0.100/dotnet.dll").write_text("")
        (folder / "says").mkdir()
        (folder / "dotnet").write_text(FAKE_DOTNET)
        (folder / "dotnet").chmod(0o755)
        self.env["PATH"] = f"{folder}:/usr/local/bin:/usr/bin:/bin"
        return folder

    @property
    def temp(self) -> Path:
        return self.root / ".nuke/temp"

    def write(self, path: str, text: str):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *arguments: str, cwd=None, env=None, check: bool = True, **more):
        done = subprocess.run(
            [str(self.root / "build.sh"), *arguments], cwd=cwd or self.root, env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, **more)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, *arguments: str, **more):
        return subprocess.Popen(
            [str(self.root / "build.sh"), *arguments], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more)

    def says(self, text: str, nuke: bool = True, rds: bool = True):
        (self.sdk / "says" / f"{nuke}-{rds}".lower()).write_text(text.format(root=self.root) + "\n")

    def compilations(self) -> int:
        calls = self.sdk / "calls"
        return sum(line.startswith("build ") for line in calls.read_text().splitlines()) if calls.exists() else 0

    def builds(self):
        return sorted(p for p in (self.temp / "build").glob("*")) if (self.temp / "build").exists() else []

    def leftovers(self):
        return list(self.temp.glob("compile.*"))


@pytest.fixture
def folder():
    # Not pytest's own: it lies below a 0700 folder, and some tests run as another user.
    path = Path(tempfile.mkdtemp(prefix="bootstrap-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def house(folder):
    return House(folder)


def is_running(command: bytes) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if command in file.read_bytes():
                return True
        except OSError:
            continue  # it has ended meanwhile
    return False


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


# ---- Cold and warm --------------------------------------------------------------------------------------------------------------


def test_the_first_run_compiles_and_the_next_one_starts_no_compiler(house):
    first = house.run("Contacts")
    assert "compiling (first run or sources changed)" in first.stderr and re.search(r"compiled in \d+ s", first.stderr)
    second = house.run("Contacts")
    assert house.compilations() == 1
    assert second.stderr == "" and "arg <Contacts>" in second.stdout
    assert len(house.builds()) == 1 and not house.leftovers()
    assert f"host {house.builds()[0]}/_build.dll" in second.stdout


def test_touching_every_file_compiles_nothing(house):
    house.run()
    for file in house.root.rglob("*"):
        if ".nuke" not in file.parts:
            os.utime(file, (1, 1))
    house.run()
    assert house.compilations() == 1


@pytest.mark.parametrize("path", ["build/Program.cs", "build/Aragora.Runbook/New.cs", "Directory.Build.props", "Directory.Packages.props", "global.json",
                                  "BannedSymbols.txt", ".editorconfig", "nuget.config", "NuGet.Config", "build/with space ü.cs"])
def test_a_change_of_content_compiles_again(house, path):
    house.run()
    file = house.root / path
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "\n")
    house.run()
    assert house.compilations() == 2


def test_a_renamed_and_a_removed_file_compile_again_and_going_back_does_not(house):
    house.run()
    (house.root / "build/Program.cs").rename(house.root / "build/Main.cs")
    house.run()
    assert house.compilations() == 2
    (house.root / "build/Main.cs").rename(house.root / "build/Program.cs")
    house.run()
    assert house.compilations() == 2


@pytest.mark.parametrize("path", ["build/bin/x.dll", "build/Aragora.Runbook/obj/project.assets.json", "build/.Program.cs.swp", "artifacts/x", "tests/X.cs", "README.md"])
def test_what_is_not_compiled_does_not_count(house, path):
    house.run()
    house.write(path, "something")
    house.run()
    assert house.compilations() == 1


def test_another_sdk_compiles_again_and_an_unfit_one_does_not(house):
    house.run()
    for unfit in ["9.0.305", "10.1.100", "10.0.099"]:
        (house.sdk / "sdk" / unfit).mkdir()
        (house.sdk / "sdk" / unfit / "dotnet.dll").write_text("")
    house.run()
    assert house.compilations() == 1
    (house.sdk / "sdk/10.0.205").mkdir()
    (house.sdk / "sdk/10.0.205/dotnet.dll").write_text("")
    house.run()
    assert house.compilations() == 2


def test_dotnet_itself_is_asked_where_folders_do_not_tell(house):
    (house.sdk / "sdk/10.0.200-preview.1").mkdir()
    (house.sdk / "sdk/10.0.200-preview.1/dotnet.dll").write_text("")
    house.run()
    assert "--version" in (house.sdk / "calls").read_text()


# ---- What is handed on ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 130, 255])
def test_the_exit_code_is_the_hosts(house, code):
    assert house.run("exit", str(code), check=False).returncode == code


def test_arguments_arrive_as_they_were_given(house):
    given = ["Rollback", "--revision", "-1", "--message", "two words", "", "*", 'quo"te', "$HOME", "ü"]
    out = house.run(*given).stdout
    assert re.findall(r"arg <(.*)>", out) == given + ["--root", str(house.root)]
    assert out.count("--root") == 1 and house.run("X", "--Root", "/elsewhere").stdout.lower().count("--root") == 1


def test_switches_and_telemetry_reach_the_host(house):
    out = house.run(env={"PackagedNuke": "FALSE"}).stdout
    assert f"PackagedNuke=false PackagedRds=true DOTNET_EXE={house.sdk}/dotnet telemetry=1" in out


def test_it_works_from_anywhere_and_through_links(house, folder):
    house.run(cwd="/")
    link = folder / "link.sh"
    link.symlink_to(house.root / "build.sh")
    by_link = subprocess.run(["bash", str(link)], cwd=folder, env=house.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    relative = subprocess.run(["bash", "build.sh"], cwd=house.root, env={**house.env, "CDPATH": "/:/tmp"}, capture_output=True, text=True)
    plain_sh = subprocess.run(["sh", "build.sh"], cwd=house.root, env=house.env, capture_output=True, text=True)
    for done in (by_link, relative, plain_sh):
        assert done.returncode == 0 and f"host {house.builds()[0]}" in done.stdout, done.stderr
    assert house.compilations() == 1


def test_the_host_is_started_by_its_real_path(folder):
    house = House(folder)
    (folder / "big disk").mkdir()
    house.temp.symlink_to(folder / "big disk")
    (folder / "alias").symlink_to(house.root)
    done = subprocess.run([str(folder / "alias/build.sh")], env=house.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert f"host {folder}/big disk/build/" in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["two words", "Übergröße 日本", "it's; 100% a,b & (c)", "-dash", "[x]*"])
def test_strange_paths(folder, name):
    house = House(folder, name)
    house.says(NUKE_MISSING)
    house.run(cwd="/")
    assert house.run("exit", "3", check=False).returncode == 3
    assert house.compilations() == 2 and not house.leftovers()


def test_foreign_locale_and_no_home(house):
    house.run(env={"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE"})
    house.run(env={"LC_ALL": "C", "TZ": "Asia/Kathmandu"})
    env = dict(house.env)
    house.env.pop("HOME")
    house.run()
    assert house.compilations() == 1
    house.env = env


def test_variables_that_msbuild_would_take_for_properties_do_not_reach_it(house):
    house.run(env={"VERSION": "abc", "Platform": "BPC", "OutputPath": "/tmp/x", "MSBuildSDKsPath": "/x", "SOMETHING": "1"})
    seen = (house.sdk / "compile.env").read_text()
    assert "SOMETHING=1" in seen and not re.search(r"(?mi)^(version|platform|outputpath|msbuildsdkspath)=", seen)


# ---- The two packages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer, nuke, rds", [
    (NUKE_MISSING, False, True), (RDS_MISSING, True, False), (NUKE_MISSING + "\n" + RDS_MISSING, False, False), (RDS_TOO_OLD, True, False)])
def test_what_the_registry_lacks_is_switched_off_and_remembered(house, answer, nuke, rds):
    house.says(answer)
    first = house.run()
    switches = f"nuke={nuke} rds={rds}".lower()
    assert switches in first.stdout
    assert ("Nuke.Common 10.1.0 is not in this registry: using build/dropins/Nuke.Common" in first.stderr) is not nuke
    assert ("AWSSDK.RDS 4.0.14 is not in this registry: using build/dropins/AWSSDK.RDS" in first.stderr) is not rds
    assert house.compilations() == 2 and len(house.builds()) == 1
    again = house.run()
    assert switches in again.stdout and again.stderr == "" and house.compilations() == 2
    props = (house.temp / "packages.props").read_text()
    assert re.search(r"<BootstrapSources>[0-9a-f]{64}</BootstrapSources>", props)
    assert ("<PackagedNuke Condition=\"'$(PackagedNuke)' == ''\">false<" in props) is not nuke
    assert ("<PackagedRds Condition=\"'$(PackagedRds)' == ''\">false<" in props) is not rds


def test_the_registry_is_asked_again_when_sources_change(house):
    house.says(NUKE_MISSING)
    house.run()
    house.write("build/Program.cs", "return 1;\n")
    house.run()
    assert house.compilations() == 4  # asked, switched; asked, switched
    (house.sdk / "says/true-true").unlink()  # the registry has it by now
    house.write("build/Program.cs", "return 2;\n")
    assert "whole nuke=true rds=true" in house.run().stdout
    assert house.compilations() == 5 and not (house.temp / "packages.props").exists()


def test_the_remembered_choice_outlives_the_sdk(house):
    house.says(NUKE_MISSING)
    house.run()
    (house.sdk / "sdk/10.0.205").mkdir()
    (house.sdk / "sdk/10.0.205/dotnet.dll").write_text("")
    house.run()
    assert house.compilations() == 3


@pytest.mark.parametrize("answer, hint", [
    (NUKE_MISSING + "\n" + UNREACHABLE, "did not answer"), (UNREACHABLE, "did not answer"), (UNAUTHORIZED, "refused us"),
    (NUKE_MISSING + "\n" + OTHER_MISSING, "dotnet nuget add source"), (OTHER_MISSING, "dotnet nuget add source"),
    (NUKE_MISSING + "\n{root}/x.csproj : error NU1605: Detected package downgrade", "did not compile"),
    (NUKE_MISSING + "\n{root}/x.csproj : warning NU1801: Unable to load the service index", "did not answer"),
    ("{root}/build/Program.cs(1,1): error CS1002: ; expected", "did not compile")])
def test_any_other_failure_is_shown_whole_and_switches_nothing(house, answer, hint):
    house.says(answer)
    done = house.run(check=False)
    assert done.returncode == 1 and house.compilations() == 1
    for line in answer.format(root=house.root).splitlines():
        assert line in done.stderr
    assert hint in done.stderr
    assert not (house.temp / "packages.props").exists() and not house.builds() and not house.leftovers()


def test_the_environment_forces_either(house):
    house.says(NUKE_MISSING)
    assert "nuke=false rds=true" in house.run(env={"PackagedNuke": "False"}).stdout and house.compilations() == 1
    forced = house.run(env={"PACKAGEDNUKE": "true"}, check=False)
    assert forced.returncode == 1 and "because the environment says so" in forced.stderr and "NU1101" in forced.stderr
    assert not (house.temp / "packages.props").exists()
    house.run()  # asked, switched: the very build that was forced before
    assert house.compilations() == 3 and len(house.builds()) == 1
    assert "nuke=false rds=false" in house.run(env={"PackagedRds": "false"}).stdout


@pytest.mark.parametrize("name", ["PackagedNuke", "PackagedRds", "PACKAGEDRDS"])
@pytest.mark.parametrize("value", ["yes", "0", " true"])
def test_a_wrong_value_is_an_error_and_nothing_is_done(house, name, value):
    done = house.run(env={name: value}, check=False)
    assert done.returncode == 2 and name in done.stderr and "true or false" in done.stderr
    assert house.compilations() == 0 and not house.temp.exists()


def test_an_empty_value_is_none_and_two_spellings_must_agree(house):
    assert "nuke=true" in house.run(env={"PackagedNuke": ""}).stdout
    assert house.run(env={"PackagedNuke": "true", "PACKAGEDNUKE": "false"}, check=False).returncode == 2


# ---- Two at once, and what is killed --------------------------------------------------------------------------------------------


def test_two_cold_starts_at_once_both_succeed_and_leave_one_whole_build(house):
    house.says(NUKE_MISSING)
    (house.sdk / "slow").write_text("0.4")
    runs = [house.start("Contacts") for _ in range(4)]
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0 and "whole nuke=false" in out, err
    assert len(house.builds()) == 1 and not house.leftovers()
    assert sorted(p.name for p in house.builds()[0].iterdir()) == [".last-used", "_build.dll", "_build.runtimeconfig.json"]


@pytest.mark.parametrize("sign, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_compilation_leaves_nothing_and_ends_its_compiler(house, sign, code):
    (house.sdk / "slow").write_text("30.25")
    run = house.start()
    wait_for(lambda: house.leftovers() and house.compilations())
    os.killpg(run.pid, sign)
    out, _ = run.communicate(timeout=20)
    assert run.returncode == code and out == ""
    assert not house.builds() and not house.leftovers()
    if Path("/proc/self/cmdline").exists():
        wait_for(lambda: not is_running(b"sleep\x0030.25"))


@pytest.mark.parametrize("sign, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_reaches_the_script_alone_ends_its_compiler_as_well(house, sign, code):
    asleep = f"30.{code}"
    (house.sdk / "slow").write_text(asleep)
    run = house.start()
    wait_for(lambda: is_running(f"sleep\0{asleep}".encode()))
    run.send_signal(sign)
    out, _ = run.communicate(timeout=20)
    assert run.returncode == code and out == ""
    assert not house.builds() and not house.leftovers()
    wait_for(lambda: not is_running(f"sleep\0{asleep}".encode()))


def test_a_killed_compilation_leaves_nothing_that_looks_whole_and_is_swept_up(house):
    (house.sdk / "slow").write_text("3")
    run = house.start()
    wait_for(lambda: list(house.temp.glob("compile.*/*/bin/_build/release/_build.dll")))
    run.kill()
    run.communicate()
    assert not house.builds() and house.leftovers()
    (house.sdk / "slow").write_text("0")
    assert "whole" in house.run().stdout
    time.sleep(3.1)  # the orphaned compiler has ended by now, too
    house.write("build/Program.cs", "return 1;\n")
    house.run()
    assert not house.leftovers()


def test_ctrl_c_reaches_the_host(house):
    house.run()
    run = house.start("wait")
    assert run.stdout.readline().startswith("host ")
    wait_for(lambda: run.stdout.readline() == "waiting\n")
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=20)
    assert "interrupted" in out and run.returncode == 130


def test_a_broken_build_is_replaced(house):
    house.run()
    (house.builds()[0] / "_build.dll").write_text("")
    assert "whole" in house.run().stdout and len(house.builds()) == 1


def test_old_builds_go_and_what_was_used_lately_stays(house):
    house.run()
    current = house.builds()[0]
    for number in range(8):
        old = house.temp / "build" / f"old{number}"
        old.mkdir()
        (old / "_build.dll").write_text("x")
        (old / ".last-used").write_text("")
        os.utime(old / ".last-used", (time.time() - (3 if number < 6 else 0.5) * 86400 - number,) * 2)
    (house.temp / "build/old5/.last-used").write_text(f"{os.getpid()}\n")  # someone still runs from it
    os.utime(house.temp / "build/old5/.last-used", (time.time() - 3 * 86400 - 5,) * 2)
    house.write("build/Program.cs", "return 1;\n")
    house.run()
    kept = {p.name for p in house.builds()}
    # The five used last: the new one, the current one, old6, old7, old0; and old5, which is in use.
    assert current.name in kept and len(kept) == 6 and {"old0", "old5", "old6", "old7"} < kept


# ---- No SDK ---------------------------------------------------------------------------------------------------------------------


def without_dotnet(house, folder, installer):
    """A PATH with the usual tools, no dotnet, and a curl that brings the given text (or fails)."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in ["bash", "sh", "find", "xargs", "sort", "sha256sum", "mktemp", "mkdir", "rm", "mv", "cat", "ls", "tail", "head", "sed", "awk", "grep", "id",
                 "dirname", "readlink", "sleep", "env", "chmod", "cp", "ln"]:
        (tools / tool).symlink_to(shutil.which(tool))
    if installer is None:
        (tools / "curl").write_text("#!/bin/sh\necho 'curl: (6) Could not resolve host: dot.net' >&2\nexit 6\n")
    else:
        (folder / "installer").write_text(installer)
        (tools / "curl").write_text(f'#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ncp "{folder}/installer" "$2"\n')
    (tools / "curl").chmod(0o755)
    house.env["PATH"] = str(tools)


def test_without_an_sdk_it_is_fetched_once(house, folder):
    without_dotnet(house, folder, '#!/usr/bin/env bash\n[ "$1 $2 $3" = "--version 10.0.100 --install-dir" ] && cp -r "' + str(folder) + '/fake sdk" "$4"\n')
    done = house.run()
    assert "fetching it from https://dot.net/v1/dotnet-install.sh" in done.stderr
    assert f"DOTNET_EXE={house.temp}/dotnet-sdk/dotnet" in done.stdout
    assert house.run().stderr == "" and not house.leftovers()


@pytest.mark.parametrize("installer, said", [(None, "Could not resolve host"), ("<html>Log in</html>\n", "is no script"), ("#!/bin/sh\necho no disk; exit 1\n", "no disk")])
def test_an_sdk_that_cannot_be_fetched_is_asked_for(house, folder, installer, said):
    without_dotnet(house, folder, installer)
    done = house.run(check=False)
    assert done.returncode == 1 and said in done.stderr
    assert "10.0.100" in done.stderr and "Install it" in done.stderr and "brew install" in done.stderr
    assert not (house.temp / "dotnet-sdk").exists() and not house.leftovers()


def test_an_sdk_that_is_too_old_is_none(house, folder):
    (house.sdk / "sdk/10.0.100").rename(house.sdk / "sdk/9.0.300")
    done = house.run(check=False, env={"PATH": f"{house.sdk}:{house.env['PATH']}", "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"})
    assert done.returncode == 1 and "Install it" in done.stderr


# ---- Someone else's files ---------------------------------------------------------------------------------------------------------

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an ordinary user")


def ordinary(house, *arguments, **more):
    user = pwd.getpwnam("nobody")
    return house.run(*arguments, check=False, user=user.pw_uid, group=user.pw_gid, extra_groups=[], **more)


@as_root
def test_an_ordinary_user_starts_what_root_compiled_and_is_told_how_to_take_it_over(house):
    house.run()
    done = ordinary(house, "exit", "3")
    assert done.returncode == 3 and house.compilations() == 1
    assert f"{house.temp} belongs to root, and you are nobody" in done.stderr and f"sudo chown -R nobody {house.temp}" in done.stderr


@as_root
def test_an_ordinary_user_who_has_to_compile_in_roots_folder_is_told_what_to_type(house):
    house.run()
    house.write("build/Program.cs", "return 1;\n")
    (house.sdk / "calls").chmod(0o666)
    done = ordinary(house)
    assert done.returncode == 1 and house.compilations() == 1
    assert "cannot compile" in done.stderr and f"sudo chown -R nobody {house.temp}" in done.stderr


@as_root
def test_one_folder_of_roots_deep_inside_is_named(house):
    nobody = pwd.getpwnam("nobody")
    (house.temp / "dotnet/mode/obj").mkdir(parents=True)
    for at in [house.temp, house.temp / "dotnet", house.temp / "dotnet/mode"]:
        os.chown(at, nobody.pw_uid, nobody.pw_gid)
    done = ordinary(house)
    assert done.returncode == 1 and f"{house.temp}/dotnet/mode/obj belongs to root" in done.stderr
    assert f"sudo chown -R nobody {house.temp}" in done.stderr


@as_root
def test_a_read_only_clone_says_so(house):
    done = ordinary(house)
    assert done.returncode == 1 and f"{house.root}/.nuke belongs to root, and you are nobody" in done.stderr


@as_root
def test_a_home_that_cannot_be_written_is_replaced_and_keeps_its_package_sources(house, folder):
    nobody = pwd.getpwnam("nobody")
    os.chown(house.root / ".nuke", nobody.pw_uid, nobody.pw_gid)
    os.chmod(house.sdk, 0o777)
    home = folder / "home"
    (home / ".nuget/NuGet").mkdir(parents=True)
    (home / ".nuget/NuGet/NuGet.Config").write_text("<configuration/>")
    done = ordinary(house, env={"HOME": str(home)})
    assert done.returncode == 0, done.stderr
    seen = (house.sdk / "compile.env").read_text()
    assert f"DOTNET_CLI_HOME={house.temp}/home" in seen and f"HOME={home}\n" in seen
    assert (house.temp / "home/.nuget/NuGet/NuGet.Config").read_text() == "<configuration/>"


# ---- With the real SDK --------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("dotnet") is None, reason="needs the .NET SDK")
class TestWithTheRealSdk:
    @pytest.fixture
    def real(self, folder):
        house = House(folder, "a real house", real=True)
        # The house's properties without its analyzers: they would have to come from a registry.
        props = (HOUSE / "Directory.Build.props").read_text()
        house.write("Directory.Build.props", re.sub(r"<ItemGroup>.*</ItemGroup>", "", props, flags=re.S))
        house.write("build/_build.csproj", """<Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup><OutputType>Exe</OutputType><AssemblyName>_build</AssemblyName><EnableDefaultCompileItems>false</EnableDefaultCompileItems></PropertyGroup>
          <ItemGroup><Compile Include="Program.cs" /></ItemGroup>
          <ItemGroup Condition="'$(PackagedNuke)' == 'true'"><PackageReference Include="Nuke.Common" /></ItemGroup>
          <ItemGroup Condition="'$(PackagedNuke)' != 'true'"><ProjectReference Include="dropins/Nuke.Common/Nuke.Common.csproj" /></ItemGroup>
          <ItemGroup Condition="'$(PackagedRds)' == 'true'"><PackageReference Include="AWSSDK.RDS" /></ItemGroup>
        </Project>""")
        house.write("build/dropins/Nuke.Common/Which.cs", 'namespace Nuke.Common; public static class Which { public const string Kind = "dropin"; }')
        house.write("build/Program.cs", """
            System.Console.WriteLine(Nuke.Common.Which.Kind + " " + (System.Reflection.Assembly.GetEntryAssembly()!.Location == System.Environment.GetCommandLineArgs()[0]));
            return int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);""")
        (folder / "packages").mkdir()
        self.sources(house, folder / "packages")
        house.env["NUGET_PACKAGES"] = str(folder / "cache")
        return house

    @staticmethod
    def sources(house, *folders):
        keys = "".join(f'<add key="s{i}" value="{f}" />' for i, f in enumerate(folders))
        house.write("nuget.config", f"<configuration><packageSources><clear />{keys}</packageSources></configuration>")

    @staticmethod
    def pack(house, package, version, folder):
        project = folder / package / f"{package}.csproj"
        project.parent.mkdir(parents=True)
        project.write_text(f'<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><Version>{version}</Version>'
                           f'<PackageOutputPath>{folder}/packages</PackageOutputPath><NuGetAudit>false</NuGetAudit></PropertyGroup></Project>')
        (project.parent / "Which.cs").write_text('namespace Nuke.Common; public static class Which { public const string Kind = "package"; }')
        (project.parent / "nuget.config").write_text((house.root / "nuget.config").read_text())
        subprocess.run(["dotnet", "pack", "-v:q", "--nologo", "-nodeReuse:false"], cwd=project.parent, env=house.env, check=True,
                       capture_output=True, stdin=subprocess.DEVNULL)

    def test_an_empty_registry_a_full_one_and_a_dead_one(self, real, folder):
        empty = real.run("5", check=False)
        assert empty.returncode == 5 and empty.stdout == "dropin True\n", empty.stderr
        assert "Nuke.Common 10.1.0 is not in this registry" in empty.stderr and "AWSSDK.RDS 4.0.14 is not in this registry" in empty.stderr
        warm = real.run("0")
        assert warm.stdout == "dropin True\n" and warm.stderr == ""
        # The registry gets one of the two: the same sources stay as they are, changed ones see it.
        self.pack(real, "Nuke.Common", "10.1.0", folder)
        assert real.run("0").stdout == "dropin True\n"
        real.write("build/Program.cs", (real.root / "build/Program.cs").read_text() + "\n")
        full = real.run("0")
        assert full.stdout == "package True\n" and "AWSSDK.RDS 4.0.14 is not" in full.stderr and "Nuke.Common" not in full.stderr
        # A source that is not there: nothing is concluded from it.
        self.sources(real, folder / "packages", folder / "gone")
        dead = real.run("0", check=False)
        assert dead.returncode == 1 and "NU1301" in dead.stderr and "did not answer" in dead.stderr
        # A compile error is shown whole.
        self.sources(real, folder / "packages")
        real.write("build/Program.cs", "nonsense\n")
        wrong = real.run("0", check=False)
        assert wrong.returncode == 1 and "error CS" in wrong.stderr and not real.leftovers()


# ---- The definitions of the CI hosts ------------------------------------------------------------------------------------------------

WORKFLOWS = sorted((HOUSE / ".github/workflows").glob("*.yml")) + [HOUSE / "azure-pipelines.yml"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.name)
def test_no_expression_is_pasted_into_a_script(file):
    """`${{ inputs.x }}` inside a run script is how a release manager's typing becomes a command."""
    block = None
    for number, line in enumerate(file.read_text().splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        start = re.match(r"\s*(?:- )?(run|bash|script|pwsh|powershell):(.*)", line)
        if start:
            block = line.index(start.group(1))
        if block is not None:
            assert "${{" not in line and not re.search(r"\$\((?!\()[A-Za-z.]+\)", line), f"{file.name}:{number}: {line.strip()}"


def test_the_starting_parameters_file_is_valid():
    assert json.loads((HOUSE / ".nuke/parameters.json").read_text())["$schema"] == "./build.schema.json"


def test_the_scripts_are_executable_and_ascii_where_windows_needs_it():
    assert os.stat(HOUSE / "build.sh").st_mode & stat.S_IXUSR
    script = (HOUSE / "build.ps1").read_bytes()
    script.decode("ascii")  # Windows PowerShell 5.1 reads a file without a mark in the machine's code page
    assert b"\n" in script and script.count(b"\n") == script.count(b"\r\n")


# ---- What CI runs -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("summary, fails, code, last", [
    ('{"passed": 12, "failed": 0, "skipped": 3}', "nothing", 0, "12 passed, 0 failed, 3 skipped"),
    ('{\n  "skipped": 0,\n  "failed": 0,\n  "passed": 7\n}\n', "Rollback", 4, "7 passed, 0 failed, 0 skipped"),
    ('{"passed":5,"failed":2,"skipped":1}', "Test", 4, "5 passed, 2 failed, 1 skipped"),
    ('{"passed":5,"failed":2,"skipped":1}', "nothing", 1, "5 passed, 2 failed, 1 skipped"),
    ('{"passed":0,"failed":0,"skipped":0}', "nothing", 1, "0 passed, 0 failed, 0 skipped"),
    ("{}", "nothing", 1, None), ("", "Test", 4, None)])
def test_ci_ends_with_the_count_of_the_results_and_is_red_when_anything_failed(folder, summary, fails, code, last):
    (folder / "artifacts/tests").mkdir(parents=True)
    (folder / "artifacts/tests/summary.json").write_text('{"passed":999,"failed":0,"skipped":0}')  # an old one
    (folder / "summary").write_text(summary)
    tools = ci(folder, '#!/bin/bash\necho "$*" >> asked\n'
               'if [ "$1" = Test ]; then mkdir -p artifacts/tests; cat summary > artifacts/tests/summary.json; printf none > artifacts/tests/other-postgres; fi\n'
               f'[ "$1" != {fails} ] || exit 4\n')
    done = run_ci(folder, tools)
    assert done.returncode == code, done.stdout + done.stderr
    if last:
        assert done.stdout.splitlines()[-1] == last
    else:
        assert " passed, " not in done.stdout
    asked = (folder / "asked").read_text().splitlines()
    everything = ["Test", "MigrateProduction", "Rollback --strategy Downgrade --revision -1 --accept-data-loss", "LocalDown"]
    assert asked == everything[:len(asked)] and (fails != "nothing" or asked == everything)


def ci(folder: Path, build: str) -> Path:
    """A checkout with .ci/run and a stand-in for build.sh, and the tools for it: no apt-get, for a test installs nothing."""
    (folder / ".ci").mkdir()
    shutil.copy(HOUSE / ".ci/run", folder / ".ci/run")
    (folder / "build.sh").write_text(build)
    (folder / "build.sh").chmod(0o755)
    tools = folder / "tools"
    tools.mkdir()
    for tool in ["bash", "date", "dirname", "rm", "id", "mktemp", "cat", "mkdir"]:
        (tools / tool).symlink_to(shutil.which(tool))
    return tools


def run_ci(folder: Path, tools: Path):
    return subprocess.run(["/bin/bash", ".ci/run"], cwd=folder, env={"PATH": str(tools), "CI": "true"}, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("found, code, said", [
    ("release", 0, "the tests ran on postgres (PostgreSQL) 15.20 as well, unpacked in "),
    ("none", 0, "there is none beside the installed one"), ("missed", 1, "none could be fetched"), ("", 1, "none could be fetched")])
def test_ci_runs_the_runbook_on_the_other_minor_version_too_and_is_red_where_one_was_missed(folder, found, code, said):
    release = folder / "release"
    release.mkdir()
    (release / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.20'\n")
    (release / "postgres").chmod(0o755)
    tools = ci(folder, '#!/bin/bash\necho "${PATH%%:*} $1" >> asked\n'
               'if [ "$1" = Test ]; then mkdir -p artifacts/tests; echo \'{"passed":1,"failed":0,"skipped":0}\' > artifacts/tests/summary.json\n'
               f'printf %s "{release if found == "release" else found}" > artifacts/tests/other-postgres; fi\n')
    done = run_ci(folder, tools)
    asked = (folder / "asked").read_text().splitlines()
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    if found == "release":
        assert asked[-2:] == [f"{release} MigrateProduction", f"{tools} LocalDown"]
    else:
        assert not any(str(release) in line for line in asked)


class Apt:
    """build/install-packages with stand-ins for apt-get and dpkg-query, whose answers a test gives."""

    ASKED = "-o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold -o APT::Get::Upgrade-By-Source-Package=false "

    def __init__(self, folder: Path, simulation: str, fails_until_update: bool = False):
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir()
        (folder / "simulation").write_text(simulation)
        self.stand_in(
            "apt-get",
            f'printf "%s\\n" "$*" >> {folder}/asked\n'
            f'case "$*" in *update*) touch {folder}/updated; exit ;; esac\n'
            + (f'[ -e {folder}/updated ] || {{ echo "E: Unable to locate package"; exit 100; }}\n' if fails_until_update else "")
            + f'case "$*" in *--simulate*) cat {folder}/simulation ;; esac\n')
        self.owns({})

    def stand_in(self, name: str, script: str):
        (self.tools / name).write_text("#!/bin/bash\n" + script)
        (self.tools / name).chmod(0o755)

    def owns(self, packages: dict, services=()):
        """What dpkg knows: files by their packages, and the packages that bring a service."""
        search = "".join(f'*" {file} "*) echo "{package}: {file}" ;;& ' for package, file in packages.items())
        files = "".join(f'*" {package} "*) echo /lib/systemd/system/x.service ;; ' for package in services)
        self.stand_in("dpkg-query", f'if [ "$1" = --search ]; then case " $* " in {search} esac; exit 1; fi\ncase " $* " in {files} esac\n')

    def install(self, *packages: str):
        done = subprocess.run(["bash", HOUSE / "build/install-packages", *packages], env={"PATH": f"{self.tools}:/usr/bin:/bin"}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        asked = (self.folder / "asked").read_text().splitlines()
        return done, [line.removeprefix(self.ASKED) for line in asked]


@pytest.fixture
def server(folder):
    """A program that runs under the name of PostgreSQL's server."""
    program = folder / "postgres"
    shutil.copy("/bin/sleep", program)
    running = subprocess.Popen([program, "60"])
    yield program
    running.kill()
    running.wait()


SIMULATE = "--simulate install -y --no-install-recommends --no-upgrade "
INSTALL = "--no-remove install -y --no-install-recommends --no-upgrade "
UPGRADE = "Inst libpq5:amd64 [15.18-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12 [amd64])\nInst postgresql-15 (15.20-0+deb12u1 Debian-Security:12 [amd64])\nConf libpq5 (15.20)\nConf postgresql-15 (15.20)\n"
HINT = "  in a quiet hour look at   apt-get -s install postgresql-15   and do it without -s\n"


def test_packages_are_simulated_first_and_installed_without_upgrading_what_was_named(folder):
    done, asked = Apt(folder, "Inst pgbouncer (1.18.0-1 Debian:12/stable [amd64])\nConf pgbouncer (1.18.0-1)\n").install("pgbouncer", "alembic")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert asked == [SIMULATE + "pgbouncer alembic", INSTALL + "pgbouncer alembic"]


def test_old_package_lists_are_read_anew_once(folder):
    done, asked = Apt(folder, "Inst pgbouncer (1.18.0-1 Debian:12/stable [amd64])\n", fails_until_update=True).install("pgbouncer")
    assert done.returncode == 0, done.stderr
    assert asked == [SIMULATE + "pgbouncer", "-o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold update", SIMULATE + "pgbouncer", INSTALL + "pgbouncer"]


def test_an_upgrade_of_what_a_running_server_uses_is_refused(folder, server):
    apt = Apt(folder, UPGRADE)
    apt.owns({"libpq5:amd64": server, "other": "/none"})
    done, asked = apt.install("postgresql-15")
    assert done.returncode == 3
    assert done.stdout == "installing postgresql-15 would:\n  upgrade libpq5 15.18-0+deb12u1 to 15.20-0+deb12u1\n"
    assert done.stderr == "refused: a running PostgreSQL server uses files of libpq5\n" + HINT
    assert asked == [SIMULATE + "postgresql-15"]


def test_an_upgrade_that_would_restart_a_service_beside_a_running_server_is_refused(folder, server):
    apt = Apt(folder, UPGRADE)
    apt.owns({"other": server}, services=["libpq5"])
    done, asked = apt.install("postgresql-15")
    assert done.returncode == 3 and done.stderr == "refused: the service of libpq5 may be restarted, and a PostgreSQL server runs here\n" + HINT
    assert asked == [SIMULATE + "postgresql-15"]


def test_any_other_upgrade_is_said_and_made(folder, server):
    apt = Apt(folder, UPGRADE)
    apt.owns({"other": server})
    done, asked = apt.install("postgresql-15")
    assert done.returncode == 0 and "  upgrade libpq5 15.18-0+deb12u1 to 15.20-0+deb12u1\n" in done.stdout
    assert asked == [SIMULATE + "postgresql-15", INSTALL + "postgresql-15"]


def test_a_half_installed_package_of_a_running_server_is_not_finished(folder, server):
    apt = Apt(folder, "Inst pgbouncer (1.18.0-1 Debian:12/stable [amd64])\nConf pgbouncer (1.18.0-1)\nConf postgresql-15 (15.20)\n")
    apt.owns({"postgresql-15": server})
    done, asked = apt.install("pgbouncer")
    assert done.returncode == 3 and "  finish postgresql-15\n" in done.stdout and "uses files of postgresql-15" in done.stderr
    assert asked == [SIMULATE + "pgbouncer"]


def test_nothing_is_removed_for_a_new_package(folder):
    done, asked = Apt(folder, "Remv mail-reader [1.0]\nInst postgresql-15 (15.20 Debian:12 [amd64])\n").install("postgresql-15")
    assert done.returncode == 3 and "  remove mail-reader\n" in done.stdout and done.stderr == "refused: nothing is removed for it\n" + HINT
    assert asked == [SIMULATE + "postgresql-15"]


def test_without_an_answer_of_dpkg_nothing_is_upgraded_beside_a_running_server(folder, server):
    done, asked = Apt(folder, UPGRADE).install("postgresql-15")
    assert done.returncode == 3 and "dpkg-query could not say what a running PostgreSQL server uses" in done.stderr
    assert asked == [SIMULATE + "postgresql-15"]


@pytest.mark.parametrize("words, tries", [("dpkg: error: pgbouncer: disk full", 1), ("E: Unable to fetch some archives", 2)])
def test_an_installation_that_fails_is_repeated_only_where_newer_lists_may_help(folder, words, tries):
    apt = Apt(folder, "")
    apt.stand_in("apt-get", f'printf "%s\\n" "$*" >> {folder}/asked\ncase "$*" in *--no-remove*) echo "{words}"; exit 100 ;; *--simulate*) echo "Inst pgbouncer (1.18)" ;; esac\n')
    done, asked = apt.install("pgbouncer")
    assert done.returncode == 1 and words in done.stderr
    assert asked.count(INSTALL + "pgbouncer") == tries
