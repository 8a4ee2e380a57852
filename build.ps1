# Starts the build: .\build.ps1 [targets] [--parameters]. The twin of build.sh, for Windows PowerShell 5.1 and PowerShell 7: the same
# folders, the same hash over the sources, the same switches and exit codes. Keep them alike. ASCII only: 5.1 reads the machine's code page.
#
# When nothing changed since it was compiled, the compiled build in .nuke/temp/build/<hash> is started directly; otherwise it is
# compiled first. The hash covers names and contents of the sources, the SDK and the two package switches, never modification times.
#
# PackagedNuke, PackagedRds (true|false): take Nuke.Common and AWSSDK.RDS from the registry, or from build/dropins.
# Unset: the registry is asked, and its answer is kept in .nuke/temp/packages.props until the sources change.
#
# Exit codes of this script itself: 1 the build could not be compiled or started, 2 a wrong value; nothing was touched.

Param(
    [Parameter(Position = 0, Mandatory = $false, ValueFromRemainingArguments = $true)]
    [string[]]$BuildArguments
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ConfirmPreference = 'None'
$ProgressPreference = 'SilentlyContinue'

function Say([string]$Text) { [Console]::Error.WriteLine("build.ps1: $Text") }
function More([string]$Text) { [Console]::Error.WriteLine("  $Text") }

# Ends the script with an exit code; the message is said before. What is ours is cleaned up in the finally below.
class BootstrapExit : System.Exception { [int]$Code; BootstrapExit([int]$code) : base("exit $code") { $this.Code = $code } }
function Stop-Bootstrap([int]$Code) { throw [BootstrapExit]::new($Code) }
function Die([string[]]$Lines) { Say $Lines[0]; $Lines | Select-Object -Skip 1 | ForEach-Object { More $_ }; Stop-Bootstrap 1 }

$OnWindows = [IO.Path]::DirectorySeparatorChar -eq '\'
$Root = Split-Path -Parent $MyInvocation.MyCommand.Path
$Temp = [IO.Path]::Combine($Root, '.nuke', 'temp')
$Builds = Join-Path $Temp 'build'
$Project = [IO.Path]::Combine('build', '_build.csproj')
$Fetched = Join-Path $Temp 'dotnet-sdk'
$Props = Join-Path $Temp 'packages.props'
$Utf8 = New-Object System.Text.UTF8Encoding $false
$script:Stage = $null
$script:Compiler = $null

# ---- The .NET SDK -------------------------------------------------------------------------------------------------------------

$script:SdkWanted = ''
$script:SdkPolicy = ''
$script:SdkVersion = ''

function Read-GlobalJson {
    $file = Join-Path $Root 'global.json'
    if (-not [IO.File]::Exists($file)) { return }
    $json = [IO.File]::ReadAllText($file) | ConvertFrom-Json
    if (-not $json.PSObject.Properties['sdk']) { return }
    if ($json.sdk.PSObject.Properties['version']) { $script:SdkWanted = [string]$json.sdk.version }
    if ($json.sdk.PSObject.Properties['rollForward']) { $script:SdkPolicy = [string]$json.sdk.rollForward }
    # Other folders to look in, or no previews: only dotnet itself knows.
    if ($json.sdk.PSObject.Properties['paths'] -or $json.sdk.PSObject.Properties['allowPrerelease']) { $script:SdkPolicy = 'ask' }
}

# Sets SdkVersion to the SDK that the given dotnet takes for global.json. Reading the folder's names costs nothing;
# dotnet --version costs 100 ms and is asked only when they do not decide.
function Test-Sdk([string]$Exe) {
    $script:SdkVersion = ''
    $item = Get-Item -LiteralPath $Exe -Force
    # A link (as on Linux) points elsewhere: ask.
    $isLink = ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) -ne 0
    $sdks = Join-Path (Split-Path -Parent $Exe) 'sdk'
    if (-not $isLink -and $script:SdkPolicy -eq 'latestFeature' -and $script:SdkWanted -match '^(\d+)\.(\d+)\.(\d+)$' -and [IO.Directory]::Exists($sdks)) {
        $family = $Matches[1] + '.' + $Matches[2]
        $patch = [int]$Matches[3]
        $best = -1
        $ask = $false
        foreach ($folder in [IO.Directory]::GetDirectories($sdks)) {
            $name = [IO.Path]::GetFileName($folder)
            if ($name -notmatch '^(\d+\.\d+)\.(\d+)(-.*)?$') { continue }
            $foundFamily = $Matches[1]
            $foundPatch = [int]$Matches[2]
            $isPreview = $Matches.ContainsKey(3)
            if ($foundFamily -ne $family -or -not [IO.File]::Exists((Join-Path $folder 'dotnet.dll'))) { continue }
            if ($isPreview) { $ask = $true; continue }
            if ($foundPatch -ge $patch -and $foundPatch -gt $best) { $best = $foundPatch; $script:SdkVersion = $name }
        }
        if (-not $ask) { return $script:SdkVersion -ne '' }
    }
    Push-Location -LiteralPath $Root
    try {
        $ErrorActionPreference = 'Continue' # 5.1 makes an error of each line on the error stream
        $version = & $Exe --version 2>$null
        if ($LASTEXITCODE -ne 0 -or -not $version) { return $false }
        $script:SdkVersion = [string](@($version)[0])
        return $true
    }
    catch { return $false }
    finally { Pop-Location }
}

