// postgres.js: everything prepared and pipelined, transactions by callback.
import postgres from 'postgres';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const sql = postgres(process.env.DATABASE_URL, { max: 8, onnotice: () => {} });
const code = async (promise) => promise.then(() => 'no error', (e) => e.code);

await sql`DROP TABLE IF EXISTS pgjs_item`;
await sql`CREATE TABLE pgjs_item (id serial PRIMARY KEY, name text UNIQUE, n int NOT NULL DEFAULT 0, doc jsonb, tags text[])`;
say('insert', await sql`INSERT INTO pgjs_item ${sql([{ name: 'ä', tags: ['x'] }, { name: 'b', tags: [] }], 'name', 'tags')} RETURNING *`);
let seen = 0;
for (let i = 1; i <= 30; i++) {
  await sql`UPDATE pgjs_item SET n = ${i} WHERE id = 1`;
  if ((await sql`SELECT n FROM pgjs_item WHERE id = ${1}`)[0].n === i) seen++;
}
say('own writes seen', seen);
await sql`ALTER TABLE pgjs_item ADD COLUMN later int DEFAULT 7`;
say('after a new column', (await sql`SELECT *, 1 AS one FROM pgjs_item WHERE id = ${1}`)[0].later);
say('rolled back', await code(sql.begin(async (t) => { await t`INSERT INTO pgjs_item (name) VALUES ('gone')`; throw Object.assign(new Error(), { code: 'own' }); })));
say('savepoint', await sql.begin(async (t) => {
  await t`INSERT INTO pgjs_item (name) VALUES ('kept')`;
  const failed = await code(t.savepoint((s) => s`INSERT INTO pgjs_item (name) VALUES ('kept')`));
  return [failed, await t`SELECT name FROM pgjs_item ORDER BY id`];
}));
say('pipeline', await sql.begin((t) => [1, 2, 3].map((i) => t`SELECT ${i}::int * 2 AS x`)));
await Promise.all(Array.from({ length: 200 }, () => sql`UPDATE pgjs_item SET n = n + 1 WHERE id = 1`));
say('counter', (await sql`SELECT n FROM pgjs_item WHERE id = 1`)[0].n);
let sum = 0;
await sql`SELECT g FROM generate_series(1, 5000) g`.cursor(100, (rows) => { for (const row of rows) sum += row.g; });
say('cursor', sum);
const heard = Promise.withResolvers ? Promise.withResolvers() : (() => { const p = {}; p.promise = new Promise((r) => { p.resolve = r; }); return p; })();
const { unlisten } = await sql.listen('pgjs_channel', (payload) => heard.resolve(payload));
await sql.notify('pgjs_channel', 'hello');
say('heard', await heard.promise);
await unlisten();
const query = sql`SELECT pg_sleep(5)`.execute();
setTimeout(() => query.cancel(), 200);
say('cancelled', await code(query));
const reserved = await sql.reserve();
await reserved`SET TIME ZONE 'Asia/Tokyo'`;
say('zone', await reserved`SHOW TIME ZONE`);
await reserved`RESET TIME ZONE`;
reserved.release();
await sql`DROP TABLE pgjs_item`;
await sql.end();
