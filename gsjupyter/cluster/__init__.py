"""Work on other machines, through IPython Parallel: without it everything ends at this machine's door.

IPython Parallel pickles each call and each answer, and signs them with the key in the cluster's connection file. Of
ours only what is plain goes through it: the name of a function of gsjupyter's, texts, numbers and bytes. An answer is
a text, and whoever asked for it reads it as carefully as a file from elsewhere.
"""

from gsjupyter.cluster.calls import Call, InterruptedCallError, LostEngineError, tell_progress
from gsjupyter.cluster.connection import CONNECT_S, Cluster, Host, connected
from gsjupyter.cluster.pump import run_tasks
from gsjupyter.cluster.tasks import Outcome, Task

__all__ = [
    "CONNECT_S",
    "Call",
    "Cluster",
    "Host",
    "InterruptedCallError",
    "LostEngineError",
    "Outcome",
    "Task",
    "connected",
    "run_tasks",
    "tell_progress",
]
