// TypeORM: a migration, entities with a relation, lazy and joined loading, a transaction, a query builder's stream.
import 'reflect-metadata';
import typeorm from 'typeorm';

const { DataSource, EntitySchema } = typeorm;
const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const Author = new EntitySchema({ name: 'torm_author', columns: { id: { type: Number, primary: true, generated: true }, name: { type: String, unique: true }, n: { type: Number, default: 0 } },
  relations: { books: { type: 'one-to-many', target: 'torm_book', inverseSide: 'author' } } });
const Book = new EntitySchema({ name: 'torm_book', columns: { id: { type: Number, primary: true, generated: true }, title: { type: String } },
  relations: { author: { type: 'many-to-one', target: 'torm_author', inverseSide: 'books', onDelete: 'CASCADE' } } });
class First1700000000000 {
  async up(runner) { await runner.query('CREATE TABLE torm_migrated (id int)'); }
  async down(runner) { await runner.query('DROP TABLE torm_migrated'); }
}
const db = new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Author, Book], migrations: [First1700000000000], migrationsTableName: 'torm_migrations', poolSize: 8 });
await db.initialize();
await db.query('DROP TABLE IF EXISTS torm_book, torm_author, torm_migrated, torm_migrations CASCADE');
await db.synchronize();
say('migrated', (await db.runMigrations()).map((m) => m.name));
const authors = db.getRepository('torm_author');
const books = db.getRepository('torm_book');
for (let i = 1; i <= 5; i++) {
  const author = await authors.save({ name: `author ${i}` });
  await books.save([1, 2, 3].map((j) => ({ title: `${i}.${j}`, author })));
}
say('joined', (await authors.find({ relations: { books: true }, order: { id: 'ASC', books: { id: 'ASC' } } })).map((a) => a.books.map((b) => b.title)));
const lazy = [];
for (const author of await authors.find({ order: { id: 'ASC' } })) lazy.push(await books.countBy({ author: { id: author.id } }));
say('lazy', lazy);
let seen = 0;
for (let i = 1; i <= 20; i++) {
  await authors.update({ id: 1 }, { n: i });
  if ((await authors.findOneBy({ id: 1 })).n === i) seen++;
}
say('own writes seen', seen);
say('rolled back', await db.transaction(async (m) => { await m.save('torm_author', { name: 'gone' }); throw new Error('own'); }).catch((e) => e.message));
say('unique', await authors.insert({ name: 'author 1' }).catch((e) => e.code));
say('count', await authors.count());
await Promise.all(Array.from({ length: 100 }, () => authors.increment({ id: 2 }, 'n', 1)));
say('counter', (await authors.findOneBy({ id: 2 })).n);
say('pages', (await authors.createQueryBuilder('a').leftJoinAndSelect('a.books', 'b').orderBy('a.id').skip(1).take(2).getMany()).map((a) => a.id));
await db.undoLastMigration();
await db.query('DROP TABLE torm_book, torm_author, torm_migrations');
await db.destroy();