function Find-DotNet {
    $command = Get-Command 'dotnet' -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($command -and (Test-Sdk $command.Path)) { $env:DOTNET_EXE = $command.Path; return $true }
    $exe = Join-Path $Fetched $(if ($OnWindows) { 'dotnet.exe' } else { 'dotnet' })
    if ([IO.File]::Exists($exe) -and (Test-Sdk $exe)) {
        $env:DOTNET_EXE = $exe
        $env:DOTNET_ROOT = $Fetched
        $env:PATH = $Fetched + [IO.Path]::PathSeparator + $env:PATH
        return $true
    }
    return $false
}

function Stop-WithoutSdk([string]$Reason) {
    $wanted = if ($script:SdkWanted) { $script:SdkWanted } else { '10.0' }
    Say "the .NET SDK $wanted (or a later 10.0) is needed, and is not on the PATH."
    if ($Reason) { $Reason.TrimEnd() -split "`r?`n" | ForEach-Object { More "| $_" } }
    Die @('Install it, then run the same command again:',
        '  Windows:         winget install Microsoft.DotNet.SDK.10',
        '  macOS:           brew install --cask dotnet-sdk',
        '  Linux:           https://learn.microsoft.com/dotnet/core/install/linux',
        "  Without rights:  https://dot.net/v1/dotnet-install.ps1 -Channel 10.0 -InstallDir '$Fetched'")
}

function Get-Sdk {
    if (-not $OnWindows) { Stop-WithoutSdk 'build.sh fetches it here.' }
    $url = 'https://dot.net/v1/dotnet-install.ps1'
    Assert-Writable
    Open-Stage
    $installer = Join-Path $script:Stage 'dotnet-install.ps1'
    Say "no .NET SDK $($script:SdkWanted) on the PATH: fetching it from $url into .nuke/temp/dotnet-sdk (once, about 250 MB) ..."
    try {
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        $client = New-Object System.Net.WebClient
        $client.DownloadFile($url, $installer)
    }
    catch { Stop-WithoutSdk $_.Exception.Message }
    $into = Join-Path $script:Stage 'sdk'
    # This very PowerShell, so that 7 works where 5.1 is not allowed, and the other way round.
    $shell = (Get-Process -Id $PID).Path
    $version = if ($script:SdkWanted) { @('-Version', $script:SdkWanted) } else { @('-Channel', '10.0') }
    $ErrorActionPreference = 'Continue'
    $said = & $shell -NoProfile -ExecutionPolicy Bypass -File $installer @version -InstallDir $into -NoPath 2>&1 | Out-String
    $code = $LASTEXITCODE
    $ErrorActionPreference = 'Stop'
    if ($code -ne 0 -or -not [IO.File]::Exists((Join-Path $into 'dotnet.exe'))) { Stop-WithoutSdk $said }
    if ([IO.Directory]::Exists($Fetched)) { [IO.Directory]::Delete($Fetched, $true) }
    [IO.Directory]::Move($into, $Fetched)
    if (-not (Find-DotNet)) { Stop-WithoutSdk 'What was fetched does not satisfy global.json.' }
    Say ".NET SDK $($script:SdkVersion) is in .nuke/temp/dotnet-sdk"
}

