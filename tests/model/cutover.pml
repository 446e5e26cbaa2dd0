/* The cutover protocol of docs/protocol.md, for spin. Read it from the top; docs/model.md says what it shows.
 *
 * Two databases, one move. Whoever works here may fall asleep between any two statements and wake any time later:
 * spin tries all orders. To die is to fall asleep for ever, or (within a budget) to come back knowing nothing.
 * What stands in "atomic" is one transaction of one database, or one look at it.
 *
 * A world is a set of budgets: how many of each there are, and how often something happens. run.py has the worlds.
 * A variant is this file with one guard taken out, each an #ifdef marked "broken". run.py has their list.
 */

#ifndef EXECUTORS
#define EXECUTORS 1       /* commands and daemons that switch and recover */
#endif
#ifndef SWITCHES
#define SWITCHES 0        /* attempts of all executors, either way */
#endif
#ifndef DEATHS
#define DEATHS 0          /* executors that die and come back */
#endif
#ifndef UNKNOWNS
#define UNKNOWNS 0        /* compare-and-sets whose outcome the executor does not learn */
#endif
#ifndef COMPLETIONS
#define COMPLETIONS 0
#endif
#ifndef WRITERS
#define WRITERS 0         /* at most two; each has a key of its own */
#endif
#ifndef WRITES
#define WRITES 0          /* of all writers; at most seven */
#endif
#ifndef APPLIERS
#define APPLIERS 0        /* each serves both directions */
#endif
#ifndef LOST_ACKS
#define LOST_ACKS 0       /* appliers that die between the commit at the receiver and the deletion at the sender */
#endif
#ifndef VERIFICATIONS
#define VERIFICATIONS 0   /* comparisons while writes go on */
#endif
#ifndef CORRUPTIONS
#define CORRUPTIONS 0     /* applied rows that arrive wrong */
#endif
#ifndef ROGUES
#define ROGUES 0          /* writes past the fence, by somebody who switched it off */
#endif
#ifndef RESTORES
#define RESTORES 0        /* the target comes back from a backup of the beginning */
#endif
#ifndef PROXIES
#define PROXIES 0
#endif
#ifndef REQUESTS
#define REQUESTS 0        /* writes that come through a proxy */
#endif
#ifndef CANARIES
#define CANARIES 0        /* commands that set a weight: the next n within the term */
#endif

/* The promises. Each assertion carries its number, so that run.py can name the one that caught a variant. */
#define PROMISE(number, holds) assert((holds) || number == 0)
#define TWO_OWNERS 1      /* never two owners */
#define OWNER_HAS_ALL 2   /* the owner has every acknowledged write and no older value */
#define STRANGE_WRITE 3   /* no write commits where the database does not own */
#define AFTER_DONE 4      /* what is done never goes back */
#define ONE_OWNER 5       /* at rest exactly one database owns */
#define FOLLOWED 6        /* at rest the other side has everything too */
#define ROUTES 7          /* at rest all routes lead to the owner, and no version says two things */
#define HOPS 8            /* a request is sent on only to a newer owner than the one that refused it */
#define RETIRED 9         /* no request is sent to tables that were retired */
#define SLEEPERS 10       /* a recovery ends those whose gates are stale */
#define FALSE_ALARM 11    /* nothing that is well is stopped, or called broken */
#define COMPLETED 12      /* at rest a completion that began has ended */
/* Spin itself finds who waits for ever ("invalid end state"). */

#define SOURCE 0
#define TARGET 1
#define WRONG 15          /* a value that no writer wrote */

/* --- What is stored in the two databases ----------------------------------------------------------------------- */

byte epoch[2];
bool owns[2];
byte term[2];
bool done;                /* a column of the target's row */
byte value[4];            /* of each side's two keys: the number of the write that it shows */
byte changes[4];          /* each side's log, for each key: the writes that wait to be applied, as bits */
byte batch[2];            /* batches that this side has applied */
byte acknowledged[2];     /* batches of this side's log that are known to be applied */
bool stopped[2];          /* the stream of this side's log: a person has to look */
byte unverified[4];       /* for each key: the batch that brought it, 0 after a comparison */
bool retired;             /* the source's tables, for good */
byte step_term;           /* the canary's persisted step, and its weight */
byte step_n;
byte step_weight;

#ifdef REVERSE_CAPTURED_FROM_COMMIT_ON
/* broken: the target's writes are captured as soon as the switch is over, not from the beginning. */
bool captured;
#endif

