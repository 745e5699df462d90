"""Names that terminals and libraries measure differently, and those that they do not."""

from hypothesis import strategies as st

DISPUTED = (
    "🇩🇪",  # two regional indicators: one flag
    "🇩",  # and a single one
    "👍🏽",  # a skin tone
    "❤️",  # a variation selector: as an emoji
    "⌚︎",  # and as text
    "👨‍👩‍👧",  # joined by ZERO WIDTH JOINER
    "🏳️‍🌈",
    "1️⃣",  # a keycap
    "🫨",  # newer than what many terminals know
    "क्षि",  # a conjunct with a vowel sign
    "กำ",
    "각",  # jamos that make one syllable
    "ｶﾞ",
    "ﷺ",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",  # tags
    "z̶̨̛",  # more accents than a letter has
)
SETTLED = ("anna", "Zoë", "Ångström", "漢字", "かな", "서울", "Жуковский", "e\u0301a\u0308")

names = (
    st.lists(
        st.one_of(
            st.sampled_from(DISPUTED), st.sampled_from(SETTLED), st.text("abc XYZ-", min_size=1, max_size=12)
        ),
        min_size=1,
        max_size=5,
    )
    .map(lambda parts: "".join(parts).strip())
    .filter(bool)
)
"""Nicknames, some much longer than a column."""
