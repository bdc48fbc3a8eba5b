"""What the README tells a newcomer to type does what it says."""

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.client import Trader

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_the_curl_of_the_readme_places_an_order(trader: Trader) -> None:
    (block,) = [block for block in BLOCKS if "curl" in block]
    command = block.replace("http://127.0.0.1:3000", trader.system.url)
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    order_id = json.loads(ran.stdout)["orderId"]
    order = trader.wait_for(order_id)
    assert (order["status"], order["amount"]) == ("confirmed", "1.5")
