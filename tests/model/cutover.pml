/* The cutover of docs/protocol.md, for spin. Steps bear the names of strangler/split/cutover.py.
 *
 * Two databases, each with its ownership row; executors that switch there and back, complete or recover, and that die,
 * or sleep and wake, between any two steps; statements whose outcome nobody learns; writers with transactions in
 * flight, sent to either side by stale routes; appliers that die, sleep and wake, several to a direction.
 *
 * A guard is removed by -D with the name that stands at it; run.py has the list. ATTEMPTS, WRITES and APPLIERS bound the search.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef APPLIERS
#define APPLIERS 1
#endif

#define OTHER(s) (1 - (s))

/* The ownership rows: SOURCE is 0, TARGET is 1. */
byte epoch[2], term[2];
bool owns[2], done;

/* Two rows of the moved tables on each side, and what was committed last to each: by a writer, at whichever side. */
byte data[4];
byte last[2];
#define ROW(side, key) data[(side) * 2 + (key)]

/* The logs. A write has the number that was drawn when it began; its log row becomes visible when it commits. */
#define NONE 0
#define OPEN 1
#define VISIBLE 2
byte state[WRITES + 1], side_of[WRITES + 1], key_of[WRITES + 1];
byte drawn;
bool captured[2];

/* Locks at a receiving database: the stream's row (one applier at a time), the ownership row (shared by appliers). */
byte turn[2];     /* 0: free */
byte sharing[2];
#ifdef POSITION
byte position[2];
#endif

/* What the proxies were told. */
byte route, version;

byte highest;     /* ghost: the highest term ever given out */
byte attempts, ended;
byte recoveries;   /* ghost: how often somebody has brought the move to rest; who slept meanwhile must not commit */

/* ---- what must hold ---------------------------------------------------------------------------------------------- */

inline check_gain(winner) {
    assert(!owns[OTHER(winner)]);                                        /* never two owners */
    assert(ROW(winner, 0) == last[0] && ROW(winner, 1) == last[1]);        /* no acknowledged write lost, none resurrected */
    assert(term[winner] > highest);                                      /* a term has one owner */
    highest = term[winner];
    assert(!(done && winner == 0));                                       /* complete is for good */
}

/* ---- writers ----------------------------------------------------------------------------------------------------- */

proctype Writer(byte key) {
    byte side, number;
again:
    do
    :: atomic {                                        /* a fence is open; whatever the routes say, the other refuses */
        drawn < WRITES && owns[0] -> side = 0; goto write }
    :: atomic { drawn < WRITES && owns[1] -> side = 1; goto write }
    :: drawn == WRITES -> break
    od;
    goto stop;
write:
    atomic {
        if
        :: owns[side] && drawn < WRITES ->             /* the row is locked and written */
            drawn++; number = drawn;
            state[number] = OPEN; side_of[number] = side; key_of[number] = key
        :: else -> side = 0; goto again
        fi
    }
    if
    :: atomic {                                        /* COMMIT, acknowledged */
#ifndef FENCE_DOES_NOT_WAIT
        assert(owns[side]);
#endif
        ROW(side, key) = number; last[key] = number;
        if :: captured[side] -> state[number] = VISIBLE :: else -> state[number] = NONE fi;
        side = 0; number = 0; goto again }
    :: atomic { state[number] = NONE; side = 0; number = 0; goto again }   /* ROLLBACK */
    fi;
stop:
    skip
}

/* ---- the applier ------------------------------------------------------------------------------------------------- */

#define SHOWN(w, s) (state[w] == VISIBLE && side_of[w] == (s))
#if WRITES == 2
#define ANY(s) (SHOWN(1, s) || SHOWN(2, s))
#define NO_WRITER(s) (!(state[1] == OPEN && side_of[1] == (s)) && !(state[2] == OPEN && side_of[2] == (s)))
#else
#define ANY(s) (SHOWN(1, s) || SHOWN(2, s) || SHOWN(3, s))
#define NO_WRITER(s) (!(state[1] == OPEN && side_of[1] == (s)) && !(state[2] == OPEN && side_of[2] == (s)) && !(state[3] == OPEN && side_of[3] == (s)))
#endif

#ifdef POSITION
#define WAITING(s) ((SHOWN(1, s) && 1 > position[s]) || (SHOWN(2, s) && 2 > position[s]))
#else
#define WAITING(s) ANY(s)
#endif

inline take_snapshot() {
    atomic {
        w = 1;
        do
        :: w <= WRITES ->
            if
#ifdef POSITION
            :: SHOWN(w, from) && w > position[from] -> seen[key_of[w]] = true; rows = rows | (1 << w)
#else
            :: SHOWN(w, from) -> seen[key_of[w]] = true; rows = rows | (1 << w)
#endif
            :: else
            fi;
            w++
        :: else -> break
        od;
        image[0] = ROW(from, 0); image[1] = ROW(from, 1); w = 0
    }
}

