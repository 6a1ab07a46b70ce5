"""What ``doctor`` says of things chosen by name: what each registry holds, and what is missing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroclip_live.cli.finding import Check

if TYPE_CHECKING:
    from neuroclip_live.registry import Registry


def check_runtimes() -> list[Check]:
    """Tell what will run the image encoder on the CPU, and what else can."""
    from neuroclip_live.model.runtimes.openvino_runtime import openvino_available
    from neuroclip_live.model.runtimes.registry import RUNTIMES

    if openvino_available():
        findings = [Check("encoder on the CPU", "ok", "OpenVINO")]
    else:
        slow = "plain torch, as OpenVINO is not installed; frames take about three times longer"
        findings = [Check("encoder on the CPU", "warn", slow, "pip install openvino")]
    return [*findings, *_listed("runtimes", RUNTIMES)]


def check_recordings() -> list[Check]:
    """List the formats of recordings that open here, and what the others need."""
    from neuroclip_drivers.files.registry import READERS

    formats = READERS.entries()
    opened = "; ".join(each.help for each in formats if not each.missing)
    findings = [Check("recordings", "ok", opened)]
    for each in formats:
        if each.missing:
            needs = f"{each.help}: not installed ({', '.join(each.missing)})"
            findings.append(Check(each.name, "ok", needs, f'pip install "{each.install}"'))
    return [*findings, *(Check("recordings", "warn", failure) for failure in READERS.failures())]


def check_choices() -> list[Check]:
    """List sources, representations, outputs and what actions do, those of other packages among them."""
    from neuroclip_drivers.opening import SOURCES
    from neuroclip_live.actions.registry import EFFECTS
    from neuroclip_live.outputs.registry import OUTPUTS
    from neuroclip_live.stream.representations.registry import REPRESENTATIONS

    return [
        *_listed("sources", SOURCES),
        *_listed("representations", REPRESENTATIONS),
        *_listed("outputs", OUTPUTS),
        *_listed("effects of actions", EFFECTS),
    ]


def _listed(name: str, registry: Registry[Any]) -> list[Check]:
    there = ", ".join(entry.name for entry in registry.entries() if not entry.missing)
    findings = [Check(name, "ok", there)]
    for entry in registry.entries():
        if entry.missing:
            needs = f"{entry.help}: not installed ({', '.join(entry.missing)})"
            install = entry.install or " ".join(entry.missing)
            findings.append(Check(f"{registry.what} {entry.name}", "ok", needs, f'pip install "{install}"'))
    return [*findings, *(Check(name, "warn", failure) for failure in registry.failures())]
