"""What the box answers, by theme. Importing this package registers every handler with ``rpc.on``."""

from ryzen.sandbox.box.requests import accounts as accounts
from ryzen.sandbox.box.requests import buttons as buttons
from ryzen.sandbox.box.requests import calls as calls
from ryzen.sandbox.box.requests import catchup as catchup
from ryzen.sandbox.box.requests import files as files
from ryzen.sandbox.box.requests import groups as groups
from ryzen.sandbox.box.requests import invites as invites
from ryzen.sandbox.box.requests import login as login
from ryzen.sandbox.box.requests import members as members
from ryzen.sandbox.box.requests import messages as messages
from ryzen.sandbox.box.requests import reading as reading