# ---- Which packages -----------------------------------------------------------------------------------------------------------

# true, false, or empty when unset. MSBuild takes properties from the environment whatever their case, so we do too.
function Read-Switch([string]$Name) {
    $chosen = ''
    foreach ($variable in @([Environment]::GetEnvironmentVariables().Keys)) {
        if ($variable -ine $Name) { continue }
        $value = [Environment]::GetEnvironmentVariable($variable)
        if ($value) {
            if ($value -inotin 'true', 'false') {
                Say "the environment variable $variable is '$value'; it has to be true or false (or unset, to ask the registry)."
                Stop-Bootstrap 2
            }
            $value = $value.ToLowerInvariant()
            if ($chosen -and $chosen -ne $value) { Say "the environment has $Name in two spellings with two values; unset one."; Stop-Bootstrap 2 }
            $chosen = $value
        }
        [Environment]::SetEnvironmentVariable($variable, $null)
    }
    return $chosen
}

# What an earlier run learned, when it learned it about these very sources.
function Read-PackagesProps {
    if (-not [IO.File]::Exists($Props)) { return }
    $text = [IO.File]::ReadAllText($Props)
    if ($text -notmatch '<BootstrapSources>([0-9a-f]+)</BootstrapSources>' -or $Matches[1] -ne $script:Sources) { return }
    if ($text -match '<PackagedNuke [^>]*>(true|false)<') { $script:NukeKnown = $Matches[1] }
    if ($text -match '<PackagedRds [^>]*>(true|false)<') { $script:RdsKnown = $Matches[1] }
}

