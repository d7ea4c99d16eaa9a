"""psycopg 3: server-side prepared statements after five executions, pipelines, COPY, named cursors, notifications."""
import os
import threading

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

URL = os.environ["DATABASE_URL"]


def say(what, value):
    print(f"{what}: {value!r}", flush=True)


def code(run):
    try:
        run()
        return "no error"
    except psycopg.Error as e:
        return e.sqlstate


with psycopg.connect(URL, autocommit=True, row_factory=dict_row) as c:
    c.execute("DROP TABLE IF EXISTS psy3_item")
    c.execute("CREATE TABLE psy3_item (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT 0, doc jsonb, tags text[], raw bytea,"
              " price numeric, at timestamptz, span int4range)")
    say("insert", c.execute("INSERT INTO psy3_item (name, doc, tags, raw, price, span) VALUES (%s, %s, %s, %s, %s, '[1,5)') RETURNING *",
                            ("naïve ✓", Jsonb({"a": [1, None]}), ["x", 'y"z'], b"\0\xff", 12.34)).fetchone())
    seen = 0
    for i in range(1, 31):
        c.execute("UPDATE psy3_item SET n = %s WHERE id = 1", (i,))
        seen += c.execute("SELECT n FROM psy3_item WHERE id = %s", (1,)).fetchone()["n"] == i
    say("own writes seen", seen)
    for i in range(10):
        c.execute("SELECT * FROM psy3_item WHERE id = %s", (1,), prepare=True)
    with c.transaction():
        c.execute("INSERT INTO psy3_item (name) VALUES ('kept')")

        def twice():
            with c.transaction():
                c.execute("INSERT INTO psy3_item (name) VALUES ('kept')")
        say("unique in a savepoint", code(twice))

    def undone():
        with c.transaction():
            c.execute("INSERT INTO psy3_item (name) VALUES ('gone')")
            raise psycopg.Rollback()
    undone()
    say("rows", c.execute("SELECT name FROM psy3_item ORDER BY id").fetchall())
    with c.pipeline():
        answers = [c.execute("SELECT %s::int * 2 AS x", (i,)) for i in range(20)]
        say("pipeline", [a.fetchone()["x"] for a in answers])
    c.execute("SET TIME ZONE 'Asia/Tokyo'")
    say("zone", c.execute("SHOW TIME ZONE").fetchall())
    say("lock", [c.execute("SELECT pg_try_advisory_lock(4712)").fetchall(), c.execute("SELECT pg_advisory_unlock(4712)").fetchall()])
    c.execute("SET statement_timeout = '100ms'")
    say("too long", code(lambda: c.execute("SELECT pg_sleep(5)")))
    c.execute("RESET ALL")
    with c.cursor().copy("COPY psy3_item (name, n) FROM STDIN") as copy:
        for i in range(1000):
            copy.write_row((f"copied {i}", i))
    with c.cursor().copy("COPY (SELECT n FROM psy3_item WHERE name LIKE 'copied%' ORDER BY id) TO STDOUT (FORMAT BINARY)") as copy:
        copy.set_types(["int4"])
        say("copied", sum(row[0] for row in copy.rows()))
    with c.transaction(), c.cursor(name="wanderer") as wanderer:
        wanderer.execute("SELECT g FROM generate_series(1, 5000) g")
        wanderer.itersize = 100
        say("cursor", sum(row["g"] for row in wanderer))
    c.execute("LISTEN psy3_channel")
    with psycopg.connect(URL, autocommit=True) as other:
        other.execute("NOTIFY psy3_channel, 'hello'")
    say("heard", next(c.notifies()).payload)
    timer = threading.Timer(0.3, c.cancel)
    timer.start()
    say("cancelled", code(lambda: c.execute("SELECT pg_sleep(5)")))
    timer.join()


def count():
    with psycopg.connect(URL, autocommit=True) as mine:
        for _ in range(25):
            mine.execute("UPDATE psy3_item SET n = n + 1 WHERE id = 1")


threads = [threading.Thread(target=count) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
with psycopg.connect(URL) as c:
    say("counter", c.execute("SELECT n FROM psy3_item WHERE id = 1").fetchone())
    c.execute("DROP TABLE psy3_item")
