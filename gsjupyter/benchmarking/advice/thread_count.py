"""More threads than processors, or more than the network has work for: they wait for each other."""

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.wording import plural, times
from gsjupyter.benchmarking.records import Finding


def thread_count(evidence: Evidence) -> Finding | None:
    """Say that a row uses more threads than can run at once, or than make it faster."""
    setting, machine = evidence.row.setting, evidence.machine
    if setting.target != "cpu":
        return None
    fewer = [row for row in evidence.others("threads") if row.setting.threads < setting.threads]
    found = evidence.faster(fewer)
    usable = machine.threads if machine is not None and machine.host == setting.host else 0
    if 0 < usable < setting.threads:
        symptom = f"{plural(setting.threads, 'thread')} share the {plural(usable, 'processor')} that can be used here"
        if found is not None:
            symptom += f"; with {found[0].setting.threads} it is {times(found[1])} as fast"
        chosen = found[0].setting.threads if found is not None else usable
        remedy = (
            f"Use {plural(chosen, 'thread')} (threads={chosen}); where several processes run, share the processors "
            "out among them"
        )
    elif found is not None:
        chosen = found[0].setting.threads
        symptom = f"with {setting.threads} threads it is slower than with {chosen}: there is too little to share out"
        remedy = f"Use {plural(chosen, 'thread')} (threads={chosen}) at this batch size"
    else:
        return None
    gain = f"{times(found[1])}, as measured here" if found is not None else ""
    return Finding("thread-count", symptom, remedy, gain)
