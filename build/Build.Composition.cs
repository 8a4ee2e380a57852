using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using Aragora.Runbook.Inputs;
using Aragora.Runbook.Outcomes;
using Nuke.Common;
PLACEHOLDER
