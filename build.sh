#!/usr/bin/env bash
# Starts the build: ./build.sh [targets] [--parameters]. Everything after the name goes to the build as it is.
#
# When nothing changed since it was compiled, the compiled build in .nuke/temp/build/<hash> is started directly; otherwise it is
# compiled first. The hash covers names and contents of the sources, the SDK and the two package switches, never modification times.
#
# PackagedNuke, PackagedRds (true|false): take Nuke.Common and AWSSDK.RDS from the registry, or from build/dropins.
# Unset: the registry is asked, and its answer is kept in .nuke/temp/packages.props until the sources change.
#
# Exit codes of this script itself: 1 the build could not be compiled or started, 2 a wrong value; nothing was touched.
# Needs bash 3.2 (macOS, Git Bash), find, xargs, sort and sha256sum or shasum. build.ps1 is its twin: keep them alike.

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

say() { printf 'build.sh: %s\n' "$*" >&2; }
more() { printf '  %s\n' "$@" >&2; }
die() { say "$1"; shift; [ $# -eq 0 ] || more "$@"; exit 1; }

# ---- Where we are -------------------------------------------------------------------------------------------------------------

script=${BASH_SOURCE[0]}
while [ -L "$script" ]; do
    target=$(readlink "$script")
    case $target in /*) script=$target ;; *) script=$(dirname "$script")/$target ;; esac
done
case $script in */*) root=${script%/*}/ ;; *) root=./ ;; esac
root=$(CDPATH='' cd -- "$root" && pwd -P)
temp=$root/.nuke/temp
project=build/_build.csproj

# What a Windows program understands; elsewhere the same path.
native() {
    case ${OSTYPE:-} in
        msys* | cygwin*) cygpath -m "$1" ;;
        *) printf '%s' "$1" ;;
    esac
}

# ---- A folder of ours that someone else's run (usually root's) took over --------------------------------------------------------

me() { id -un 2>/dev/null || id -u; }

# One line: whose it is, and what to type.
not_writable() {
    local at=$1 owner
    # shellcheck disable=SC2012 # stat is spelled differently on macOS
    owner=$(ls -ld -- "$at" 2>/dev/null | awk '{ print $3; exit }') || owner='someone else'
    if [ -O "$at" ] || [ "$(id -u)" = 0 ]; then
        printf '%s is read-only. Make it writable (chmod -R u+w %q), or use a clone on a writable disk.' "$at" "$at"
    else
        # Whatever lies in .nuke/temp is ours to give back as a whole.
        case $at in "$temp"/*) at=$temp ;; esac
        printf '%s belongs to %s, and you are %s. Type: sudo chown -R %q %q' "$1" "$owner" "$(me)" "$(me)" "$at"
    fi
}

# The first thing in .nuke/temp that we may not write, one and two levels down; no process is started for it.
unwritable=''
look_for_unwritable() {
    local entry
    for entry in "$temp" "$temp"/* "$temp"/dotnet/*; do
        if [ -e "$entry" ] && [ ! -L "$entry" ] && [ ! -w "$entry" ]; then unwritable=$entry; return; fi
    done
}

# Before compiling: the same to the bottom of what a compilation writes.
require_writable() {
    local at=$temp entry
    while [ ! -e "$at" ]; do at=${at%/*}; done
    [ -d "$at" ] || die "$at is not a folder; the build keeps what it compiles there. Remove it."
    [ -w "$at" ] || die "cannot compile: $(not_writable "$at")"
    mkdir -p "$temp/build" 2>/dev/null || die "cannot compile: $temp/build cannot be made: $(mkdir -p "$temp/build" 2>&1)"
    look_for_unwritable
    if [ -z "$unwritable" ] && [ "$(id -u)" != 0 ]; then
        while IFS= read -r entry; do
            [ -w "$entry" ] || { unwritable=$entry; break; }
        done < <(find "$temp" -maxdepth 5 -type d ! -user "$(id -u)" -print -prune 2>/dev/null)
    fi
    [ -z "$unwritable" ] || die "cannot compile: $(not_writable "$unwritable")"
}

# ---- The .NET SDK -------------------------------------------------------------------------------------------------------------

sdk_wanted='' sdk_policy=''
read_global_json() {
    local text='' block='' pattern
    [ -f "$root/global.json" ] || return 0
    IFS= read -r -d '' text < "$root/global.json" || :
    pattern='"sdk"[[:space:]]*:[[:space:]]*\{([^}]*)\}'
    if [[ $text =~ $pattern ]]; then block=${BASH_REMATCH[1]}; fi
    pattern='"version"[[:space:]]*:[[:space:]]*"([^"]+)"'
    if [[ $block =~ $pattern ]]; then sdk_wanted=${BASH_REMATCH[1]}; fi
    pattern='"rollForward"[[:space:]]*:[[:space:]]*"([^"]+)"'
    if [[ $block =~ $pattern ]]; then sdk_policy=${BASH_REMATCH[1]}; fi
    # Other folders to look in, or no previews: only dotnet itself knows.
    pattern='"(paths|allowPrerelease)"'
    if [[ $block =~ $pattern ]]; then sdk_policy=ask; fi
}

# Sets sdk_version to the SDK that the given dotnet takes for global.json; fails when it has none.
# Reading the folder's names costs nothing; `dotnet --version` costs 100 ms and is asked only when they do not decide.
sdk_version=''
sdk_of() {
    local exe=$1 link folder name best=-1 ask='' wanted='^([0-9]+)\.([0-9]+)\.([0-9]+)$' found='^([0-9]+)\.([0-9]+)\.([0-9]+)(-.*)?$'
    local major minor patch
    sdk_version=''
    while [ -L "$exe" ]; do
        link=$(readlink "$exe")
        case $link in /*) exe=$link ;; *) exe=${exe%/*}/$link ;; esac
    done
    if [ "$sdk_policy" = latestFeature ] && [[ $sdk_wanted =~ $wanted ]] && [ -d "${exe%/*}/sdk" ]; then
        major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]} patch=$((10#${BASH_REMATCH[3]}))
        for folder in "${exe%/*}"/sdk/*/; do
            folder=${folder%/} name=${folder##*/}
            [[ $name =~ $found ]] || continue
            [ -f "$folder/dotnet.dll" ] || continue # removed, or not yet whole
            if [ "${BASH_REMATCH[1]}.${BASH_REMATCH[2]}" != "$major.$minor" ]; then continue; fi
            if [ -n "${BASH_REMATCH[4]:-}" ]; then ask=1; continue; fi
            if [ $((10#${BASH_REMATCH[3]})) -ge "$patch" ] && [ $((10#${BASH_REMATCH[3]})) -gt "$best" ]; then
                best=$((10#${BASH_REMATCH[3]})) sdk_version=$name
            fi
        done
        [ -n "$ask" ] || { [ -n "$sdk_version" ]; return; }
    fi
    sdk_version=$(cd "$root" && "$1" --version 2>/dev/null) && [ -n "$sdk_version" ]
}

fetched=$temp/dotnet-sdk
find_dotnet() {
    local candidate
    candidate=$(type -P dotnet) || candidate=''
    case $candidate in '' | /*) ;; *) candidate=$PWD/$candidate ;; esac
    if [ -n "$candidate" ] && sdk_of "$candidate"; then
        DOTNET_EXE=$candidate
    elif [ -x "$fetched/dotnet" ] && sdk_of "$fetched/dotnet"; then
        DOTNET_EXE=$fetched/dotnet
        export DOTNET_ROOT=$fetched PATH="$fetched:$PATH"
    else
        return 1
    fi
}

# A machine that can install is not sent away for want of a downloader or of ICU.
apt_install() {
    [ "$(id -u)" = 0 ] && type -P apt-get >/dev/null || return 1
    say "installing from the system's packages: $*"
    bash "$root/build/install-packages" "$@" >&2
}

fetch_sdk() {
    local url=https://dot.net/v1/dotnet-install.sh installer text
    local version=(--channel 10.0)
    [ -z "$sdk_wanted" ] || version=(--version "$sdk_wanted")
    case ${OSTYPE:-} in msys* | cygwin*) no_sdk 'build.ps1 fetches it on Windows.' ;; esac
    require_writable
    open_stage
    installer=$stage/dotnet-install.sh
    say "no .NET SDK ${sdk_wanted:-10.0} on the PATH: fetching it from $url into .nuke/temp/dotnet-sdk (once, about 250 MB) …"
    type -P curl >/dev/null || type -P wget >/dev/null || apt_install curl ca-certificates || no_sdk 'There is neither curl nor wget to fetch it with.'
    if type -P curl >/dev/null; then
        curl -fsSL --connect-timeout 20 --max-time 120 --retry 2 -o "$installer" "$url" 2>"$stage/fetch.log" </dev/null || no_sdk "$(cat "$stage/fetch.log")"
    else
        wget -q --timeout=20 --tries=3 -O "$installer" "$url" 2>"$stage/fetch.log" </dev/null || no_sdk "$(cat "$stage/fetch.log")" "$url did not answer."
    fi
    IFS= read -r text < "$installer" || text=''
    case $text in '#!'*) ;; *) no_sdk "What came from $url is no script (a proxy's login page?)." ;; esac
    bash "$installer" "${version[@]}" --install-dir "$stage/sdk" --no-path >"$stage/fetch.log" 2>&1 </dev/null ||
        no_sdk "$(tail -n 15 "$stage/fetch.log")"
    [ -x "$stage/sdk/dotnet" ] || no_sdk "$(tail -n 15 "$stage/fetch.log")"
    if ! text=$("$stage/sdk/dotnet" --version 2>&1); then
        case $text in
            *ICU* | *icu*)
                apt_install libicu-dev || no_sdk 'It was fetched, but needs ICU. On Debian and Ubuntu: sudo apt-get install -y libicu-dev' ;;
            *) no_sdk "It was fetched, but does not start: $text" ;;
        esac
    fi
    rm -rf "$fetched"
    mv "$stage/sdk" "$fetched" || no_sdk "It could not be moved to $fetched."
    find_dotnet || no_sdk "What was fetched does not satisfy global.json."
    say ".NET SDK $sdk_version is in .nuke/temp/dotnet-sdk"
}

no_sdk() {
    local reason
    say "the .NET SDK ${sdk_wanted:-10.0} (or a later 10.0) is needed, and is not on the PATH."
    for reason in "$@"; do [ -z "$reason" ] || printf '%s\n' "$reason" | sed 's/^/  | /' >&2; done
    more 'Install it, then run the same command again:' \
        '  Debian 12, Ubuntu:  https://learn.microsoft.com/dotnet/core/install/linux   then: sudo apt-get install -y dotnet-sdk-10.0' \
        '  Fedora, RHEL:       sudo dnf install dotnet-sdk-10.0' \
        '  macOS:              brew install --cask dotnet-sdk' \
        '  Windows:            winget install Microsoft.DotNet.SDK.10' \
        "  Without rights:     curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 --install-dir $(printf %q "$fetched")"
    exit 1
}

# ---- Which packages -----------------------------------------------------------------------------------------------------------

# Value of a switch in the environment: true, false, or empty when unset. MSBuild takes properties from the environment whatever
# their case, so we do too, and hand on one spelling.
from_environment() {
    local name=$1 variable value='' all
    case $name in PackagedNuke) all='[Pp][Aa][Cc][Kk][Aa][Gg][Ee][Dd][Nn][Uu][Kk][Ee]' ;; *) all='[Pp][Aa][Cc][Kk][Aa][Gg][Ee][Dd][Rr][Dd][Ss]' ;; esac
    chosen=''
    for variable in ${!P@} ${!p@}; do
        # shellcheck disable=SC2254 # a pattern on purpose
        case $variable in $all) ;; *) continue ;; esac
        case ${!variable} in
            '') value='' ;;
            [Tt][Rr][Uu][Ee]) value=true ;;
            [Ff][Aa][Ll][Ss][Ee]) value=false ;;
            *)
                say "the environment variable $variable is '${!variable}'; it has to be true or false (or unset, to ask the registry)."
                exit 2
                ;;
        esac
        if [ -n "$chosen" ] && [ -n "$value" ] && [ "$chosen" != "$value" ]; then
            say "the environment has $name in two spellings with two values; unset one."
            exit 2
        fi
        chosen=${value:-$chosen}
        unset "$variable"
    done
}

# What an earlier run learned, when it learned it about these very sources.
nuke_known='' rds_known=''
read_packages_props() {
    local line='' text='' about=''
    [ -f "$temp/packages.props" ] && [ -r "$temp/packages.props" ] || return 0
    while IFS= read -r line || [ -n "$line" ]; do
        text=${line#*>} text=${text%%<*}
        case $line in
            *'<BootstrapSources>'*) about=$text ;;
            *'<PackagedNuke '*) nuke_known=$text ;;
            *'<PackagedRds '*) rds_known=$text ;;
        esac
    done < "$temp/packages.props"
    if [ "$about" != "$sources" ]; then nuke_known='' rds_known=''; fi
}

write_packages_props() {
    {
        printf '%s\n' '<Project>' \
            '  <!-- Written by the bootstrap: what the registry lacked when it was asked for the sources with this hash. It is asked again' \
            '       when they change, or when this file is deleted. The environment (PackagedNuke, PackagedRds) wins over it. -->' \
            '  <PropertyGroup>' \
            "    <BootstrapSources>$sources</BootstrapSources>"
        [ -z "$nuke_known" ] || printf '    <PackagedNuke Condition="'"'\$(PackagedNuke)' == ''"'">%s</PackagedNuke>\n' "$nuke_known"
        [ -z "$rds_known" ] || printf '    <PackagedRds Condition="'"'\$(PackagedRds)' == ''"'">%s</PackagedRds>\n' "$rds_known"
        printf '%s\n' '  </PropertyGroup>' '</Project>'
    } > "$stage/packages.props"
    mv -f "$stage/packages.props" "$temp/packages.props"
}

choose() {
    PackagedNuke=${nuke_forced:-${nuke_known:-true}}
    PackagedRds=${rds_forced:-${rds_known:-true}}
    export PackagedNuke PackagedRds
    key=$(printf 'sources %s\nsdk %s\nPackagedNuke %s\nPackagedRds %s\n' "$sources" "$sdk_version" "$PackagedNuke" "$PackagedRds" | sha256)
    key=${key%% *}
    key=${key:0:32}
    compiled=$temp/build/$key
}

# The version of record, for messages.
version_of() {
    local line
    while IFS= read -r line; do
        case $line in *"Include=\"$1\" Version=\""*) line=${line#*Version=\"}; printf ' %s' "${line%%\"*}"; return ;; esac
    done < "$root/Directory.Packages.props"
}

# ---- The sources --------------------------------------------------------------------------------------------------------------

if type -P sha256sum >/dev/null; then
    sha256() { sha256sum; }
    sha256_of_list() { xargs -0 sha256sum; }
elif type -P shasum >/dev/null; then
    sha256() { shasum -a 256; }
    sha256_of_list() { xargs -0 shasum -a 256; }
else
    die 'neither sha256sum nor shasum is on the PATH; install coreutils.'
fi

# "<sha256>  <path>" of every file that the host is compiled from, sorted, hashed. No git: a tarball works as well.
list_sources() {
    local file
    for file in build.sh build.ps1 Directory.*.props Directory.*.targets Directory.*.rsp global.json BannedSymbols.txt \
        .editorconfig .globalconfig [Nn]u[Gg]et.[Cc]onfig; do
        [ ! -f "$file" ] || printf '%s\0' "$file"
    done
    find -L build -type d \( -name bin -o -name obj -o -name .vs -o -name .idea -o -name __pycache__ \) -prune \
        -o -type f ! -name '.*.sw?' ! -name '*~' ! -name .DS_Store -print0
}

hash_sources() {
    export LC_ALL=C
    cd "$root" || return 1
    case ${OSTYPE:-} in
        msys* | cygwin*) list_sources | sha256_of_list | tr '*' ' ' | sort | sha256 ;; # Windows marks binary files
        *) list_sources | sha256_of_list | sort | sha256 ;;
    esac
}

# ---- Compiling ----------------------------------------------------------------------------------------------------------------

stage='' child=''
host=${HOSTNAME:-host}
host=${host//[!A-Za-z0-9-]/_}

# A private folder: name says whose it is, so that what a killed run left is told from what a running one needs.
open_stage() {
    [ -z "$stage" ] || return 0
    reap
    stage=$(mktemp -d "$temp/compile.$$.$host.XXXXXX") || die "cannot make a folder in $temp (disk full?)"
}

reap() {
    local left pid where
    for left in "$temp"/compile.*; do
        [ -d "$left" ] || continue
        where=${left##*/compile.}
        pid=${where%%.*} where=${where#*.} where=${where%.*}
        if [ "$where" = "$host" ]; then
            [ "$pid" = $$ ] || { [ ! -d "/proc/$pid" ] && ! kill -0 "$pid" 2>/dev/null; } || continue
        else
            # Another machine or container on the same disk: only age tells.
            [ -n "$(find "$left" -prune -mtime +1 2>/dev/null)" ] || continue
        fi
        rm -rf -- "$left" 2>/dev/null || :
    done
}

close_stage() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill -TERM -- "-$child" 2>/dev/null || :
        wait "$child" 2>/dev/null || :
        child=''
    fi
    if [ -n "$stage" ]; then rm -rf -- "$stage" 2>/dev/null || { sleep 1; rm -rf -- "$stage" || :; } fi
    stage=''
}

# Property values on MSBuild's command line.
escaped() {
    local text=$1
    text=${text//[%]/%25} text=${text//;/%3B} text=${text//,/%2C}
    printf '%s' "$text"
}

run_compiler() {
    local code=0 name
    set -m # a group of its own, which close_stage ends whole: a CI host signals this script alone
    (
        cd "$root"
        # Variables that MSBuild would take for properties (VERSION is set in many an image), or that an outer dotnet left.
        shopt -s nocasematch
        for name in $(compgen -e); do
            case $name in
                version | versionprefix | versionsuffix | platform | configuration | outputpath | outdir | baseoutputpath | baseintermediateoutputpath | \
                    intermediateoutputpath | runtimeidentifier | targetframework | targetframeworks | assemblyname | rootnamespace | \
                    msbuildsdkspath | msbuildextensionspath | msbuild_exe_path) unset "$name" ;;
            esac
        done
        export DOTNET_CLI_UI_LANGUAGE=en VSLANG=1033 DOTNET_CLI_USE_MSBUILD_SERVER=0
        # Warnings, analyzers and advisories are for Test: none of them may stop a rollback at night.
        exec "$DOTNET_EXE" build "$project" --configuration Release --nologo --verbosity quiet --tl:off -m:1 -nodeReuse:false \
            "-p:ArtifactsPath=$(escaped "$(native "$stage/$1")")" "-p:PackagedNuke=$PackagedNuke" "-p:PackagedRds=$PackagedRds" \
            -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -p:TreatWarningsAsErrors=false -p:MSBuildTreatWarningsAsErrors=false \
            -p:GenerateDocumentationFile=false -p:NuGetAudit=false -p:UseAppHost=false -p:UseSharedCompilation=false -p:TieredPGO=false
    ) </dev/null >"$stage/compile.log" 2>&1 &
    child=$!
    set +m
    wait "$child" || code=$?
    child=''
    return "$code"
}

# From the compiler's output: missing_nuke, missing_rds; fails when anything else is wrong, too.
read_missing() {
    local line code id other='' error='error ([A-Z]+[0-9]+): ?(.*)$' package='^Unable to find package ([^ ]+)'
    missing_nuke='' missing_rds=''
    while IFS= read -r line; do
        case $line in *NU1301* | *NU1801*) return 1 ;; esac # a source did not answer: what it lacks is not known
        [[ $line =~ $error ]] || continue
        code=${BASH_REMATCH[1]} line=${BASH_REMATCH[2]}
        case $code in NU1101 | NU1102) ;; *) return 1 ;; esac
        case $line in ' '* | '-'*) continue ;; esac # "- Found 3 version(s) in …"
        [[ $line =~ $package ]] || return 1
        id=${BASH_REMATCH[1]%.}
        case $id in
            Nuke.Common) missing_nuke=1 ;;
            AWSSDK.RDS) missing_rds=1 ;;
            *) other=$id ;;
        esac
    done < "$stage/compile.log"
    [ -z "$other" ] && [ -n "$missing_nuke$missing_rds" ]
}