inline forget_rows() {
    atomic {
#ifdef FORGET_ALL_VISIBLE
        rows = 255;
#endif
        w = 1;
        do
        :: w <= WRITES ->
            if
            :: (rows & (1 << w)) && side_of[w] == from && state[w] == VISIBLE ->
#ifdef POSITION
                if :: w > position[from] -> position[from] = w :: else fi;
#endif
                state[w] = NONE
            :: else
            fi;
            w++
        :: else -> break
        od;
        w = 0
    }
}

inline let_go() { turn[OTHER(from)] = 0;
#ifndef OWNER_NOT_LOCKED
    sharing[OTHER(from)]--
#endif
}

inline clear() { rows = 0; seen[0] = false; seen[1] = false; image[0] = 0; image[1] = 0; owner = false; w = 0 }

proctype Applier(byte me) {
    byte from, rows, image[2], w;
    bool seen[2], owner;
end:
    do
    :: atomic { ended < 2 && WAITING(0) -> from = 0; goto batch }
    :: atomic { ended < 2 && WAITING(1) -> from = 1; goto batch }
    :: ended == 2 -> break
    od;
    goto stop;
batch:
#ifdef SNAPSHOT_BEFORE_LOCK
    take_snapshot();
#endif
    atomic {
        turn[OTHER(from)] == 0 ->
        turn[OTHER(from)] = me; owner = owns[OTHER(from)];
#ifndef OWNER_NOT_LOCKED
        sharing[OTHER(from)]++
#endif
    }
#ifndef SNAPSHOT_BEFORE_LOCK
    take_snapshot();
#endif
#ifdef FORGET_BEFORE_COMMIT
    forget_rows();
#endif
    if
    :: atomic { let_go(); from = 0; clear(); goto end }       /* died, or its connection: nothing was written */
    :: atomic {
        rows == 0 || owner -> let_go();
        assert(rows == 0);                           /* rows for a side that owns: somebody wrote past the fence */
        from = 0; clear(); goto end }
    :: atomic {
        rows != 0 && !owner ->                       /* the receiver's commit */
        assert(!owns[OTHER(from)]);                  /* nothing is applied where somebody may write */
        if :: seen[0] -> ROW(OTHER(from), 0) = image[0] :: else fi;
        if :: seen[1] -> ROW(OTHER(from), 1) = image[1] :: else fi;
        let_go(); seen[0] = false; seen[1] = false; image[0] = 0; image[1] = 0; owner = false }
    fi;
    if
    :: atomic { from = 0; clear(); goto end }                 /* died before it could say so: applied again later */
    :: atomic { forget_rows(); from = 0; clear(); goto end }
    fi;
stop:
    skip
}

/* ---- executors --------------------------------------------------------------------------------------------------- */

inline picture() {
    atomic {
        pe[0] = epoch[0]; pe[1] = epoch[1]; pt[0] = term[0]; pt[1] = term[1];
        if :: owns[0] -> owner = 0 :: owns[1] -> owner = 1
           :: else -> owner = 2 fi;
        if :: pt[0] > pt[1] -> next = pt[0] + 1 :: else -> next = pt[1] + 1 fi
    }
}

/* One compare-and-set of a row: waits for the locks that the statement waits for. ok: whether it was made. */
inline cas(db, expected, grant, new_term) {
    atomic {
        sharing[db] == 0 ->
        if
        :: epoch[db] == expected ->
            epoch[db]++; ok = true;
            if
            :: grant && !owns[db] ->
                owns[db] = true; term[db] = new_term;
                check_gain(db)
            :: else -> owns[db] = grant
            fi
        :: else -> ok = false
        fi
    }
}

inline publish(who, in_term) {
    atomic {
#ifdef PUBLISH_UNVERSIONED
        route = who; version = in_term
#else
        if :: in_term >= version -> route = who; version = in_term :: else fi
#endif
    }
}

/* Going back by a picture: the other side first, so that an executor that sleeps before its commit cannot commit. */
inline back(home) {
#ifdef OPEN_BEFORE_BUMP
    cas(home, pe[home], true, next);                          /* BACK_OPEN */
    if :: ok -> cas(OTHER(home), pe[OTHER(home)], false, 0) :: else fi;        /* BACK_BUMP */
#else
#ifdef NO_BUMP
    ok = true;
#else
    cas(OTHER(home), pe[OTHER(home)], false, 0);                               /* BACK_BUMP */
#endif
    if
    :: ok ->
        if :: mortal -> goto dead :: skip fi;
        cas(home, pe[home], true, next)                                        /* BACK_OPEN */
    :: else
    fi;
#endif
    if :: ok -> publish(home, next) :: else fi
}

