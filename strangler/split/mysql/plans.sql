-- What operations of plans, and developers' keys, keep in a MySQL or MariaDB database;
-- strangler/split/postgres/plans.sql says what each is for. Safe to run again.
CREATE TABLE IF NOT EXISTS strangler_runs (
    plan varchar(200) NOT NULL,
    run integer NOT NULL,
    applied_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (plan, run)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_task_routes (
    task varchar(200) NOT NULL PRIMARY KEY,
    plan varchar(200) NOT NULL,
    queue varchar(200) NOT NULL,
    was varchar(200) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_cleanups (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    service varchar(200) NOT NULL,
    field varchar(200) NOT NULL,
    key_column varchar(64) NOT NULL,
    on_delete varchar(20) NOT NULL,
    `key` mediumtext,
    made_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_retirements (
    move varchar(64) NOT NULL,
    name varchar(200) NOT NULL,
    relation varchar(200) NOT NULL,
    tombstoned_at double NOT NULL,
    archived_at double,
    `rows` bigint,
    data_sha256 char(64),
    shape_sha256 char(64),
    compared_at double,
    dropped_at double,
    PRIMARY KEY (move, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_asked (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    plan varchar(200) NOT NULL,
    wish varchar(20) NOT NULL,
    who varchar(200) NOT NULL,
    asked_at double NOT NULL,
    fulfilled boolean NOT NULL DEFAULT false
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_api_keys (
    id varchar(40) NOT NULL PRIMARY KEY,
    developer varchar(200) NOT NULL,
    digest char(64) NOT NULL,
    old char(64) NOT NULL,
    old_until double NOT NULL,
    plan varchar(200) NOT NULL,
    scopes text NOT NULL,
    routes text NOT NULL,
    created_at double NOT NULL,
    expires_at double,
    revoked_at double,
    changed bigint NOT NULL UNIQUE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS strangler_api_usage (
    process varchar(40) NOT NULL,
    key_id varchar(40) NOT NULL,
    day char(10) NOT NULL,
    requests bigint NOT NULL,
    refused bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (process, key_id, day),
    KEY (day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