use_dropin() {
    if [ -d "$root/build/dropins/$1" ]; then
        say "$1$(version_of "$1") is not in this registry: using build/dropins/$1"
    else
        say "$1$(version_of "$1") is not in this registry: building without it"
    fi
}

explain_failure() {
    say "the build did not compile. What dotnet said:"
    cat "$stage/compile.log" >&2
    if grep -q -E 'NU1301|NU1801' "$stage/compile.log"; then
        if grep -q -E '401|403|Unauthorized|Forbidden' "$stage/compile.log"; then
            say 'a package source refused us. Its credentials: dotnet nuget update source NAME --username … --password …, or its nuget.config.'
        else
            say 'a package source did not answer. Check the network, the proxy (HTTPS_PROXY) and the sources (dotnet nuget list source).'
        fi
        more "Without a network, NuGet's cache may have all that is needed: PackagedNuke=false PackagedRds=false ./build.sh …"
    elif grep -q -E 'error NU11[0-9][0-9]' "$stage/compile.log"; then
        say 'a package is not in the sources of this machine (dotnet nuget list source). Add a source that has it: dotnet nuget add source URL --name NAME'
        if read_missing; then more "It is asked for because the environment says so: unset PackagedNuke and PackagedRds, or say false."; fi
    elif grep -q 'NETSDK1045\|A compatible .NET SDK was not found' "$stage/compile.log"; then
        say "the .NET SDK at $DOTNET_EXE does not fit global.json."
    elif grep -q -i 'valid ICU package' "$stage/compile.log"; then
        say '.NET needs ICU. On Debian and Ubuntu: sudo apt-get install -y libicu-dev'
    elif grep -q -i 'No space left' "$stage/compile.log"; then
        say "the disk is full: $temp needs about 200 MB while compiling."
    fi
    exit 1
}