/* Locks. */
byte writing[2];          /* open transactions that have written */
byte applying[2];         /* the applier that holds this side's ownership row (shared) and stream row */

/* The routes of each proxy. */
byte route_owner[2];
byte route_term[2];
byte route_n[2];
byte route_weight[2];

/* --- What only the model knows --------------------------------------------------------------------------------- */

byte truth[2];            /* the last acknowledged write of each key */
byte written;             /* writes that began */
byte owned_last;
byte gates[EXECUTORS + 1];  /* of each executor, by _pid, between its picture and its fence */
#define FRESH 1
#define STALE 2           /* somebody recovered since */
byte unacknowledged;      /* appliers between their commit and their deletion */
byte switches = SWITCHES;
byte deaths = DEATHS;
byte unknowns = UNKNOWNS;
byte completions = COMPLETIONS;
byte lost_acks = LOST_ACKS;
byte corruptions = CORRUPTIONS;
byte rogues = ROGUES;
byte restores = RESTORES;
hidden byte outcome;      /* of a compare-and-set; used within one step only, like those below */
hidden byte i;
hidden byte bits;
hidden byte differs;
hidden byte owned_before;
#define WON 1
#define LOST 2
#define UNKNOWN 3
#define DIED 4

#define VALUE(side, key) value[2 * (side) + (key)]
#define CHANGES(side, key) changes[2 * (side) + (key)]
#define UNVERIFIED(side, key) unverified[2 * (side) + (key)]
#define HAS_ALL(side) (VALUE(side, 0) == truth[0] && VALUE(side, 1) == truth[1])
#define NOBODY_OWNS (!owns[SOURCE] && !owns[TARGET])
#define OWNER (owns[TARGET] -> TARGET : SOURCE)
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define MAX_TERM MAX(term[SOURCE], term[TARGET])
#define UNTOUCHED (corruptions == CORRUPTIONS && rogues == ROGUES && restores == RESTORES)

#ifdef LOG_READ_BY_POSITION
/* broken: the log is read behind a position; a row that commits late with a lower number is passed over. */
byte position[2];
#define WAITING(side, key) ((CHANGES(side, key) >> position[side]) << position[side])
#else
#define WAITING(side, key) CHANGES(side, key)
#endif
#define LOG_EMPTY(side) (WAITING(side, 0) == 0 && WAITING(side, 1) == 0)

/* --- Compare-and-set ------------------------------------------------------------------------------------------- */

/* The statement waits for the applier that shares the row and, where the fences switch, for open writers. */
#ifdef APPLIER_LEAVES_OWNERSHIP_UNLOCKED
#define ROW_FREE(side) true
#else
#define ROW_FREE(side) (applying[side] == 0)
#endif
#ifdef FENCE_WAITS_FOR_NOBODY
#define TABLES_FREE(side) true
#else
#define TABLES_FREE(side) (writing[side] == 0)
#endif
#define FREE(side, expected, own) (ROW_FREE(side) && (epoch[side] != expected || owns[side] == own || TABLES_FREE(side)))
#define KEEP 0            /* the term stays */
#define ANY 255           /* no matter at which batch the receiver is */
#define AT_BATCH(at, side) (at == ANY || at == batch[side])

/* Row and fences, in one transaction. */
inline set_owner(side, own, new_term, finish) {
    PROMISE(TWO_OWNERS, !own || !owns[1 - side]);
    PROMISE(OWNER_HAS_ALL, !own || owns[side] || HAS_ALL(side));
    PROMISE(AFTER_DONE, !done || own == (side == TARGET));
    owned_last = (own -> side : owned_last);
    owns[side] = own;
    term[side] = (new_term == KEEP -> term[side] : new_term);
    done = done || finish;
    epoch[side]++
}

/* A statement whose outcome nobody learnt: it was carried out, or never will be, or is still on its way. */
bool late;
byte late_side;
byte late_epoch;
bool late_own;
byte late_term;
bool late_finish;
byte late_batch;
byte late_gates;

inline forget_late() {
    late = false;
    late_side = 0;
    late_epoch = 0;
    late_own = false;
    late_term = 0;
    late_finish = false;
    late_batch = 0;
    late_gates = 0
}

proctype Late() {
end:
    do
    :: atomic {
            late && FREE(late_side, late_epoch, late_own) ->
            if
            :: epoch[late_side] == late_epoch && AT_BATCH(late_batch, late_side) ->
                PROMISE(SLEEPERS, late_gates != STALE);
                set_owner(late_side, late_own, late_term, late_finish)
            :: else
            fi;
            forget_late()
        }
    :: atomic { late -> forget_late() }
    od
}

