"""Addresses of mail: read by the very parser that writes them into a message, so what is taken can be sent to."""

import re
from email.errors import MessageError
from email.headerregistry import Address

PLAIN = r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}"  # as far as a header is safe with it


def mail_address(given: str) -> Address:
    """Return an address such as `name@example.org`. Raises ValueError when it is none that a message can carry."""
    if not re.fullmatch(PLAIN, given) or not given.isascii() or not given.isprintable():
        raise ValueError("it is no plain address")
    try:
        address = Address(addr_spec=given)
    except (MessageError, IndexError) as error:  # what the parser finds wrong; it runs off the end of some
        raise ValueError(str(error)) from error
    if address.addr_spec != given:
        raise ValueError("it would be written differently")
    return address