compile() {
    local round=1
    require_writable
    open_stage
    SECONDS=0
    say 'compiling (first run or sources changed) …'
    until run_compiler "$round"; do
        if [ "$round" -ge 3 ] || ! read_missing; then explain_failure; fi
        # Forced by the environment, or a drop-in that asks for the package itself: nothing left to switch.
        if [ -n "$missing_nuke" ] && [ "$nuke_forced$PackagedNuke" != true ]; then explain_failure; fi
        if [ -n "$missing_rds" ] && [ "$rds_forced$PackagedRds" != true ]; then explain_failure; fi
        if [ -n "$missing_nuke" ]; then nuke_known=false; use_dropin Nuke.Common; fi
        if [ -n "$missing_rds" ]; then rds_known=false; use_dropin AWSSDK.RDS; fi
        choose
        [ ! -s "$compiled/_build.dll" ] || break
        round=$((round + 1))
    done
    if [ -n "$nuke_known$rds_known" ]; then
        write_packages_props
    elif [ -z "$nuke_forced$rds_forced" ]; then
        rm -f "$temp/packages.props" # about other sources; the registry has both now
    fi
    if [ ! -s "$compiled/_build.dll" ]; then publish "$stage/$round/bin/_build/release"; fi
    prune
    close_stage
    trap - INT TERM HUP EXIT
    say "compiled in $SECONDS s"
}