#if RESTORES > 0
#define CONNECTED(side) (side == SOURCE || connected == restores)
#else
#define CONNECTED(side) true
#endif

inline compare_and_set(side, compare, expected, own, new_term, finish, at_batch) {
    if
    :: FREE(side, expected, own) && CONNECTED(side) ->
        owned_before = owned_last;
        if
        :: (!compare || epoch[side] == expected) && AT_BATCH(at_batch, side) ->
            set_owner(side, own, new_term, finish);
            outcome = WON
        :: else -> outcome = LOST
        fi
#if RESTORES > 0
    :: !CONNECTED(side) -> outcome = LOST
#endif
#if UNKNOWNS > 0
    :: unknowns > 0 && !late && CONNECTED(side) ->
        unknowns--;
        late = true;
        late_side = side;
        late_epoch = expected;
        late_own = own;
        late_term = new_term;
        late_finish = finish;
        late_batch = at_batch;
        outcome = UNKNOWN
#endif
#if DEATHS > 0
    :: deaths > 0 -> deaths--; outcome = DIED
#endif
    fi
}

/* --- Routes ------------------------------------------------------------------------------------------------------ */

#define VERSION_IS(p, t, n) (route_term[p] == t && route_n[p] == n)
#define N_OF(t) (step_term == t -> step_n : 0)
#define WEIGHT_OF(t) (step_term == t -> step_weight : 0)
#define BEHIND(p) (p < PROXIES && !VERSION_IS(p, MAX_TERM, N_OF(MAX_TERM)))
#define ALL_PROXIES_AT(t) ((PROXIES < 1 || route_term[0] >= t) && (PROXIES < 2 || route_term[1] >= t))

/* A proxy, or an engine, refuses an older version. */
inline offer(p, owner, t, n, weight) {
    if
#ifdef PROXY_TAKES_OLDER
    :: true ->
#else
    :: t > route_term[p] || (t == route_term[p] && n >= route_n[p]) ->
#endif
        PROMISE(ROUTES, !VERSION_IS(p, t, n) || (route_owner[p] == owner && route_weight[p] == weight));
        route_owner[p] = owner;
        route_term[p] = t;
        route_n[p] = n;
        route_weight[p] = weight
    :: else
    fi
}

/* --- Executors: the labels are the names of "Step" in cutover.py ------------------------------------------------- */

inline look_at(side) {
    seen[side] = epoch[side];
    owned[side] = owns[side];
    terms[side] = term[side]
}

/* What the rows that were read mean. */
inline judge() {
    PROMISE(FALSE_ALARM, !(owned[SOURCE] && owned[TARGET]));
    nobody = !owned[SOURCE] && !owned[TARGET];
    old = (owned[SOURCE] || (nobody && terms[SOURCE] > terms[TARGET]) -> SOURCE : TARGET);
    since = MAX(terms[SOURCE], terms[TARGET]);
    owned[SOURCE] = false;
    owned[TARGET] = false;
    terms[SOURCE] = 0;
    terms[TARGET] = 0
}

inline forget_picture() {
    seen[SOURCE] = 0;
    seen[TARGET] = 0;
    old = 0;
    since = 0;
    nobody = false;
    verified = 0;
#if RESTORES > 0
    connected = 0
#endif
}

/* The owner that was found, or made one, is at rest: whoever took a picture before has to begin anew. */
inline recovered() {
    PROMISE(OWNER_HAS_ALL, old == owned_before);
    for (i : 1 .. EXECUTORS) {
        gates[i] = (gates[i] == FRESH -> STALE : gates[i])
    }
    late_gates = (late_gates == FRESH -> STALE : late_gates);
    i = 0
}

#define NEW (1 - old)
#ifdef TERM_OF_ONE_SIDE
/* broken: the next term is one more than this side's own. */
#define NEXT_TERM(side) (term[side] + 1)
#else
#define NEXT_TERM(side) (since + 1)
#endif
#if defined(COMMIT_WITHOUT_VERIFIED_BATCH) || defined(NOTHING_IS_VERIFIED)
#define VERIFIED ANY
#else
#define VERIFIED verified
#endif
#ifdef FENCE_WITHOUT_COMPARE
#define FENCE_COMPARES false
#else
#define FENCE_COMPARES true
#endif
#ifdef COMMIT_WITHOUT_COMPARE
#define COMMIT_COMPARES false
#else
#define COMMIT_COMPARES true
#endif

