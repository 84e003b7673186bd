"""The messages of a pilot to the driver, until they are written."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ablate.interfaces.executor import Died, Ended, Told
from ablate_slurm.messages import Hello, Leaving

if TYPE_CHECKING:
    from ablate.interfaces.executor import Event
    from ablate_slurm.log import Writer
    from ablate_slurm.messages import Message
    from ablate_slurm.pace import Pace

#: What does not wait for the next look.
_URGENT = (Hello, Leaving, Ended, Died)
#: Bytes of messages that wait for the file server, beyond which no worker is listened to; and those of a small one.
_ROOM, _SMALL = 2**25, 200


class News:
    """The messages that wait: ends of tasks are written at once, the rest often while tasks are young.

    Args:
        out: where they go.
        pace: of the looks at files.
    """

    def __init__(self, out: Writer, pace: Pace) -> None:
        self._out, self._pace = out, pace
        self._messages: list[Message | Event] = []
        self._bytes, self._sent, self._has_complained = 0, 0.0, False

    @property
    def room(self) -> int:
        """The bytes that may still come; 0 or less when workers have to wait."""
        return _ROOM - self._bytes

    def has(self, kind: type[Message]) -> bool:
        """Return whether a message of a type waits."""
        return any(isinstance(each, kind) for each in self._messages)

    def tell(self, message: Message | Event) -> None:
        """Add a message."""
        self._messages.append(message)
        self._bytes += _SMALL + (len(message.message) if isinstance(message, Told) else 0)

    def send(self, *, at_once: bool = False) -> bool:
        """Write what waits, if it is time; return False if the driver has removed the folder."""
        now = time.monotonic()
        urgent = at_once or self.room <= 0 or any(isinstance(each, _URGENT) for each in self._messages)
        if not self._messages or (not urgent and now - self._sent < self._pace.pause):
            return True
        try:
            self._out.write(self._messages)
        except FileNotFoundError:
            return False
        except OSError as error:  # a full disk, say: what waits is sent when there is room
            if not self._has_complained:
                print(f"ablate: cannot write its messages: {error}", file=sys.stderr)  # noqa: T201
            self._has_complained = True
            return True
        self._messages, self._bytes, self._sent = [], 0, now
        return True
