// Sequelize: models with an association, eager and lazy loading, a managed transaction.
import { DataTypes, Sequelize } from 'sequelize';

const say = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const db = new Sequelize(process.env.DATABASE_URL, { dialect: 'postgres', logging: false, pool: { max: 8 } });
const Author = db.define('seq_author', { name: { type: DataTypes.STRING, unique: true }, n: { type: DataTypes.INTEGER, defaultValue: 0 } }, { timestamps: false, freezeTableName: true });
const Book = db.define('seq_book', { title: DataTypes.STRING, about: DataTypes.JSONB }, { timestamps: false, freezeTableName: true });
Author.hasMany(Book, { foreignKey: 'authorId', onDelete: 'CASCADE' });
Book.belongsTo(Author, { foreignKey: 'authorId' });
await db.sync({ force: true });
for (let i = 1; i <= 5; i++) {
  const author = await Author.create({ name: `author ${i}` });
  await Book.bulkCreate([1, 2, 3].map((j) => ({ title: `${i}.${j}`, about: { j }, authorId: author.id })));
}
say('eager', (await Author.findAll({ include: Book, order: ['id', [Book, 'id', 'ASC']] })).map((a) => a.seq_books.map((b) => b.title)));
const lazy = [];
for (const author of await Author.findAll({ order: ['id'] })) lazy.push((await author.getSeq_books({ order: ['id'] })).length);
say('lazy', lazy);
let seen = 0;
for (let i = 1; i <= 20; i++) {
  await Author.update({ n: i }, { where: { id: 1 } });
  if ((await Author.findByPk(1)).n === i) seen++;
}
say('own writes seen', seen);
say('rolled back', await db.transaction(async (t) => { await Author.create({ name: 'gone' }, { transaction: t }); throw new Error('own'); }).catch((e) => e.message));
say('unique', await Author.create({ name: 'author 1' }).catch((e) => e.name));
say('count', await Author.count());
await Promise.all(Array.from({ length: 100 }, () => Author.increment('n', { where: { id: 2 } })));
say('counter', (await Author.findByPk(2)).n);
await Author.destroy({ where: { id: 1 } });
say('cascade', await Book.count());
await db.drop();
await db.close();