proctype Executor() {
    byte seen[2];         /* the epochs of the picture */
    bool owned[2];
    byte terms[2];
    byte old;             /* who owns or, where nobody does, who owned last */
    byte since;           /* the greater term */
    bool nobody;
    bool recovering;
    bool completing;      /* asked for, or the picture shows a move that is done */
    byte verified;        /* the batch of which VERIFY has seen the rows */
    byte proxy;
#if RESTORES > 0
    byte connected;
#endif

REST:
end:
    if
    :: atomic { switches > 0 && !NOBODY_OWNS -> switches--; goto PICTURE }
    :: atomic { NOBODY_OWNS -> recovering = true; goto PICTURE }  /* "replicate" looks every moment */
#if COMPLETIONS > 0
    :: atomic { completions > 0 && owns[TARGET] -> completions--; completing = true; goto PICTURE }
#endif
    fi;

PICTURE:
    /* Each row is read twice, and epochs only grow, so rows that did not change in between stood together. One look
     * says the same. */
    atomic {
#if RESTORES > 0
        connected = restores;
#endif
        look_at(SOURCE);
#ifdef PICTURE_IS_TORN
        /* broken: each row is read once. */
    };
    atomic {
#endif
        look_at(TARGET);
        judge();
        if
#ifdef RECOVERY_GOES_FORWARD
        :: recovering && nobody -> recovering = false; old = NEW; goto BACK_BUMP
#else
        :: recovering && nobody -> recovering = false; goto BACK_BUMP
#endif
        :: recovering && !nobody -> recovering = false; completing = done; goto REFENCE
#if COMPLETIONS > 0
        :: completing && !nobody && old == TARGET -> goto COMPLETE
        :: completing && (nobody || old == SOURCE) -> completing = false; forget_picture(); goto REST
#endif
#ifndef REVERSE_IGNORES_DONE
        :: !recovering && !completing && done && old == TARGET -> forget_picture(); goto REST
        :: !recovering && !completing && !nobody && !(done && old == TARGET) -> gates[_pid] = FRESH
#else
        :: !recovering && !completing && !nobody -> gates[_pid] = FRESH
#endif
        :: !recovering && !completing && nobody -> forget_picture(); goto REST
        fi
    };

GATES:
#if RESTORES > 0 && !defined(GATES_WITHOUT_HEARTBEAT)
    atomic {
        /* A heartbeat there and back: a stream that has lost batches does not carry it. */
        if
        :: batch[NEW] >= acknowledged[old] && CONNECTED(TARGET)
        :: else -> gates[_pid] = 0; forget_picture(); goto REST
        fi
    };
#endif
#ifdef LOG_END_READ_BEFORE_THE_FENCE
    LOG_EMPTY(old);
#endif

HOLD:  /* changes no row; requests may wait as long as they like anyway */
FENCE:
    atomic {
        if
        :: gates[_pid] = 0; forget_picture(); goto REST  /* the locks were not had in time */
        :: compare_and_set(old, FENCE_COMPARES, seen[old], false, KEEP, false, ANY);
            if
            :: outcome == WON ->
                PROMISE(SLEEPERS, gates[_pid] != STALE);
                gates[_pid] = 0;
                seen[old]++
#if UNKNOWNS > 0
            :: outcome == UNKNOWN ->
                late_gates = gates[_pid];
                gates[_pid] = 0;
#ifdef UNKNOWN_FENCE_IS_SUCCESS
                seen[old]++
#elif defined(UNKNOWN_FENCE_IS_FAILURE)
                forget_picture();
                goto REST
#else
                goto RECOVER
#endif
#endif
            :: outcome == LOST || outcome == DIED -> gates[_pid] = 0; goto RECOVER
            fi
        fi
    };

CATCH_UP:
#if WRITES > 0
    if
#if defined(LOG_END_READ_BEFORE_THE_FENCE) || defined(SLOW_CATCH_UP_GOES_ON)
    :: true
#else
    :: LOG_EMPTY(old)  /* a look that begins after the fence has committed */
#endif
    :: goto BACK_BUMP  /* too slow, or anything unclear */
    fi;
#endif

VERIFY:
#if WRITES > 0 && !defined(NOTHING_IS_VERIFIED)
    atomic {
        verified = batch[NEW];
        differs = false;
        for (i : 0 .. 1) {
            differs = differs || (UNVERIFIED(NEW, i) != 0 && VALUE(NEW, i) != VALUE(old, i))
        };
        i = 0;
        PROMISE(FALSE_ALARM, !differs || !UNTOUCHED || epoch[old] != seen[old]);
        if
        :: differs -> goto BACK_BUMP
        :: else
        fi
    };
#endif
#ifdef PICTURE_AGAIN
    atomic { seen[NEW] = epoch[NEW]; since = MAX_TERM };
#endif

COMMIT:
    atomic {
        compare_and_set(NEW, COMMIT_COMPARES, seen[NEW], true, NEXT_TERM(NEW), false, VERIFIED);
        if
        :: outcome == WON -> old = NEW; since = term[old]; goto PUBLISH
#if DEATHS > 0
        :: outcome == DIED -> goto RECOVER
#endif
#ifdef UNKNOWN_COMMIT_IS_FAILURE
        :: outcome == UNKNOWN -> goto BACK_OPEN
        :: outcome == LOST
#else
        :: outcome == LOST || outcome == UNKNOWN
#endif
        fi
    };

BACK_BUMP:
#if !defined(BACK_WITHOUT_BUMP) && !defined(BACK_OPENS_FIRST)
    atomic {
        compare_and_set(NEW, true, seen[NEW], false, KEEP, false, ANY);
        if
        :: outcome == WON
        :: outcome != WON -> goto RECOVER
        fi
    };
#endif

BACK_OPEN:
    atomic {
#ifdef BACK_KEEPS_TERM
        compare_and_set(old, true, seen[old], true, KEEP, false, ANY);
#else
        compare_and_set(old, true, seen[old], true, NEXT_TERM(old), false, ANY);
#endif
        if
        :: outcome == WON -> recovered(); since = term[old]
        :: outcome != WON -> goto RECOVER
        fi
    };
#ifdef BACK_OPENS_FIRST
    atomic { compare_and_set(NEW, true, seen[NEW], false, KEEP, false, ANY) };
#endif
    goto PUBLISH;

RECOVER:
    atomic { forget_picture(); recovering = true; goto PICTURE };

REFENCE:
    atomic {
#ifdef RECOVERY_LEAVES_STABLE_ALONE
        owned_before = owned_last;
        recovered()
#else
        compare_and_set(old, true, seen[old], true, KEEP, false, ANY);
        if
        :: outcome == WON -> recovered()
        :: outcome != WON -> goto RECOVER
        fi
#endif
    };
#ifdef RECOVERY_PUBLISHES_TWO_PICTURES
    since = MAX_TERM;
#endif

PUBLISH:
#ifdef REVERSE_CAPTURED_FROM_COMMIT_ON
    captured = captured || old == TARGET;
#endif
#if PROXIES > 0
    do
    :: atomic { proxy < PROXIES -> offer(proxy, old, since, 0, 0); proxy++ }
    :: atomic { proxy < PROXIES -> proxy++ }  /* not reached; "replicate" repeats it */
    :: atomic { proxy == PROXIES -> proxy = 0; break }
    od;
#endif
#if COMPLETIONS > 0
    if
    :: completing -> goto RETIRE
    :: atomic { !completing -> forget_picture(); goto REST }
    fi;

COMPLETE:
    atomic {
#ifdef DONE_LEAVES_EPOCH
        if
        :: owns[TARGET] -> done = true; outcome = WON
        :: !owns[TARGET] -> outcome = LOST
        fi;
#else
        compare_and_set(TARGET, true, seen[TARGET], true, KEEP, true, ANY);
#endif
        if
        :: outcome == WON -> goto PUBLISH
        :: outcome != WON -> completing = false; goto RECOVER
        fi
    };

RETIRE:
#ifndef RETIRE_WAITS_FOR_NOBODY
    ALL_PROXIES_AT(since);
#endif
    retired = true;
    completing = false;
#endif
    atomic { forget_picture(); goto REST }
}