# One rename, so that nobody ever sees half a build. Where another run was first, its build stands and ours is dropped.
publish() {
    local late=late.$$.$RANDOM try
    [ -s "$1/_build.dll" ] || { say "the compiler ended well but left no _build.dll in $1:"; cat "$stage/compile.log" >&2; exit 1; }
    printf '%s\n' "$$" > "$1/.last-used"
    mv "$1" "$stage/$late"
    if [ -d "$compiled" ] && [ ! -s "$compiled/_build.dll" ]; then mv "$compiled" "$stage/broken" 2>/dev/null || :; fi
    for try in 1 2 3 4 5; do # Windows: a virus scanner may hold a file for a moment
        mv "$stage/$late" "$compiled" 2>"$stage/mv.log" || :
        rm -rf "${compiled:?}/$late" # mv puts it inside what has appeared meanwhile
        [ ! -s "$compiled/_build.dll" ] || return 0
        sleep "$try"
    done
    die "cannot put the compiled build at $compiled: $(cat "$stage/mv.log")"
}

# Keeps the five used last, whatever was used within a day, and whatever a process still runs from.
prune() {
    local build pid used
    (cd "$temp/build" && ls -1t -- */.last-used 2>/dev/null) | tail -n +6 | while IFS= read -r build; do
        build=$temp/build/${build%/.last-used}
        [ "$build" != "$compiled" ] && [ -n "$(find "$build/.last-used" -mtime +1 2>/dev/null)" ] || continue
        used=''
        while read -r pid; do
            if [ -n "$pid" ] && { [ -d "/proc/$pid" ] || kill -0 "$pid" 2>/dev/null; }; then used=1; fi
        done < "$build/.last-used"
        [ -n "$used" ] || mv "$build" "$stage/pruned.${build##*/}" 2>/dev/null || :
    done || :
}