inline recovery() {
    picture();                                                                 /* PICTURE */
    if
    :: owner == 2 ->
#ifdef RECOVER_FORWARD
        if :: pt[0] > pt[1] -> owner = 1 :: else -> owner = 0 fi;
#else
        if :: pt[0] > pt[1] -> owner = 0 :: else -> owner = 1 fi;
#endif
        back(owner)
    :: else ->
#ifdef NO_REFENCE
        ok = true; recoveries++;
#else
        atomic { cas(owner, pe[owner], true, 0); if :: ok -> recoveries++ :: else fi }   /* REFENCE */
#endif
        if :: ok -> publish(owner, pt[owner]) :: else fi
    fi
}

proctype Executor() {
    byte pe[2], pt[2], next, owner, to, since;
    bool ok, mortal = true;
    do
    :: atomic { attempts < ATTEMPTS -> attempts++ }
        if
        :: recovery()
        :: picture();                                                          /* complete */
            if
            :: owner == 1 && !done ->
#ifdef DONE_WITHOUT_CAS
                done = true; assert(!owns[0])
#else
                atomic { if :: epoch[1] == pe[1] && owns[1] -> epoch[1]++; done = true :: else fi }
#endif
            :: else
            fi
        :: if :: to = 0 :: to = 1 fi;                                          /* switch */
            atomic { since = recoveries; picture() }                           /* PICTURE */
            if :: owner == OTHER(to) && !done :: else -> goto dead fi;
            if :: goto dead :: skip fi;
#ifdef LOG_END_BEFORE_FENCE
            if :: !WAITING(OTHER(to)) :: goto dead fi;
#endif
            atomic {                                                           /* FENCE: waits for open writers */
#ifdef FENCE_DOES_NOT_WAIT
                sharing[OTHER(to)] == 0 ->
#else
                sharing[OTHER(to)] == 0 && NO_WRITER(OTHER(to)) ->
#endif
                if
#ifdef FENCE_WITHOUT_CAS
                :: true ->
#else
                :: epoch[OTHER(to)] == pe[OTHER(to)] ->
#endif
                    epoch[OTHER(to)]++; owns[OTHER(to)] = false; ok = true
                :: else -> ok = false
                fi
            }
            if :: !ok -> recovery(); goto dead                                 /* unclear */
               :: ok
               :: ok -> recovery(); goto dead                                  /* made, but its outcome is not known */
               :: ok -> goto dead
            fi;
            pe[OTHER(to)]++;
#ifndef LOG_END_BEFORE_FENCE
            if                                                                 /* CATCH_UP */
            :: !WAITING(OTHER(to))
#ifdef CATCH_UP_GIVES_UP_FORWARDS
            :: skip
#else
            :: back(OTHER(to)); if :: !ok -> recovery() :: else fi; goto dead  /* too slow: go back */
#endif
            :: goto dead
            fi;
#endif
#ifdef PICTURE_AGAIN
            picture();
#endif
#ifdef COMMIT_WITHOUT_CAS
            cas(to, epoch[to], true, next);                                    /* COMMIT */
#else
#ifdef TERM_OF_OWN_SIDE
            next = pt[to] + 1;
#endif
            atomic { cas(to, pe[to], true, next); assert(!ok || since == recoveries) }
#endif
            if
            :: ok -> captured[to] = true; publish(to, next)   /* PUBLISH */
            :: ok -> goto dead
            :: true ->                                                         /* failed, or the outcome is unknown */
                back(OTHER(to));
                if :: !ok -> recovery() :: else fi
            fi
        fi;
dead:
        atomic { pe[0] = 0; pe[1] = 0; pt[0] = 0; pt[1] = 0; next = 0; owner = 0; to = 0; since = 0; ok = false }
    :: atomic { attempts == ATTEMPTS -> ended++; break }
    od
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

init {
    byte pe[2], pt[2], next, owner;
    bool ok, mortal = false;
    atomic {
#ifdef START_AT_TARGET
        epoch[0] = 2; epoch[1] = 1; owns[1] = true; term[0] = 1; term[1] = 2; highest = 2; version = 2; route = 1;
#else
        epoch[0] = 1; owns[0] = true; term[0] = 1; highest = 1; version = 1;
#endif
        captured[0] = true;
#ifndef CAPTURE_STARTS_LATE
        captured[1] = true;
#endif
        run Writer(0); run Writer(1);
        run Applier(1);
#if APPLIERS == 2
        run Applier(2);
#endif
        run Executor(); run Executor()
    }
    /* When everybody has ended, one who recovers always finds rest: one owner, and the routes lead there. */
    ended == 2;
    recovery();
    assert(ok);
dead:
    assert(owns[0] != owns[1]);
    assert((owns[0] && route == 0) || (owns[1] && route == 1))
}