/* --- Writers ---------------------------------------------------------------------------------------------------- */

/* One transaction after the other, at either side: no matter what routes say. */
proctype Writer(byte key) {
    byte side;
    byte number;          /* of the write: its value, and its place in the log */
#ifdef FENCE_SEEN_IN_OLD_SNAPSHOT
    bool owned;
#endif

BEGIN:
end:
    atomic {
        written < WRITES;
        if
        :: side = SOURCE
        :: side = TARGET
        fi;
#ifdef FENCE_SEEN_IN_OLD_SNAPSHOT
        owned = owns[side]
#endif
    };

FIRST_WRITE:  /* may come long after the transaction's beginning, and its snapshot */
    atomic {
        if
#ifdef FENCE_SEEN_IN_OLD_SNAPSHOT
        :: owned ->
#else
        :: owns[side] ->  /* the trigger, as it is when the table's lock is had */
#endif
            PROMISE(OWNER_HAS_ALL, VALUE(side, key) == truth[key]);
            written = (written < WRITES -> written + 1 : written);
            number = written;
            writing[side]++
        :: else -> side = 0; goto BEGIN
        fi
    };

END_OF_TRANSACTION:
    atomic {
        if
        :: PROMISE(STRANGE_WRITE, owns[side]);
            VALUE(side, key) = number;
#ifdef REVERSE_CAPTURED_FROM_COMMIT_ON
            CHANGES(side, key) = (side == SOURCE || captured -> CHANGES(side, key) | (1 << number) : CHANGES(side, key));
#else
            CHANGES(side, key) = CHANGES(side, key) | (1 << number);
#endif
            truth[key] = number
        :: true  /* rolled back */
        fi;
        writing[side]--;
        side = 0;
        number = 0;
        goto BEGIN
    }
}