# ---- Start --------------------------------------------------------------------------------------------------------------------

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NUKE_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

trap close_stage EXIT
trap 'close_stage; exit 130' INT
trap 'close_stage; exit 143' TERM
trap 'close_stage; exit 129' HUP

from_environment PackagedNuke
nuke_forced=$chosen
from_environment PackagedRds
rds_forced=$chosen

# dotnet and NuGet keep things at home. A home that cannot be written (a service account, a sandbox) must not stop them.
if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ] || { [ -e "$HOME/.nuget" ] && [ ! -w "$HOME/.nuget" ]; }; then
    home=$temp/home
    if [ ! -w "${HOME:-}/.nuget/packages" ]; then export NUGET_PACKAGES=${NUGET_PACKAGES:-$home/.nuget/packages}; fi
    export DOTNET_CLI_HOME=${DOTNET_CLI_HOME:-$home}
    export NUGET_HTTP_CACHE_PATH=${NUGET_HTTP_CACHE_PATH:-$home/.nuget/http-cache} XDG_DATA_HOME=${XDG_DATA_HOME:-$home/.local/share}
    foreign_home=1
fi

read_global_json
find_dotnet || fetch_sdk
case ${OSTYPE:-} in msys* | cygwin*) DOTNET_EXE=$(native "$DOTNET_EXE") ;; esac
export DOTNET_EXE

