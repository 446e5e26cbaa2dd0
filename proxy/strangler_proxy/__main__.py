"""python -m strangler_proxy"""

import sys

from strangler_proxy.server import main

sys.exit(main())
