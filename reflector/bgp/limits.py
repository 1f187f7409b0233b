"""Every limit of the protocol engine in one place, each with its reason."""

from typing import Final

# RFC 4271 4.1: the smallest message is a bare header, the largest has 4096 octets, or 65535 where who
# is to read it has offered that (RFC 8654 4). OPEN and KEEPALIVE never have more than 4096, nor do the
# NOTIFICATIONs that we send.
HEADER_BYTES: Final = 19
MAX_MESSAGE_BYTES: Final = 4096
MAX_EXTENDED_MESSAGE_BYTES: Final = 65535

# RFC 4271 4.3: header, Withdrawn Routes Length, Total Path Attribute Length.
MIN_UPDATE_BYTES: Final = 23

# RFC 4271 4.2: a hold time is zero or at least three seconds.
MIN_HOLD_TIME_S: Final = 3

# RFC 4271 8.2.2 suggests "a large value" of 4 minutes while an OPEN is awaited. A class has no
# use for a connection that says nothing for so long.
OPEN_WAIT_S: Final = 60.0

# Octets that a peer may send behind its OPEN before we have answered it: it should wait, and most
# that don't are simple programs that write all they have to say at once.
MAX_EAGER_BYTES: Final = 1 << 20

# RFC 9687 3.2: the greater of 8 minutes and twice the hold time.
SEND_HOLD_TIME_S: Final = 480.0

# Distinct attribute blocks that are remembered as judged. A full Internet table has some 100,000;
# past the bound the memory is dropped whole, which costs only time, so that a peer which invents
# attributes without end cannot grow the process. Their octets are bounded too: a block may have 4096
# of them, and is some 60 octets as a rule.
MAX_JUDGED_BLOCKS: Final = 1 << 17
MAX_JUDGED_BYTES: Final = 32 << 20

# Octets that may wait for one peer's socket. Beyond, the peer leaves the train of its update group
# and is brought up to date route by route when it reads again. The octets are shared between
# peers, so that a hundred slow ones cost little more than one.
SEND_QUEUE_BYTES: Final = 2 << 20

# Prefixes noted for peers that left the train, all peers together: some 300 MiB. Beyond, those
# end that have taken nothing for long: hundreds of them would else each have a note of the whole table.
MAX_MISSED_PREFIXES: Final = 4_000_000

# Octets below which a peer that fell behind, or is being sent the whole table, gets more: enough to
# keep a fast reader's socket busy for a turn.
RESUME_BYTES: Final = 256 << 10

# Prefixes that catching up may look at in one turn, all peers together: some 10 ms, so that a table
# of a million routes delays nobody's KEEPALIVE; and in one piece, so that peers share the turn.
CATCH_UP_TURN_PREFIXES: Final = 40_000
CATCH_UP_PIECE_PREFIXES: Final = 10_000

# And octets of attributes in one piece, which count as a whole one: where each prefix has attributes
# of 4 KiB, ten thousand prefixes would be 40 MiB, encoded for one peer at a stretch.
CATCH_UP_PIECE_BYTES: Final = 1 << 20

# Prefixes whose routes are taken by other rules, become long-lived stale, or go with their peer, in one
# turn, all peers together, and in one piece of that: with what is then sent some 30 ms. A peer with no
# more than a piece goes at once.
SWEEP_TURN_PREFIXES: Final = 10_000
SWEEP_PIECE_PREFIXES: Final = 2_000

# RFC 7313 4: how long a peer may take from its BoRR to its EoRR, before what it has not announced
# again is purged. A million routes come in seconds; the minutes are for links that a lab makes slow.
MAX_REFRESH_S: Final = 300.0

# Octets read from one peer in a turn: a peer that floods can't starve the others.
READ_TURN_BYTES: Final = 64 << 10

# Octets read from all peers together in a turn: at most some 100 ms of work (tiny UPDATEs with
# attributes of their own), so that hundreds that flood delay nobody's KEEPALIVE, and what a turn
# sends stays small. Beyond, each still reads a little, so that its hold timer sees it.
READ_ALL_TURN_BYTES: Final = 256 << 10
READ_LEAST_BYTES: Final = 1 << 10

# Prefixes of one family that a peer may have unless its `maximum-prefix` says another number. A
# node of a class has a handful; this is a full Internet table, so that no honest lab is stopped by
# it, and what floods without end is: it takes 100 MB with attributes that are shared, and 820 MB at the
# worst, with attributes of its own for each.
MAX_PREFIXES_PER_PEER: Final = 1_000_000

# Routes of one peer that are noted while they are held back for overlapping another's (`quarantine`).
# What a peer announces beyond is lost until it announces it again.
MAX_QUARANTINED_PER_PEER: Final = 1 << 10

# How long a peer is kept out that had more: long enough that a loop of it costs little, short enough
# that who has mended the node sees it back.
MAX_PREFIX_HOLD_DOWN_S: Final = 60.0

# Interned paths that are remembered for one peer, or twice as many as it holds prefixes, if that is
# more; past the bound the memory is dropped, which costs only time. Else a peer that announces one
# prefix with ever new attributes would grow the process.
SPARE_PATHS_PER_PEER: Final = 1 << 10

# What is kept of a connection's octets each way, so that people can look at its messages: those that
# it began with, OPENs among them, and the last ones. A node of a class says less than this in a day;
# a thousand that flood take some 50 MB.
TRANSCRIPT_OPENING_BYTES: Final = 16 << 10
TRANSCRIPT_OPENING_PIECES: Final = 128
TRANSCRIPT_BYTES: Final = 16 << 10
TRANSCRIPT_PIECES: Final = 256

# How long what a peer is told is kept after somebody has looked at its messages.
TRANSCRIPT_FOLLOW_S: Final = 600.0

# Transcripts of connections that are over: that is when one asks what was said. The last few of each
# address, so that one that retries all day pushes out nobody else's; and their octets.
PAST_TRANSCRIPTS: Final = 512
PAST_TRANSCRIPTS_PER_ADDRESS: Final = 4
PAST_TRANSCRIPT_BYTES: Final = 8 << 20

# Octets that may wait for a BMP station; beyond, its connection is given up, and it is told everything
# anew. A dump waits until the station has read, so that only what peers say meanwhile adds up: some
# 100,000 UPDATEs of one route each.
BMP_QUEUE_BYTES: Final = 8 << 20

# The same for one who follows events in ExaBGP's format.
FOLLOWER_QUEUE_BYTES: Final = 4 << 20

# Paths of one prefix that a peer with add-path may have. The decision process looks at all of them
# whenever one changes: so many take it 0.2 ms.
MAX_PATHS_PER_PREFIX: Final = 256