sources=$(hash_sources) || die "the sources in $root/build could not be read."
sources=${sources%% *}
read_packages_props
choose

if [ -s "$compiled/_build.dll" ]; then
    look_for_unwritable
    [ -z "$unwritable" ] || say "careful: $(not_writable "$unwritable")"
else
    if [ -n "${foreign_home:-}" ]; then
        require_writable
        mkdir -p "$home/.nuget/NuGet"
        if [ -r "${HOME:-}/.nuget/NuGet/NuGet.Config" ]; then ln -sf "$HOME/.nuget/NuGet/NuGet.Config" "$home/.nuget/NuGet/NuGet.Config"; fi
    fi
    compile
fi

# Where we run from, for whoever prunes; also its time of last use.
{ printf '%s\n' "$$" >> "$compiled/.last-used"; } 2>/dev/null || :

# NUKE takes the root from the working directory otherwise, and a variable ROOT before that.
rooted=''
for argument in "$@"; do
    case $argument in --[Rr][Oo][Oo][Tt] | -[Rr][Oo][Oo][Tt]) rooted=1 ;; esac
done
[ -n "$rooted" ] || set -- "$@" --root "$(native "$root")"

# NUKE compares this path with the assembly's own, so it has to be the real one.
if [ -L "$root/.nuke" ] || [ -L "$temp" ] || [ -L "$temp/build" ]; then compiled=$(CDPATH='' cd -- "$compiled" && pwd -P); fi
trap - EXIT INT TERM HUP
[ -z "$stage" ] || close_stage
exec "$DOTNET_EXE" "$(native "$compiled")/_build.dll" "$@"
