// Knex: migrations with its lock table, batches, a transaction, a stream; and Drizzle over the same driver.
import knex from 'knex';
import { drizzle } from 'drizzle-orm/node-postgres';
import { eq } from 'drizzle-orm';
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const db = knex({ client: 'pg', connection: process.env.DATABASE_URL, pool: { min: 0, max: 8 }, migrations: { tableName: 'knex_done',
  migrationSource: { getMigrations: async () => ['first'], getMigrationName: (m) => m, getMigration: async () => ({
    up: (k) => k.schema.createTable('knex_item', (t) => { t.increments(); t.string('name').unique(); t.integer('n').defaultTo(0); }),
    down: (k) => k.schema.dropTable('knex_item') }) } } });
await db.raw('DROP TABLE IF EXISTS knex_item, knex_done, knex_done_lock');
say('migrated', (await db.migrate.latest())[1]);
await db.batchInsert('knex_item', Array.from({ length: 250 }, (_, i) => ({ name: `item ${i}` })), 50);
say('batch', await db('knex_item').count());
let seen = 0;
for (let i = 1; i <= 20; i++) {
  await db('knex_item').where({ id: 1 }).update({ n: i });
  if ((await db('knex_item').where({ id: 1 }).first()).n === i) seen++;
}
say('own writes seen', seen);
say('rolled back', await db.transaction(async (t) => { await t('knex_item').insert({ name: 'gone' }); throw new Error('own'); }).catch((e) => e.message));
say('unique', await db('knex_item').insert({ name: 'item 1' }).catch((e) => e.code));
let sum = 0;
for await (const row of db('knex_item').select('id').stream()) sum += row.id > 0 ? 1 : 0;
say('stream', sum);
const items = pgTable('knex_item', { id: serial().primaryKey(), name: text(), n: integer() });
const drizzled = drizzle(process.env.DATABASE_URL);
say('drizzle', await drizzled.select().from(items).where(eq(items.id, 2)));
say('drizzle transaction', await drizzled.transaction(async (t) => { await t.update(items).set({ n: 9 }).where(eq(items.id, 2)); return t.select().from(items).where(eq(items.id, 2)); }));
await drizzled.$client.end();
say('rolled back migration', (await db.migrate.rollback())[1]);
await db.raw('DROP TABLE knex_done, knex_done_lock');
await db.destroy();
