"""The numbers of the matching rule (``matching``), each with its reason; parts of 1, unless it says."""

from __future__ import annotations

from ryzen.sources.titles import Place, Version

#: Below this nobody should be given it. A right title by somebody else stays at 0.35, a plain one for a
#: remix at 0.3; a right song in a music video with half a minute of film around it has 0.7.
ENOUGH = 0.6
#: What the same ISRC is worth, at least. Not 1: labels have given one to two masters now and then.
SAME_ISRC = 0.98

#: What a word weighs by where it stands. Brackets hold what is said in passing, and sometimes a part of the
#: name: "(I Can't Get No) Satisfaction". Behind bars uploaders list cast, label and genre.
PLACE = {Place.NAME: 1.0, Place.DASH: 0.8, Place.BRACKET: 0.5, Place.ASIDE: 0.1}
#: "The" says little, and a number much: "Part 2", "No. 5".
SMALL_WORD, NUMBER = 0.25, 2.0
#: How alike two words must be to count as one with a slip in it, in percent; shorter ones must be equal.
ALIKE, ALIKE_FROM = 84.0, 5
#: The opera that the aria is from, and the name once more in another script, weigh only so much.
AROUND = 0.25
#: What is left if a title has all the wanted words and infinitely many others.
WORDY = 0.35
#: If each has a number that the other has not, it is another part of the work.
OTHER_NUMBER = 0.5

#: What is left if none of the artists is the wanted one; and when nothing is known of them.
NOBODY, UNKNOWN_ARTISTS = 0.35, 0.7
#: The first artist is the one whose song it is; guests are left out here and there, and composers where
#: those who play are named.
GUEST = 0.5
#: A name in the title is weaker than one that the place itself gives; so is who comes first of several, and
#: a composer's last name.
IN_TITLE, LEAD, LAST_NAME = 0.85, 0.75, 0.8
#: A guest whom the wanted song does not have: it has been sung again.
STRANGER = 0.8

#: Seconds that shops and uploads differ by for the same recording: silence at the ends, and clocks.
TOLERANCE, TOLERANCE_PART = 3.0, 0.02
#: At so many tolerances nothing more is lost: 56 s for a song of 200 s.
FAR = 8.0
#: What is left at that distance, and when a length is not known: less than within tolerance, more than far.
FAR_OFF, UNKNOWN_LENGTH = 0.3, 0.88
#: A music video has a film around the song: it may be longer, by so many seconds, and no more is lost.
FILM, LONGEST_FILM = 0.7, 120.0

#: For each version that only one of the two is. The rest are other recordings, without a doubt: 0.3.
OTHER_RECORDING = 0.3
VERSION = {
    Version.OTHER: 0.5,  # "Album Version" is noise, but "Spanish Version" is not
    Version.EXTENDED: 0.55,  # the length says the rest
    Version.EDIT: 0.85,  # often the very file of the single
    Version.CLEAN: 0.9,
}
#: A version that the wanted album tells of, and the wanted title does not.
ON_ALBUM = 0.85
#: Somebody else's remix; one of the two tells more of it than the other.
OTHER_CLOSER, UNTOLD = 0.4, 0.85
#: Signs of a question; search pages cut longer ones.
LONGEST_QUERY = 200
#: A lyric video is as good as any; among equals what has less about it is taken.
LYRICS = 0.99