/* --- Appliers --------------------------------------------------------------------------------------------------- */

#define TO (1 - from)
#define WORK(side) (!stopped[side] && !LOG_EMPTY(side))

/* Some of the rows that are visible, in any order. */
inline choose_rows() {
    for (i : 0 .. 1) {
        bits = 0;
        rows[i] = WAITING(from, i);
#ifndef LOG_READ_BY_POSITION
        do
        :: bits <= WRITES ->
            if
            :: (rows[i] & (1 << bits)) != 0 -> rows[i] = rows[i] - (1 << bits)
            :: true
            fi;
            bits++
        :: else -> break
        od
#endif
    };
    i = 0;
    bits = 0
}

inline read_images() {
    for (i : 0 .. 1) {
        image[i] = (rows[i] != 0 -> VALUE(from, i) : 0)
    };
    i = 0
}

inline forget_batch() {
    rows[0] = 0;
    rows[1] = 0;
    image[0] = 0;
    image[1] = 0;
    number = 0;
    from = 0
}

inline unlock() {
    applying[TO] = (applying[TO] == _pid -> 0 : applying[TO])
}

/* Stops where one end was set back, or somebody wrote past the fence. */
inline reconcile() {
    if
#ifndef GAP_IS_NOT_LOOKED_FOR
    :: batch[TO] < acknowledged[from] ->
        PROMISE(FALSE_ALARM, !UNTOUCHED);
        stopped[from] = true
#endif
    :: batch[TO] > acknowledged[from] + 1 ->
        PROMISE(FALSE_ALARM, !UNTOUCHED);
        stopped[from] = true
#ifndef OWNER_TAKES_BATCHES
    :: owned && (rows[0] != 0 || rows[1] != 0) ->
        PROMISE(FALSE_ALARM, !UNTOUCHED);
        stopped[from] = true
#endif
    :: else
#ifndef LOST_ACKNOWLEDGEMENT_IS_LEFT
        ; acknowledged[from] = MAX(acknowledged[from], batch[TO])
#endif
    fi
}