function Write-PackagesProps {
    $lines = @('<Project>',
        '  <!-- Written by the bootstrap: what the registry lacked when it was asked for the sources with this hash. It is asked again',
        '       when they change, or when this file is deleted. The environment (PackagedNuke, PackagedRds) wins over it. -->',
        '  <PropertyGroup>',
        "    <BootstrapSources>$($script:Sources)</BootstrapSources>")
    if ($script:NukeKnown) { $lines += "    <PackagedNuke Condition=`"'`$(PackagedNuke)' == ''`">$($script:NukeKnown)</PackagedNuke>" }
    if ($script:RdsKnown) { $lines += "    <PackagedRds Condition=`"'`$(PackagedRds)' == ''`">$($script:RdsKnown)</PackagedRds>" }
    $lines += '  </PropertyGroup>', '</Project>'
    $new = Join-Path $script:Stage 'packages.props'
    [IO.File]::WriteAllText($new, ($lines -join "`n") + "`n", $Utf8)
    if ([IO.File]::Exists($Props)) { [IO.File]::Replace($new, $Props, [NullString]::Value) } else { [IO.File]::Move($new, $Props) }
}

function Get-Sha256([byte[]]$Bytes) {
    $sha = [Security.Cryptography.SHA256]::Create()
    try { return [BitConverter]::ToString($sha.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() } finally { $sha.Dispose() }
}

function Select-Packages {
    $env:PackagedNuke = if ($script:NukeForced) { $script:NukeForced } elseif ($script:NukeKnown) { $script:NukeKnown } else { 'true' }
    $env:PackagedRds = if ($script:RdsForced) { $script:RdsForced } elseif ($script:RdsKnown) { $script:RdsKnown } else { 'true' }
    $text = "sources $($script:Sources)`nsdk $($script:SdkVersion)`nPackagedNuke $env:PackagedNuke`nPackagedRds $env:PackagedRds`n"
    $script:Compiled = Join-Path $Builds (Get-Sha256 $Utf8.GetBytes($text)).Substring(0, 32)
}

function Test-Whole([string]$Folder) {
    $dll = New-Object System.IO.FileInfo (Join-Path $Folder '_build.dll')
    return $dll.Exists -and $dll.Length -gt 0
}

# The version of record, for messages.
function Get-RecordedVersion([string]$Package) {
    $text = [IO.File]::ReadAllText((Join-Path $Root 'Directory.Packages.props'))
    if ($text -match ('Include="' + [regex]::Escape($Package) + '" Version="([^"]+)"')) { return ' ' + $Matches[1] }
    return ''
}

# ---- The sources --------------------------------------------------------------------------------------------------------------

# "<sha256>  <path>" of every file that the host is compiled from, sorted, hashed; to the byte what build.sh makes of them.
function Get-SourcesHash {
    $files = New-Object 'System.Collections.Generic.List[string]'
    foreach ($file in [IO.Directory]::GetFiles($Root)) {
        $name = [IO.Path]::GetFileName($file)
        if ($name -cin 'build.sh', 'build.ps1', 'global.json', 'BannedSymbols.txt', '.editorconfig', '.globalconfig' -or
            $name -cmatch '^Directory\..*\.(props|targets|rsp)$' -or $name -cmatch '^[Nn]u[Gg]et\.[Cc]onfig$') { $files.Add($file) }
    }
    $folders = New-Object 'System.Collections.Generic.Stack[string]'
    $folders.Push((Join-Path $Root 'build'))
    while ($folders.Count -gt 0) {
        $folder = $folders.Pop()
        foreach ($inner in [IO.Directory]::GetDirectories($folder)) {
            if ([IO.Path]::GetFileName($inner) -cnotin 'bin', 'obj', '.vs', '.idea', '__pycache__') { $folders.Push($inner) }
        }
        foreach ($file in [IO.Directory]::GetFiles($folder)) {
            $name = [IO.Path]::GetFileName($file)
            if ($name -cnotmatch '^\..*\.sw.$' -and -not $name.EndsWith('~') -and $name -cne '.DS_Store') { $files.Add($file) }
        }
    }
    $lines = New-Object 'System.Collections.Generic.List[string]'
    $sha = [Security.Cryptography.SHA256]::Create()
    try {
        foreach ($file in $files) {
            $stream = [IO.File]::Open($file, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
            try { $hash = [BitConverter]::ToString($sha.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() } finally { $stream.Dispose() }
            $lines.Add($hash + '  ' + $file.Substring($Root.Length + 1).Replace('\', '/'))
        }
    }
    finally { $sha.Dispose() }
    $lines.Sort([StringComparer]::Ordinal)
    return Get-Sha256 $Utf8.GetBytes(($lines -join "`n") + "`n")
}

# ---- Compiling ----------------------------------------------------------------------------------------------------------------

function Assert-Writable {
    try {
        [void][IO.Directory]::CreateDirectory($Builds)
        $probe = Join-Path $Temp ('probe.' + $PID)
        [IO.File]::WriteAllText($probe, '')
        [IO.File]::Delete($probe)
        $probe = Join-Path $Builds ('probe.' + $PID)
        [void][IO.Directory]::CreateDirectory($probe)
        [IO.Directory]::Delete($probe)
    }
    catch {
        $me = [Environment]::UserName
        $type = if ($OnWindows) { "takeown /R /D Y /F `"$Temp`" & icacls `"$Temp`" /T /grant `"${me}:F`"" } else { "sudo chown -R $me '$Temp'" }
        Die @("cannot compile: $Temp cannot be written by $me ($($_.Exception.Message)).", "Another user's run may have made it. Type, as an administrator: $type")
    }
}

function Get-HostTag { return ([Environment]::MachineName -replace '[^A-Za-z0-9-]', '_') }

# A private folder: its name says whose it is, so that what a killed run left is told from what a running one needs.
function Open-Stage {
    if ($script:Stage) { return }
    foreach ($left in [IO.Directory]::GetDirectories($Temp, 'compile.*')) {
        $parts = [IO.Path]::GetFileName($left).Split('.')
        $owner = 0
        $isOurs = $parts.Length -eq 4 -and $parts[2] -eq (Get-HostTag) -and [int]::TryParse($parts[1], [ref]$owner)
        if ($isOurs) { $isDead = $owner -eq $PID -or -not (Get-Process -Id $owner -ErrorAction SilentlyContinue) }
        else { $isDead = [IO.Directory]::GetLastWriteTimeUtc($left) -lt [DateTime]::UtcNow.AddDays(-2) }
        if ($isDead) { try { [IO.Directory]::Delete($left, $true) } catch { } } # in use on Windows: the next run tries again
    }
    $name = 'compile.{0}.{1}.{2}' -f $PID, (Get-HostTag), [Guid]::NewGuid().ToString('N').Substring(0, 6)
    $script:Stage = Join-Path $Temp $name
    [void][IO.Directory]::CreateDirectory($script:Stage)
}

function Close-Stage {
    if ($script:Compiler -and -not $script:Compiler.HasExited) {
        # Ctrl-C reached it too; whatever did not go by itself goes now.
        if ($OnWindows) { & taskkill.exe /T /F /PID $script:Compiler.Id 2>&1 | Out-Null } else { try { $script:Compiler.Kill() } catch { } } # it has ended in the meantime
        [void]$script:Compiler.WaitForExit(5000)
    }
    $script:Compiler = $null
    if ($script:Stage) {
        foreach ($try in 1, 2, 3) {
            try { if ([IO.Directory]::Exists($script:Stage)) { [IO.Directory]::Delete($script:Stage, $true) }; break } catch { Start-Sleep -Seconds 1 }
        }
    }
    $script:Stage = $null
}

function Get-Escaped([string]$Value) { return $Value.Replace('%', '%25').Replace(';', '%3B').Replace(',', '%2C') }

# One argument for ProcessStartInfo.Arguments, by the rules of CommandLineToArgvW.
function Get-Quoted([string]$Value) {
    if ($Value -ne '' -and $Value -notmatch '[\s"]') { return $Value }
    return '"' + (($Value -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
}

# Returns the exit code; what was said is in $script:Log.
function Invoke-Compiler([int]$Round) {
    $output = Join-Path $script:Stage $Round
    $arguments = @('build', $Project, '--configuration', 'Release', '--nologo', '--verbosity', 'quiet', '--tl:off', '-m:1', '-nodeReuse:false',
        "-p:ArtifactsPath=$(Get-Escaped $output)", "-p:PackagedNuke=$env:PackagedNuke", "-p:PackagedRds=$env:PackagedRds",
        # Warnings, analyzers and advisories are for Test: none of them may stop a rollback at night.
        '-p:RunAnalyzers=false', '-p:EnforceCodeStyleInBuild=false', '-p:TreatWarningsAsErrors=false', '-p:MSBuildTreatWarningsAsErrors=false',
        '-p:GenerateDocumentationFile=false', '-p:NuGetAudit=false', '-p:UseAppHost=false', '-p:UseSharedCompilation=false', '-p:TieredPGO=false')
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $env:DOTNET_EXE
    $start.Arguments = ($arguments | ForEach-Object { Get-Quoted $_ }) -join ' '
    $start.WorkingDirectory = $Root
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = $Utf8
    $start.StandardErrorEncoding = $Utf8
    # Variables that MSBuild would take for properties, or that an outer dotnet left.
    $foreign = 'version', 'versionprefix', 'versionsuffix', 'platform', 'configuration', 'outputpath', 'outdir', 'baseoutputpath', 'baseintermediateoutputpath',
        'intermediateoutputpath', 'runtimeidentifier', 'targetframework', 'targetframeworks', 'assemblyname', 'rootnamespace',
        'msbuildsdkspath', 'msbuildextensionspath', 'msbuild_exe_path'
    foreach ($name in @($start.EnvironmentVariables.Keys)) { if ($name -iin $foreign) { $start.EnvironmentVariables.Remove($name) } }
    $start.EnvironmentVariables['DOTNET_CLI_UI_LANGUAGE'] = 'en'
    $start.EnvironmentVariables['VSLANG'] = '1033'
    $start.EnvironmentVariables['DOTNET_CLI_USE_MSBUILD_SERVER'] = '0'
    $script:Compiler = [Diagnostics.Process]::Start($start)
    $script:Compiler.StandardInput.Close()
    $out = $script:Compiler.StandardOutput.ReadToEndAsync()
    $err = $script:Compiler.StandardError.ReadToEndAsync()
    # In slices, so that Ctrl-C is noticed.
    while (-not $script:Compiler.WaitForExit(200)) { }
    $script:Compiler.WaitForExit()
    $code = $script:Compiler.ExitCode
    $script:Log = $out.Result + $err.Result
    $script:Compiler = $null
    return $code
}

# From the compiler's output: MissingNuke, MissingRds; false when anything else is wrong, too.
function Test-OnlyPackagesMissing {
    $script:MissingNuke = $false
    $script:MissingRds = $false
    if ($script:Log -match 'NU1301|NU1801') { return $false } # a source did not answer: what it lacks is not known
    foreach ($line in $script:Log -split "`r?`n") {
        if ($line -cnotmatch 'error ([A-Z]+[0-9]+): ?(.*)$') { continue }
        $code = $Matches[1]
        $text = $Matches[2]
        if ($code -cnotin 'NU1101', 'NU1102') { return $false }
        if ($text -match '^[ -]') { continue } # "- Found 3 version(s) in ..."
        if ($text -cnotmatch '^Unable to find package ([^ ]+)') { return $false }
        switch -CaseSensitive ($Matches[1] -replace '\.$', '') {
            'Nuke.Common' { $script:MissingNuke = $true }
            'AWSSDK.RDS' { $script:MissingRds = $true }
            default { return $false }
        }
    }
    return $script:MissingNuke -or $script:MissingRds
}

function Use-DropIn([string]$Package) {
    $instead = if ([IO.Directory]::Exists([IO.Path]::Combine($Root, 'build', 'dropins', $Package))) { "using build/dropins/$Package" } else { 'building without it' }
    Say "$Package$(Get-RecordedVersion $Package) is not in this registry: $instead"
}

function Stop-WithFailure {
    Say 'the build did not compile. What dotnet said:'
    [Console]::Error.Write($script:Log)
    if ($script:Log -match 'NU1301|NU1801') {
        if ($script:Log -match '401|403|Unauthorized|Forbidden') {
            Say 'a package source refused us. Its credentials: dotnet nuget update source NAME --username ... --password ..., or its nuget.config.'
        }
        else { Say 'a package source did not answer. Check the network, the proxy (HTTPS_PROXY) and the sources (dotnet nuget list source).' }
        More "Without a network, NuGet's cache may have all that is needed: `$env:PackagedNuke = 'false'; `$env:PackagedRds = 'false'; .\build.ps1 ..."
    }
    elseif ($script:Log -match 'error NU11\d\d') {
        Say 'a package is not in the sources of this machine (dotnet nuget list source). Add a source that has it: dotnet nuget add source URL --name NAME'
        if (Test-OnlyPackagesMissing) { More 'It is asked for because the environment says so: unset PackagedNuke and PackagedRds, or say false.' }
    }
    elseif ($script:Log -match 'NETSDK1045|A compatible .NET SDK was not found') { Say "the .NET SDK at $env:DOTNET_EXE does not fit global.json." }
    Stop-Bootstrap 1
}

function Invoke-Compile {
    Assert-Writable
    Open-Stage
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Say 'compiling (first run or sources changed) ...'
    $round = 1
    while ((Invoke-Compiler $round) -ne 0) {
        if ($round -ge 3 -or -not (Test-OnlyPackagesMissing)) { Stop-WithFailure }
        # Forced by the environment, or a drop-in that asks for the package itself: nothing left to switch.
        if ($script:MissingNuke -and ($script:NukeForced -or $env:PackagedNuke -ne 'true')) { Stop-WithFailure }
        if ($script:MissingRds -and ($script:RdsForced -or $env:PackagedRds -ne 'true')) { Stop-WithFailure }
        if ($script:MissingNuke) { $script:NukeKnown = 'false'; Use-DropIn 'Nuke.Common' }
        if ($script:MissingRds) { $script:RdsKnown = 'false'; Use-DropIn 'AWSSDK.RDS' }
        Select-Packages
        if (Test-Whole $script:Compiled) { break }
        $round++
    }
    if ($script:NukeKnown -or $script:RdsKnown) { Write-PackagesProps }
    elseif (-not $script:NukeForced -and -not $script:RdsForced) { [IO.File]::Delete($Props) } # about other sources; the registry has both now
    if (-not (Test-Whole $script:Compiled)) { Publish-Build ([IO.Path]::Combine($script:Stage, "$round", 'bin', '_build', 'release')) }
    Remove-OldBuilds
    Close-Stage
    Say ('compiled in {0:0} s' -f $watch.Elapsed.TotalSeconds)
}

# One rename, so that nobody ever sees half a build. Where another run was first, its build stands and ours is dropped.
function Publish-Build([string]$Folder) {
    if (-not (Test-Whole $Folder)) { Say "the compiler ended well but left no _build.dll in ${Folder}:"; [Console]::Error.Write($script:Log); Stop-Bootstrap 1 }
    [IO.File]::WriteAllText((Join-Path $Folder '.last-used'), "$PID`n")
    if ([IO.Directory]::Exists($script:Compiled) -and -not (Test-Whole $script:Compiled)) {
        try { [IO.Directory]::Move($script:Compiled, (Join-Path $script:Stage 'broken')) } catch { } # another run was quicker
    }
    $why = ''
    foreach ($try in 1, 2, 3, 4, 5) { # a virus scanner may hold a file for a moment
        try { [IO.Directory]::Move($Folder, $script:Compiled); return }
        catch { $why = $_.Exception.Message }
        if (Test-Whole $script:Compiled) { return }
        Start-Sleep -Seconds $try
    }
    Die @("cannot put the compiled build at $($script:Compiled): $why")
}

# Keeps the five used last, whatever was used within two days, and whatever a process still runs from.
function Remove-OldBuilds {
    $marks = @([IO.Directory]::GetDirectories($Builds) | ForEach-Object { New-Object System.IO.FileInfo (Join-Path $_ '.last-used') } |
        Where-Object { $_.Exists } | Sort-Object LastWriteTimeUtc -Descending | Select-Object -Skip 5)
    foreach ($mark in $marks) {
        if ($mark.LastWriteTimeUtc -gt [DateTime]::UtcNow.AddDays(-2) -or $mark.DirectoryName -eq $script:Compiled) { continue }
        try {
            $isUsed = $false
            foreach ($line in [IO.File]::ReadAllLines($mark.FullName)) {
                $user = 0
                if ([int]::TryParse($line.Trim(), [ref]$user) -and (Get-Process -Id $user -ErrorAction SilentlyContinue)) { $isUsed = $true }
            }
            if (-not $isUsed) { [IO.Directory]::Move($mark.DirectoryName, (Join-Path $script:Stage ('pruned.' + $mark.Directory.Name))) }
        }
        catch { } # in use on Windows
    }
}

# ---- Start --------------------------------------------------------------------------------------------------------------------

$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
$env:NUKE_TELEMETRY_OPTOUT = '1'
$env:MSBUILDDISABLENODEREUSE = '1'

$script:NukeKnown = ''
$script:RdsKnown = ''
$exitCode = 1
try {
    $script:NukeForced = Read-Switch 'PackagedNuke'
    $script:RdsForced = Read-Switch 'PackagedRds'
    Read-GlobalJson
    if (-not (Find-DotNet)) { Get-Sdk }
    $script:Sources = Get-SourcesHash
    Read-PackagesProps
    Select-Packages
    if (-not (Test-Whole $script:Compiled)) { Invoke-Compile }

    # Where we run from, for whoever prunes; also its time of last use.
    try { [IO.File]::AppendAllText((Join-Path $script:Compiled '.last-used'), "$PID`n") } catch { } # read-only for us: the build runs all the same, and may be pruned
    $exitCode = 0
}
catch [BootstrapExit] { $exitCode = $_.Exception.Code }
catch { Say $_.Exception.Message; $exitCode = 1 }
finally { Close-Stage }
if ($exitCode -ne 0) { exit $exitCode }

$given = @($BuildArguments | Where-Object { $null -ne $_ })
# NUKE takes the root from the working directory otherwise, and a variable ROOT before that.
if (-not ($given | Where-Object { $_ -imatch '^--?root$' })) { $given += '--root', $Root }
# Before 7.3, PowerShell neither escapes quotes nor passes empty strings to a program. (Its own quoting adds the outer quotes for spaces.)
if ($PSVersionTable.PSVersion -lt [Version]'7.3') {
    $given = @($given | ForEach-Object {
        $value = $_ -replace '(\\*)"', '$1$1\"'
        if ($value -match '\s') { $value = $value -replace '(\\+)$', '$1$1' }
        if ($value -eq '') { '""' } else { $value }
    })
}
$ErrorActionPreference = 'Continue'
& $env:DOTNET_EXE (Join-Path $script:Compiled '_build.dll') @given
exit $LASTEXITCODE
