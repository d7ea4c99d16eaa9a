// node-postgres (pg): a pool, prepared statements by name, a cursor, LISTEN.
import pg from 'pg';
import QueryStream from 'pg-query-stream';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
const one = async (text, values) => (await pool.query(text, values)).rows[0];
const code = async (promise) => promise.then(() => 'no error', (e) => e.code);

await pool.query('DROP TABLE IF EXISTS node_item');
await pool.query(`CREATE TABLE node_item (id serial PRIMARY KEY, name text UNIQUE, n int NOT NULL DEFAULT 0, at timestamptz,
  doc jsonb, tags text[], raw bytea, price numeric(12,3))`);
say('insert', await one('INSERT INTO node_item (name, at, doc, tags, raw, price) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *',
  ['naïve ✓', new Date(0), { a: [1, null] }, ['x', 'y"z'], Buffer.from([0, 255]), '12.340']));

let seen = 0;
for (let i = 1; i <= 30; i++) {
  await pool.query('UPDATE node_item SET n = $1 WHERE id = 1', [i]);
  if ((await one('SELECT n FROM node_item WHERE id = $1', [1])).n === i) seen++;
}
say('own writes seen', seen);

const named = { name: 'by-id', text: 'SELECT * FROM node_item WHERE id = $1', values: [1] };
for (let i = 0; i < 10; i++) await pool.query(named);
await pool.query('ALTER TABLE node_item ADD COLUMN later int DEFAULT 7');
const again = [];
for (let i = 0; i < 10; i++) again.push(await code(pool.query(named)));
// PostgreSQL itself refuses the old plan once for each connection; nothing is said of how often
say('after a new column', (await pool.query({ text: named.text, values: [1] })).rows[0].later);

const client = await pool.connect();
await client.query('BEGIN');
await client.query('INSERT INTO node_item (name) VALUES ($1)', ['gone']);
await client.query('ROLLBACK');
await client.query('BEGIN');
await client.query("INSERT INTO node_item (name) VALUES ('kept')");
await client.query('SAVEPOINT s');
say('unique', await code(client.query("INSERT INTO node_item (name) VALUES ('kept')")));
say('in a failed transaction', await code(client.query('SELECT 1')));
await client.query('ROLLBACK TO s');
await client.query('COMMIT');
say('rows', (await client.query('SELECT name FROM node_item ORDER BY id')).rows);
await client.query("SET TIME ZONE 'Asia/Tokyo'");
say('zone', (await client.query('SHOW TIME ZONE')).rows);
await client.query('RESET TIME ZONE');
say('lock', (await client.query('SELECT pg_try_advisory_lock(4711)')).rows);
say('unlock', (await client.query('SELECT pg_advisory_unlock(4711)')).rows);
await client.query("SET statement_timeout = '100ms'");
say('too long', await code(client.query('SELECT pg_sleep(5)')));
await client.query('RESET statement_timeout');
let sum = 0;
for await (const row of client.query(new QueryStream('SELECT g FROM generate_series(1, 5000) g', [], { batchSize: 100 }))) sum += row.g;
say('stream', sum);
client.release();

await Promise.all(Array.from({ length: 200 }, () => pool.query('UPDATE node_item SET n = n + 1 WHERE id = 1')));
say('counter', (await one('SELECT n FROM node_item WHERE id = 1')).n);

const listener = new pg.Client(process.env.DATABASE_URL);
await listener.connect();
const heard = new Promise((done) => listener.on('notification', (m) => done(m.payload)));
await listener.query('LISTEN node_channel');
await pool.query("SELECT pg_notify('node_channel', 'hello')");
say('heard', await heard);
await listener.end();
await pool.query('DROP TABLE node_item');
await pool.end();