proctype Applier() {
    byte from;
    byte rows[2];         /* of the log, for each key */
    byte image[2];        /* the keys' rows in the same snapshot */
    byte number;
    bool owned;           /* the receiver, as read under the lock */

IDLE:
end:
    if
    :: atomic { WORK(SOURCE) -> from = SOURCE }
    :: atomic { WORK(TARGET) -> from = TARGET }
    fi;

#ifdef SNAPSHOT_BEFORE_LOCK
    atomic { choose_rows(); read_images() };
#endif
#ifdef IMAGES_OF_AN_OLDER_SNAPSHOT
    atomic { rows[0] = 1; rows[1] = 1; read_images() };
#endif

LOCK:
    atomic {
        if
        :: applying[TO] == 0 -> applying[TO] = _pid; owned = owns[TO]
        :: !WORK(from) -> forget_batch(); goto IDLE
        fi
    };

SNAPSHOT:
    atomic {
#if RESTORES > 0
        if
        :: applying[TO] != _pid -> owned = false; forget_batch(); goto IDLE
        :: else
        fi;
#endif
#ifndef SNAPSHOT_BEFORE_LOCK
        choose_rows();
#ifndef IMAGES_OF_AN_OLDER_SNAPSHOT
        read_images();
#endif
#endif
        reconcile();
        owned = false;
        if
        :: stopped[from] || (rows[0] == 0 && rows[1] == 0) -> unlock(); forget_batch(); goto IDLE
        :: else
        fi
    };

#ifdef DELETED_BEFORE_COMMIT
    atomic { CHANGES(from, 0) = CHANGES(from, 0) & (255 - rows[0]); CHANGES(from, 1) = CHANGES(from, 1) & (255 - rows[1]) };
#endif

BRING:
    atomic {
        if
#if RESTORES > 0
        :: applying[TO] != _pid -> forget_batch(); goto IDLE
        :: applying[TO] == _pid
#else
        :: true
#endif
        :: unlock(); forget_batch(); goto IDLE  /* the transaction died, or its applier */
        fi;
        batch[TO]++;
        number = batch[TO];
        for (i : 0 .. 1) {
            if
            :: rows[i] != 0 ->
                if
                :: VALUE(TO, i) = image[i]
#if CORRUPTIONS > 0
                :: corruptions > 0 -> corruptions--; VALUE(TO, i) = WRONG
#endif
                fi;
                UNVERIFIED(TO, i) = number;
#ifdef ECHOES_ARE_CAPTURED
                CHANGES(TO, i) = CHANGES(TO, i) | rows[i];
#endif
#ifdef LOG_READ_BY_POSITION
                do
                :: (rows[i] >> position[from]) != 0 -> position[from]++
                :: else -> break
                od
#endif
            :: else
            fi
        };
        i = 0;
        PROMISE(OWNER_HAS_ALL, !owns[TO] || HAS_ALL(TO));
        unlock();
        image[0] = 0;
        image[1] = 0;
        unacknowledged++
    };

DELETE:
    atomic {
        unacknowledged--;
        if
        :: lost_acks > 0 -> lost_acks--
        :: true ->
            for (i : 0 .. 1) {
#ifdef DELETED_BY_KEY
                rows[i] = (rows[i] != 0 -> 255 : 0);
#endif
                CHANGES(from, i) = CHANGES(from, i) & (255 - rows[i])
            };
            i = 0;
            acknowledged[from] = MAX(acknowledged[from], number)
        fi;
        forget_batch();
        goto IDLE
    }
}

/* --- Verification while writes go on ---------------------------------------------------------------------------- */

proctype Verifier() {
    byte receiver;
    byte upto;
    byte image[2];

end:
    if
    :: receiver = SOURCE
    :: receiver = TARGET
    fi;
    upto = batch[receiver];
    atomic { image[0] = VALUE(receiver, 0); image[1] = VALUE(receiver, 1) };
    if
    :: atomic { image[0] == VALUE(1 - receiver, 0) && image[1] == VALUE(1 - receiver, 1) -> image[0] = 0; image[1] = 0 }
    :: atomic { image[0] != VALUE(1 - receiver, 0) || image[1] != VALUE(1 - receiver, 1) -> goto LEAVE }
    fi;
    atomic {
        for (i : 0 .. 1) {
            if
#ifdef VERIFICATION_FORGETS_NEWER
            :: true -> UNVERIFIED(receiver, i) = 0
#else
            :: UNVERIFIED(receiver, i) <= upto -> UNVERIFIED(receiver, i) = 0
            :: else
#endif
            fi
        };
        i = 0
    };
LEAVE:
    skip
}

/* --- What goes wrong outside the protocol ------------------------------------------------------------------------ */

/* Somebody switches the source's fence off and writes, while the target owns. */
proctype Rogue() {
end:
    atomic { owns[TARGET] && rogues > 0 -> rogues--; VALUE(SOURCE, 0) = WRONG; CHANGES(SOURCE, 0) = CHANGES(SOURCE, 0) | 1 }
}

/* The target comes back from the backup of the beginning, unnoticed by the epochs: nothing was switched since. All
 * connections to it die, and nobody is between the commit and the deletion. */
proctype Restore() {
end:
    atomic {
        epoch[TARGET] == 0 && unacknowledged == 0 && batch[TARGET] > 0;
        restores--;
        VALUE(TARGET, 0) = 0;
        VALUE(TARGET, 1) = 0;
        UNVERIFIED(TARGET, 0) = 0;
        UNVERIFIED(TARGET, 1) = 0;
        batch[TARGET] = 0;
        applying[TARGET] = 0;
        if
        :: late && late_side == TARGET -> forget_late()
        :: else
        fi
    }
}

