"""asyncpg: named prepared statements in a cache of its own, binary formats, introspection of types, COPY, cursors."""
import asyncio
import os

import asyncpg

URL = os.environ["DATABASE_URL"]


def say(what, value):
    print(f"{what}: {value!r}", flush=True)


async def code(awaitable):
    try:
        await awaitable
        return "no error"
    except asyncpg.PostgresError as e:
        return e.sqlstate


async def main():
    pool = await asyncpg.create_pool(URL, min_size=1, max_size=8)
    await pool.execute("DROP TABLE IF EXISTS apg_item; DROP TYPE IF EXISTS apg_mood;"
                       "CREATE TYPE apg_mood AS ENUM ('sad', 'glad');"
                       "CREATE TABLE apg_item (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT 0, mood apg_mood, moods apg_mood[],"
                       " doc jsonb, raw bytea, price numeric)")
    say("insert", dict(await pool.fetchrow(
        "INSERT INTO apg_item (name, mood, moods, doc, raw, price) VALUES ($1, $2, $3, $4, $5, 12.34) RETURNING *",
        "naïve ✓", "glad", ["sad", "glad"], '{"a": 1}', b"\0\xff")))
    seen = 0
    for i in range(1, 31):
        await pool.execute("UPDATE apg_item SET n = $1 WHERE id = 1", i)
        seen += await pool.fetchval("SELECT n FROM apg_item WHERE id = $1", 1) == i
    say("own writes seen", seen)
    async with pool.acquire() as c:
        for _ in range(10):
            await c.fetch("SELECT * FROM apg_item WHERE id = $1", 1)
        await c.execute("ALTER TABLE apg_item ADD COLUMN later int DEFAULT 7")
        say("after a new column", dict(await c.fetchrow("SELECT *, 1 AS one FROM apg_item WHERE id = $1", 1))["later"])
        async with c.transaction():
            await c.execute("INSERT INTO apg_item (name) VALUES ('kept')")

            async def twice():
                async with c.transaction():
                    await c.execute("INSERT INTO apg_item (name) VALUES ('kept')")
            say("unique in a savepoint", await code(twice()))
            say("cursor", sum([r["g"] async for r in c.cursor("SELECT g FROM generate_series(1, 5000) g", prefetch=100)]))
        say("rows", [r["name"] for r in await c.fetch("SELECT name FROM apg_item ORDER BY id")])
        say("too long", await code(c.execute("SET statement_timeout = '100ms'; SELECT pg_sleep(5)")))
        await c.execute("RESET ALL")
        say("copied", await c.copy_records_to_table("apg_item", columns=["name", "n"], records=[(f"c {i}", i) for i in range(1000)]))
        heard = asyncio.get_running_loop().create_future()
        await c.add_listener("apg_channel", lambda *a: heard.set_result(a[3]))
        await pool.execute("NOTIFY apg_channel, 'hello'")
        say("heard", await heard)
        await c.reset()
    await asyncio.gather(*[pool.execute("UPDATE apg_item SET n = n + 1 WHERE id = 1") for _ in range(200)])
    say("counter", await pool.fetchval("SELECT n FROM apg_item WHERE id = 1"))
    try:
        await asyncio.wait_for(pool.execute("SELECT pg_sleep(5)"), 0.3)
    except asyncio.TimeoutError:
        say("timed out by the client", True)
    await pool.execute("DROP TABLE apg_item; DROP TYPE apg_mood")
    await pool.close()


asyncio.run(main())
