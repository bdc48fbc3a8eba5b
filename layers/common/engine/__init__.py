"""The order execution engine: one package, shared by every function as a Lambda layer.

In Lambda no garbage is collected while it is imported: nothing of it is garbage, and looking costs
a twentieth of a cold start. `bootstrap` turns the collector on again.
"""

import gc
import os

if "LAMBDA_TASK_ROOT" in os.environ:
    gc.disable()
