// Prisma with its driver adapter over node-postgres: nested writes, include, $transaction, raw SQL. Its tables are made by
// hand: Prisma's own migrations need an engine that is no npm package.
import { PrismaPg } from '@prisma/adapter-pg';
import prisma from '@prisma/client';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const db = new prisma.PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 8 }) });
for (const text of ['DROP TABLE IF EXISTS prisma_book, prisma_author', 'CREATE TABLE prisma_author (id serial PRIMARY KEY, name text UNIQUE NOT NULL, n int NOT NULL DEFAULT 0)',
  'CREATE TABLE prisma_book (id serial PRIMARY KEY, title text NOT NULL, about jsonb, "authorId" int NOT NULL REFERENCES prisma_author ON DELETE CASCADE)']) await db.$executeRawUnsafe(text);
for (let i = 1; i <= 5; i++) await db.author.create({ data: { name: `author ${i}`, books: { create: [1, 2, 3].map((j) => ({ title: `${i}.${j}`, about: { j } })) } } });
say('include', await db.author.findMany({ include: { books: { orderBy: { id: 'asc' } } }, orderBy: { id: 'asc' }, take: 2 }));
const lazy = [];
for (const author of await db.author.findMany({ orderBy: { id: 'asc' } })) lazy.push(await db.book.count({ where: { authorId: author.id } }));
say('lazy', lazy);
let seen = 0;
for (let i = 1; i <= 20; i++) {
  await db.author.update({ where: { id: 1 }, data: { n: i } });
  if ((await db.author.findUnique({ where: { id: 1 } })).n === i) seen++;
}
say('own writes seen', seen);
say('rolled back', await db.$transaction(async (t) => { await t.author.create({ data: { name: 'gone' } }); throw new Error('own'); }).catch((e) => e.message));
say('unique', await db.author.create({ data: { name: 'author 1' } }).catch((e) => e.code));
say('batch', await db.$transaction([db.author.count(), db.book.aggregate({ _max: { id: true } })]));
await Promise.all(Array.from({ length: 100 }, () => db.author.update({ where: { id: 2 }, data: { n: { increment: 1 } } })));
say('counter', (await db.author.findFirst({ where: { id: 2 } })).n);
say('raw', await db.$queryRaw`SELECT count(*)::int AS c FROM prisma_book WHERE title LIKE ${'1.%'}`);
say('upsert', await db.author.upsert({ where: { name: 'author 3' }, update: { n: 7 }, create: { name: 'author 3' } }));
await db.author.delete({ where: { id: 1 } });
say('cascade', await db.book.count());
await db.$executeRawUnsafe('DROP TABLE prisma_book, prisma_author');
await db.$disconnect();
