"""Printable text: which characters a name may contain, by a fixed table, so that every node gives the same verdict.

``str.isprintable`` follows the Unicode tables of its Python, and these tables grow. One Python would accept a name that
an older one refuses, and two nodes of one cluster would never agree. The table here does not grow. It accepts code
points that are not assigned yet, because no node can know which ones will be.

The table refuses characters that nobody sees and characters that move others. So two names that differ look different,
and no name disturbs the line around it. Refused are:

- controls, and the separators of lines and paragraphs;
- spaces other than U+0020;
- all of general category Cf (format), which holds the controls of direction, joiners, and tags;
- all of Default_Ignorable_Code_Point except U+FE00 to U+FE0F (emoji need these): fillers, and ranges that are reserved
  for invisible characters;
- U+2800, a blank that is classed as a symbol;
- surrogates, noncharacters, and private use, whose looks nobody knows.

Source: Unicode 15.1, UnicodeData.txt and DerivedCoreProperties.txt.
"""

from __future__ import annotations

import re
from functools import cache

_REFUSED = (
    (0x0000, 0x001F),  # controls
    (0x007F, 0x00A0),  # controls, and the no-break space
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # grapheme joiner
    (0x0600, 0x0605),  # Arabic signs that stand over what follows
    (0x061C, 0x061C),  # direction
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),  # Hangul fillers
    (0x1680, 0x1680),  # a space
    (0x17B4, 0x17B5),  # invisible Khmer vowels
    (0x180B, 0x180F),  # Mongolian selectors
    (0x2000, 0x200F),  # spaces, joiners, direction
    (0x2028, 0x202F),  # lines, paragraphs, direction, a space
    (0x205F, 0x206F),  # a space, joiners, direction
    (0x2800, 0x2800),  # Braille blank
    (0x3000, 0x3000),  # a space
    (0x3164, 0x3164),  # Hangul filler
    (0xD800, 0xF8FF),  # surrogates, private use
    (0xFDD0, 0xFDEF),  # noncharacters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # Hangul filler
    (0xFFF0, 0xFFFB),  # reserved for invisible ones, annotations
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0xF0000, 0x10000)),  # noncharacters
    (0x110BD, 0x110BD),  # Kaithi signs
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),  # joiners of hieroglyphs
    (0x1BCA0, 0x1BCA3),  # shorthand
    (0x1D173, 0x1D17A),  # music
    (0xE0000, 0xE0FFF),  # tags, selectors, and code points reserved for invisible ones
    (0xF0000, 0x10FFFF),  # private use, noncharacters
)
"""First and last of each range."""


@cache
def _refused() -> re.Pattern[str]:
    """Compiled when the first text comes that is not ASCII, because that takes as long as the import of a room."""
    return re.compile("[" + "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in _REFUSED) + "]")


def is_printable(text: str) -> bool:
    """Whether every character of a text is visible and leaves the text around it alone."""
    if text.isascii():
        return text.isprintable()  # all versions of Python agree about ASCII
    return _refused().search(text) is None