/* --- Who else publishes, and requests ----------------------------------------------------------------------------------------- */

/* The daemon that publishes again and again what the databases say. */
proctype Replicate() {
    byte owner;
    byte t;
    byte n;
    byte weight;
    byte proxy;

end:
    do
    :: atomic {
            !NOBODY_OWNS && (BEHIND(0) || BEHIND(1)) ->
            owner = OWNER;
            t = MAX_TERM;
            n = N_OF(t);
            weight = WEIGHT_OF(t)
        };
        do
        :: atomic { proxy < PROXIES -> offer(proxy, owner, t, n, weight); proxy++ }
        :: atomic { proxy == PROXIES -> proxy = 0; owner = 0; t = 0; n = 0; weight = 0; break }
        od
    od
}

/* Sets a weight: reads the version, and persists the next one if that has not changed meanwhile. */
proctype Canary() {
    byte owner;
    byte t;
    byte n;
    byte was_term;
    byte was_n;
    byte proxy;

end:
    atomic {
        !NOBODY_OWNS;
        owner = OWNER;
        t = MAX_TERM;
        n = N_OF(t) + 1;
        was_term = step_term;
        was_n = step_n
    };
    atomic {
        if
#ifdef CANARY_OVERWRITES
        :: true ->
#else
        :: step_term == was_term && step_n == was_n ->
#endif
            step_term = t;
            step_n = n;
            step_weight = _pid
        :: else -> goto LEAVE
        fi
    };
    do
    :: atomic { proxy < PROXIES -> offer(proxy, owner, t, n, _pid); proxy++ }
    :: proxy == PROXIES -> break
    od;
LEAVE:
    skip
}

#ifdef REPLAYED_TO_THE_SAME_TERM
#define NEWER(mine, refusal) (mine >= refusal)
#else
#define NEWER(mine, refusal) (mine > refusal)
#endif

/* One write that comes through a proxy. */
proctype Request() {
    byte proxy;
    byte side;
    byte refused;         /* by the term in this refusal, plus one */
    byte hops;

end:
    if
    :: proxy = 0
    :: PROXIES > 1 -> proxy = 1
    fi;
    do
    :: atomic {
            refused == 0 || NEWER(route_term[proxy], refused - 1) ->
            side = route_owner[proxy];
            PROMISE(RETIRED, !retired || side == TARGET)
        };
        atomic {
            if
            :: owns[side] -> break
            :: else ->
                PROMISE(HOPS, refused == 0 || term[side] > refused - 1);
                refused = term[side] + 1;
                hops++;
                if
                :: hops == 3 -> break  /* 503 */
                :: else
                fi
            fi
        }
    od
}

/* --- At rest ----------------------------------------------------------------------------------------------------- */

proctype Rest() {
end:
    atomic {
        timeout ->
        PROMISE(ONE_OWNER, owns[SOURCE] + owns[TARGET] == 1);
        PROMISE(OWNER_HAS_ALL, HAS_ALL(OWNER));
        PROMISE(FOLLOWED, !UNTOUCHED || HAS_ALL(1 - OWNER));
        PROMISE(COMPLETED, done == retired);
        for (i : 0 .. 1) {
            PROMISE(ROUTES, i >= PROXIES || (route_owner[i] == OWNER && VERSION_IS(i, MAX_TERM, N_OF(MAX_TERM))))
        };
        i = 0
    }
}

#define START(count, process) i = 0; do :: i < count -> i++; run process :: else -> break od

init {
    atomic {
        epoch[SOURCE] = 1;
        owns[SOURCE] = true;
        term[SOURCE] = 1;
        route_term[0] = 1;
        route_term[1] = 1;
        START(EXECUTORS, Executor());  /* the first ones: their _pid is their place in "gates" */
        START(APPLIERS, Applier());
        START(WRITERS, Writer(i - 1));
        START(VERIFICATIONS, Verifier());
        START(CANARIES, Canary());
        START(REQUESTS, Request());
#if PROXIES > 0
        run Replicate();
#endif
#if UNKNOWNS > 0
        run Late();
#endif
#if ROGUES > 0
        run Rogue();
#endif
#if RESTORES > 0
        run Restore();
#endif
        run Rest();
        i = 0
    }
}
