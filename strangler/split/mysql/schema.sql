-- What the toolkit keeps in each MySQL or MariaDB database of a move. Safe to run again.
-- docs/protocol.md argues why each of these is as it is. Times are seconds since 1970 by this database's clock.

-- Who owns the tables of a move, as this database knows it. Every change is a compare-and-set on "epoch".
CREATE TABLE IF NOT EXISTS strangler_ownership (
    move varchar(64) NOT NULL PRIMARY KEY,
    side varchar(6) NOT NULL,
    epoch bigint NOT NULL,
    owns boolean NOT NULL,
    term bigint NOT NULL,
    done boolean NOT NULL DEFAULT false,
    peer_epoch bigint NOT NULL DEFAULT 0,  -- highest epoch seen in the other database: tells a restored backup
    changed_at double NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What every writer reads, with a lock that lasts to the end of its transaction: changes in the same statement as the
-- ownership row, and apart from it, since that one also changes without a switch.
CREATE TABLE IF NOT EXISTS strangler_fences (
    move varchar(64) NOT NULL PRIMARY KEY,
    owns boolean NOT NULL,
    term bigint NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The tables of a move, in the order in which they are locked; a table belongs to one move.
CREATE TABLE IF NOT EXISTS strangler_claims (
    relation varchar(200) NOT NULL PRIMARY KEY,
    move varchar(64) NOT NULL,
    kind varchar(10) NOT NULL,
    position integer NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The log: which keys changed. It is a queue: a row goes when it has been applied, and not before.
CREATE TABLE IF NOT EXISTS strangler_changes (
    move varchar(64) NOT NULL,
    seq bigint NOT NULL AUTO_INCREMENT,
    name varchar(200) NOT NULL,
    `key` mediumtext,  -- a JSON array
    PRIMARY KEY (move, seq),
    KEY (seq)  -- AUTO_INCREMENT asks for it
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row for each move: the stream that this database receives, and the one that it sends.
CREATE TABLE IF NOT EXISTS strangler_streams (
    move varchar(64) NOT NULL PRIMARY KEY,
    batch bigint NOT NULL DEFAULT 0,  -- received; changes only with the rows it speaks of
    acknowledged bigint NOT NULL DEFAULT 0,  -- the receiver's batch up to which our log is forgotten
    beat bigint NOT NULL DEFAULT 0,  -- sent
    beat_seen bigint NOT NULL DEFAULT 0,  -- received
    beat_seen_at double,  -- when it was sent, by the sender's clock
    stopped varchar(200)  -- why the capture was stopped, where it was
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Whether the captures of a move are stopped: apart from the streams, whose rows appliers lock all the time.
CREATE TABLE IF NOT EXISTS strangler_stops (
    move varchar(64) NOT NULL PRIMARY KEY,
    stopped boolean NOT NULL DEFAULT false
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The keys that were applied since the last comparison, and in which batch they last were.
CREATE TABLE IF NOT EXISTS strangler_unverified (
    move varchar(64) NOT NULL,
    name varchar(200) NOT NULL,
    digest binary(32) NOT NULL,  -- of the key, which may be longer than an index takes
    `key` mediumtext NOT NULL,  -- '' is the whole table
    batch bigint NOT NULL,
    PRIMARY KEY (move, name, digest),
    KEY (move, batch)  -- who forgets old batches does not wait for a new one
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How far a table has been cut into ranges, and how many of its rows are copied.
CREATE TABLE IF NOT EXISTS strangler_copies (
    move varchar(64) NOT NULL,
    name varchar(200) NOT NULL,
    last_key mediumtext,
    size bigint NOT NULL,  -- keys in the next range
    cut boolean NOT NULL DEFAULT false,  -- there is nothing left to cut
    ranges bigint NOT NULL DEFAULT 0,  -- that were cut off
    `rows` bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (move, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The ranges that are cut off and not copied yet; each goes in the transaction that copies it.
CREATE TABLE IF NOT EXISTS strangler_ranges (
    move varchar(64) NOT NULL,
    name varchar(200) NOT NULL,
    number bigint NOT NULL,
    after_key mediumtext,
    upto_key mediumtext,
    PRIMARY KEY (move, name, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The last complete comparison of both sides.
CREATE TABLE IF NOT EXISTS strangler_verifications (
    move varchar(64) NOT NULL PRIMARY KEY,
    shape varchar(64) NOT NULL,  -- of the tables that were compared
    `rows` bigint NOT NULL,
    differences bigint NOT NULL,
    verified_at double NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Share of the reads that goes to the side that does not own, for the term in which it was set.
CREATE TABLE IF NOT EXISTS strangler_routing (
    move varchar(64) NOT NULL PRIMARY KEY,
    term bigint NOT NULL,
    n bigint NOT NULL,
    weight integer NOT NULL,
    shadow integer NOT NULL,
    early boolean NOT NULL DEFAULT false
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
